// Owns: what a caller may see and write, by the `auth` rules of tables, and a row's transitions between images.
// Invariants:
//   1. Rules fail closed: only `true` allows, so a rule that returns a promise by mistake shows and permits nothing.
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

/** A row's images since some version, in order, as logged: first the one before, null where it did not exist. */
export interface RowHistory {
  readonly table: string;
  readonly id: string;
  readonly images: readonly (string | null)[];
}

/** A rule that is wrongly async gives a promise, which is truthy. */
const isTrue = (answer: unknown): boolean => answer === true;

export function canRead(meta: TableMeta, ctx: unknown, row: Row): boolean {
  return meta.auth.read === undefined || isTrue(meta.auth.read(ctx, row));
}

/** Asks `auth.write` for the rows that an app's statement names. Throws `auth/denied`. */
export function createAuthorize(schema: AnySchema, ctx: unknown): NonNullable<StatementScope["authorize"]> {
  return (table, row, action) => {
    const { auth } = must(schema.tablesByName.get(table), "push: statements name tables of the schema");
    if (auth.write !== undefined && !isTrue(auth.write(ctx, row)))
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

/** What a caller must be told of a row; null for nothing. */
export function transitionOp(meta: TableMeta, ctx: unknown, { table, id, images }: RowHistory): PatchOp | null {
  const see = (image: string | null): Row | null => {
    if (image === null) return null;
    const row = parseImage(meta, image);
    return canRead(meta, ctx, row) ? row : null;
  };
  const now = see(images.at(-1) ?? null);
  if (now !== null) return putOp(meta, now);
  const wasSeen = images
    .slice(0, -1)
    .some((image) => (meta.auth.read === undefined ? image !== null : see(image) !== null));
  return wasSeen ? { op: "del", table, id } : null;
}
