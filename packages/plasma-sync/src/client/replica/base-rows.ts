// Owns: reading the base beneath the view: the image of a row where a pending mutation has touched it, else what is shown.

import type { Row } from "../../core/schema/value.ts";
import type { TableSource } from "../ivm/source.ts";
import type { BaseImages } from "./rebase.ts";

/** Undefined where the row lies on disk and is not known. */
export function baseRow(images: BaseImages, source: TableSource, id: string): Row | null | undefined {
  const image = images.get(source.table, id);
  if (image !== undefined) return image;
  return source.get(id) ?? (source.knows(id) ? null : undefined);
}

/** Ids of the base rows that are in memory. */
export function* baseIDs(images: BaseImages, source: TableSource): Iterable<string> {
  const own = images.tables.get(source.table);
  for (const row of source.rows()) {
    const id = row["id"] as string;
    if (own?.has(id) !== true) yield id;
  }
  for (const [id, image] of own ?? []) if (image !== null) yield id;
}
