// Owns: `increment`, a value of an update that is relative to the one stored.

import { PlasmaError } from "../error.ts";
import type { AnyColumn, Column } from "../schema/column.ts";
import type { Row, Value } from "../schema/value.ts";
import { columnNode } from "./column-node.ts";

// A brand, not instanceof: two copies of the package do meet.
const brand = Symbol.for("plasma-sync.increment");

/** What to add to a column; null stays null. Made by `increment`. */
export class Increment<D extends number | bigint> {
  /** Types only: never present at run time. */
  declare readonly _: D;
  readonly [brand] = true;
  readonly by: D;

  constructor(by: D) {
    this.by = by;
  }
}

/**
 * Adds `by` to the column's value, whatever it is when the mutator runs.
 *
 * @throws PlasmaError `query/value` for an amount of another kind than the column.
 * @example
 * db.update(posts).set({ likes: increment(posts.likes, 1) }).where(eq(posts.id, id));
 */
export function increment<D extends number | bigint>(
  column: Column<D, boolean, boolean, string>,
  by: NoInfer<D>,
): Increment<D> {
  checkIncrement(column, by);
  return new Increment(by);
}

/** Checks that `by` can be added to the column. Throws `query/value`. */
export function checkIncrement(column: AnyColumn, by: unknown): void {
  const { source, column: name, kind } = columnNode(column, "increment");
  const expected = kind === "bigint" ? "bigint" : "number";
  if (["int", "real", "timestamp", "bigint"].includes(kind) && typeof by === expected && !Number.isNaN(by)) return;
  throw new PlasmaError("query/value", {
    table: source,
    column: name,
    expected: `an increment by a ${expected}, and only where it holds one`,
    got: `a ${typeof by}`,
  });
}

export const isIncrement = (value: unknown): value is Increment<number | bigint> => value instanceof Increment;

/** The patch with the sums for this row in place of its increments. */
export function resolveIncrements(set: { readonly [column: string]: unknown }, row: Row): typeof set {
  if (!Object.values(set).some(isIncrement)) return set;
  return Object.fromEntries(
    Object.entries(set).map(([name, value]) => [name, isIncrement(value) ? sumOf(row[name] ?? null, value.by) : value]),
  );
}

const sumOf = (value: Value, by: number | bigint): Value =>
  value === null ? null : typeof by === "bigint" ? (value as bigint) + by : (value as number) + by;
