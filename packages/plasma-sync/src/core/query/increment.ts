// Owns: `increment`, a value of an update that is relative to the one stored.

import { PlasmaError } from "../error.ts";
import { expectation } from "../schema/check-value.ts";
import type { AnyColumn, Column } from "../schema/column.ts";
import type { Row, Value } from "../schema/value.ts";
import { describe } from "./check-query.ts";
import { columnNode } from "./column-node.ts";

// A brand, not instanceof: two copies of the package do meet.
const brand = Symbol.for("plasma-sync.increment");

/** What to add to a column; null stays null. Made by `increment`. */
export class Increment<D extends number | bigint> {
  /** Types only: never present at run time. */
  declare readonly _: D;
  readonly [brand] = true;
  readonly by: D;
  /** The column's table and name. */
  readonly of: string;

  constructor(by: D, of: string) {
    this.by = by;
    this.of = of;
  }
}

/**
 * Adds `by` to the column's value, whatever it is when the mutator runs.
 *
 * @throws PlasmaError `query/value` for an amount that the column cannot hold.
 * @example
 * db.update(posts).set({ likes: increment(posts.likes, 1) }).where(eq(posts.id, id));
 */
export function increment<D extends number | bigint>(
  column: Column<D, boolean, boolean, string>,
  by: NoInfer<D>,
): Increment<D> {
  const { kind } = columnNode(column, "increment");
  const isNumeric = ["int", "real", "timestamp", "bigint"].includes(kind);
  const expected = isNumeric ? expectation(column.def, by) : "no increment: it holds no number";
  if (expected !== null) throw misfit(column, expected, describe(by));
  return new Increment(by, nameOf(column));
}

/** Checks that an increment is set on the column that it was made of. Throws `query/value`. */
export function checkIncrement(column: AnyColumn, { of }: Increment<number | bigint>): void {
  if (of !== nameOf(column)) throw misfit(column, "an increment of itself", `an increment of "${of}"`);
}

const nameOf = ({ def }: AnyColumn): string => `${def.table}.${def.name}`;

const misfit = ({ def }: AnyColumn, expected: string, got: string): PlasmaError =>
  new PlasmaError("query/value", { table: def.table, column: def.name, expected, got });

export const isIncrement = (value: unknown): value is Increment<number | bigint> =>
  (value as { readonly [brand]?: true } | null | undefined)?.[brand] === true;

/** The patch with the sums for this row in place of its increments. */
export function resolveIncrements(set: { readonly [column: string]: unknown }, row: Row): typeof set {
  if (!Object.values(set).some(isIncrement)) return set;
  return Object.fromEntries(
    Object.entries(set).map(([name, value]) => [name, isIncrement(value) ? sumOf(row[name] ?? null, value.by) : value]),
  );
}

const sumOf = (value: Value, by: number | bigint): Value =>
  value === null ? null : typeof by === "bigint" ? (value as bigint) + by : (value as number) + by;
