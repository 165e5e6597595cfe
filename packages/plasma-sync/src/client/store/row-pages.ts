// Owns: packing items into pages; for rows, their order and how many fit.

import * as limits from "../../core/limits.ts";
import { compareText } from "../../core/query/compare.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { idOf } from "./directory.ts";
import type { ItemOrder } from "./sorted-pages.ts";

/** Rows by id. */
export const rowOrder: ItemOrder<Row, string> = {
  keyOf: idOf,
  compare: compareText,
  pageSize(rows) {
    // A few tell enough of the others.
    const step = Math.max(1, Math.floor(rows.length / limits.storeSampleRows));
    let bytes = 0;
    let count = 0;
    for (let i = 0; i < rows.length; i += step, count++) bytes += sizeOf(rows[i]);
    const fitting = Math.floor((limits.storePageBytes * count) / Math.max(1, bytes));
    return Math.min(Math.max(fitting, 1), limits.storePageRowsMax);
  },
};

/** About the bytes of a value on disk. */
function sizeOf(value: Value | Row | undefined): number {
  if (typeof value === "string") return value.length + 4;
  if (typeof value !== "object" || value === null) return 9;
  if (value instanceof Uint8Array) return value.byteLength;
  let bytes = 8;
  for (const [key, part] of Object.entries(value as { readonly [key: string]: Value }))
    bytes += key.length + sizeOf(part);
  return bytes;
}

/** Items cut into pages of about equal counts, none larger than it should be. */
export function pack<Item, Key>(items: readonly Item[], { pageSize }: ItemOrder<Item, Key>): (readonly Item[])[] {
  if (items.length === 0) return [];
  const pageCount = Math.ceil(items.length / pageSize(items));
  return Array.from({ length: pageCount }, (_, i) =>
    items.slice(Math.floor((i * items.length) / pageCount), Math.floor(((i + 1) * items.length) / pageCount)),
  );
}
