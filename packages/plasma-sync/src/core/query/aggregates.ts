// Owns: Aggregate and the functions that apps make aggregates with: projected, ordered by, tested in `having`.

import { PlasmaError } from "../error.ts";
import type { AnyColumn, Column } from "../schema/column.ts";
import { compareFamily, type ColumnKind } from "../schema/value.ts";
import type { AggregateFunction, AggregateNode } from "./ast.ts";
import { columnNode, isUnresolved } from "./column-node.ts";

/** A value computed of a group's rows; made by `count`, `sum` and so on. */
export class Aggregate<TData, TNotNull extends boolean = boolean> {
  /** Types only: never present at run time. */
  declare readonly _: { readonly data: TData; readonly notNull: TNotNull };
  readonly node: AggregateNode;

  constructor(node: AggregateNode) {
    this.node = node;
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- any aggregate whatsoever, as a constraint
export type AnyAggregate = Aggregate<any>;

/** Whether `value` is an aggregate, of this copy of the package or another. */
export const isAggregate = (value: unknown): value is AnyAggregate =>
  (value as Partial<AnyAggregate> | null | undefined)?.node?.type === "aggregate";

/** How many rows; of a column, how many whose value is not null. 0 for none. */
export const count = (column?: AnyColumn): Aggregate<number, true> =>
  new Aggregate({
    type: "aggregate",
    fn: "count",
    column: column === undefined ? null : columnNode(column, "count"),
    kind: "int",
  });
/** How many different values, nulls aside. */
export const countDistinct = (column: AnyColumn): Aggregate<number, true> => aggregate("countDistinct", column);
/**
 * The sum of the values that are not null; null for none. A bigint column gives a bigint. Exact while the sum of absolute
 * values stays below 2^53 (bigint: 2^63).
 */
export const sum = <D extends number | bigint>(column: Column<D, boolean, boolean, string>): Aggregate<D, false> =>
  aggregate("sum", column);
/** The mean of the values that are not null, as a number; null for none. */
export const avg = (column: Column<number, boolean> | Column<bigint, boolean>): Aggregate<number, false> =>
  aggregate("avg", column);
/** The smallest value that is not null; null for none. */
export const min = <D>(column: Column<D, boolean, boolean, string>): Aggregate<D, false> => aggregate("min", column);
/** The largest value that is not null; null for none. */
export const max = <D>(column: Column<D, boolean, boolean, string>): Aggregate<D, false> => aggregate("max", column);

/** Checks that a function takes a kind. Throws `query/kinds`. */
export function checkAggregate({ fn, column }: AggregateNode): void {
  if (column === null || fn === "count" || isUnresolved(column)) return;
  const family = compareFamily(column.kind);
  const fits = fn === "sum" || fn === "avg" ? family === "number" || family === "bigint" : family !== null;
  if (!fits)
    throw new PlasmaError("query/kinds", {
      left: `"${column.source}.${column.column}" (${column.kind})`,
      right: fn === "sum" || fn === "avg" ? "numbers" : "anything",
      op: fn,
    });
}

/** The kind of the result of `fn` over a column of `kind`. */
export function aggregateKind(fn: AggregateFunction, kind: ColumnKind): ColumnKind {
  if (fn === "count" || fn === "countDistinct") return "int";
  // A sum of timestamps is no time.
  if (fn === "sum") return kind === "timestamp" ? "int" : kind;
  return fn === "avg" ? "real" : kind;
}

function aggregate<D, N extends boolean>(fn: AggregateFunction, column: AnyColumn): Aggregate<D, N> {
  const of = columnNode(column, fn);
  const node: AggregateNode = { type: "aggregate", fn, column: of, kind: aggregateKind(fn, of.kind) };
  checkAggregate(node);
  return new Aggregate(node);
}
