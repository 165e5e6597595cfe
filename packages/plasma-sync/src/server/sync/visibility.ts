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

/** A row's images since some version, in order, as logged: first the one before, null where it did not exist. */
export interface RowHistory {
  readonly table: string;
  readonly id: string;
  readonly images: readonly (string | null)[];
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
export function transitionOp(meta: TableMeta, rule: RowRule, { table, id, images }: RowHistory): PatchOp | null {
  const see = (image: string | null): Row | null => {
    if (image === null) return null;
    const row = parseImage(meta, image);
    return rule.sees(row) ? row : null;
  };
  const now = see(images.at(-1) ?? null);
  if (now !== null) return putOp(meta, now);
  return images.slice(0, -1).some((image) => see(image) !== null) ? { op: "del", table, id } : null;
}
