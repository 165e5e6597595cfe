// Owns: what a caller may write, by the `auth.write` of tables, and a row's transitions between images that it may see.
// Invariants:
//   1. Rules fail closed: only `true` allows, so a rule that returns a promise by mistake permits nothing.
//   2. An op names a row that the caller sees now (put), or saw in some image since its cookie and no longer does (del).

import { PlasmaError } from "../../core/error.ts";
import { must } from "../../core/lib/assert.ts";
import type { StatementScope } from "../../core/mutation/statement.ts";
import type { PatchOp } from "../../core/protocol/pull.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { encodeRow } from "../../core/schema/wire-row.ts";
import { parseImage } from "../migration/log-image.ts";
import type { RowRule } from "./read-rules.ts";

/** A row's images since some version, in order: first the one before, null where it did not exist. Each is parsed once. */
export class RowHistory {
  readonly table: string;
  readonly id: string;
  readonly #images: (string | null)[];
  readonly #rows: (Row | null | undefined)[] = [];
  #put: PatchOp | null = null;

  constructor({ table, id, before }: { readonly table: string; readonly id: string; readonly before: string | null }) {
    this.table = table;
    this.id = id;
    this.#images = [before];
  }

  /** The row's next image. */
  add(image: string | null): void {
    this.#images.push(image);
  }

  get length(): number {
    return this.#images.length;
  }

  /** The row at the `index`th image, from the end when negative; `meta` is always the table's own. */
  rowAt(index: number, meta: TableMeta): Row | null {
    const at = index < 0 ? this.#images.length + index : index;
    let row = this.#rows[at];
    if (row === undefined) {
      const image = this.#images[at] ?? null;
      this.#rows[at] = row = image === null ? null : parseImage(meta, image);
    }
    return row;
  }

  /** The op that puts the row as it is last. */
  put(meta: TableMeta, row: Row): PatchOp {
    return (this.#put ??= putOp(meta, row));
  }
}

/** Asks `auth.write` for the rows that an app's statement names. Throws `auth/denied`. */
export function createAuthorize(schema: AnySchema, ctx: unknown): NonNullable<StatementScope["authorize"]> {
  return (table, row, action) => {
    const { auth } = must(schema.tablesByName.get(table), "push: statements name tables of the schema");
    // A rule that is wrongly async gives a promise, which is truthy.
    if (auth.write !== undefined && (auth.write(ctx, row) as unknown) !== true)
      throw new PlasmaError("auth/denied", { table, action });
  };
}

/** Puts the row. */
export const putOp = (meta: TableMeta, row: Row): PatchOp => ({
  op: "put",
  table: meta.name,
  id: row["id"] as string,
  value: encodeRow(meta, row),
});

/** What a caller must be told of a row that a rule decides alone; null for nothing. */
export function transitionOp(meta: TableMeta, rule: RowRule, history: RowHistory): PatchOp | null {
  const isSeen = (row: Row | null) => row !== null && rule.sees(row);
  const now = history.rowAt(-1, meta);
  if (now !== null && rule.sees(now)) return history.put(meta, now);
  for (let i = 0; i < history.length - 1; i++)
    if (isSeen(history.rowAt(i, meta))) return { op: "del", table: history.table, id: history.id };
  return null;
}
