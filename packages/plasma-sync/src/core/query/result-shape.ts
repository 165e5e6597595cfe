// Owns: what every executor does with the rows it has found: their order, and the results that they are shown as.

import { must } from "../lib/assert.ts";
import { compareFamily, type Row, type Value } from "../schema/value.ts";
import type { OrderNode, ResultRow, SelectNode } from "./ast.ts";
import { compareValues } from "./compare.ts";
import type { ExprScope } from "./predicate.ts";

type Reads<T> = Pick<ExprScope<T>, "read">;

/** Names of the query's sources in slot order. */
export const sourcesOf = (query: SelectNode): readonly string[] => [
  query.from.name,
  ...query.joins.map((join) => join.source.name),
];

const keysOf = <T>(orderBy: readonly OrderNode[], scope: Reads<T>) =>
  orderBy.map(({ column, direction }) => ({
    read: scope.read(column),
    family: must(compareFamily(column.kind), "result shape: the builder refuses orders by kinds without order"),
    sign: direction === "asc" ? 1 : -1,
  }));

/** The query's order as a comparison. */
export function compareBy<T>(orderBy: readonly OrderNode[], scope: Reads<T>): (a: T, b: T) => number {
  const keys = keysOf(orderBy, scope);
  return (a, b) => {
    for (const { read, family, sign } of keys) {
      const order = compareValues(family, read(a), read(b));
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

/** Places a tuple or group relative to one with these values of `orderBy`. */
export function compareTo<T>(
  orderBy: readonly OrderNode[],
  values: readonly Value[],
  scope: Reads<T>,
): (item: T) => number {
  const keys = keysOf(orderBy, scope);
  return (item) => {
    for (const [i, { read, family, sign }] of keys.entries()) {
      const order = compareValues(family, read(item), values[i] ?? null);
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

/** Makes the function that turns a tuple or group into a result row, includes aside (see SelectNode). */
export function shapeResult<T>(
  query: SelectNode,
  scope: Reads<T>,
  rowAt: (item: T, slot: number) => Row | null,
): (item: T) => ResultRow {
  const sources = sourcesOf(query);
  const { projection, joins } = query;
  if (projection === null && joins.length === 0)
    return (item) => must(rowAt(item, 0), "result shape: a source that is not joined has a row");
  // Assigned in a loop, because this runs once per result row.
  if (projection === null) {
    return (item) => {
      const result: { [source: string]: Row | null } = {};
      for (let slot = 0; slot < sources.length; slot++) result[sources[slot] as string] = rowAt(item, slot);
      return result;
    };
  }
  const fields = projection.map(({ key, column }) => ({ key, read: scope.read(column) }));
  return (item) => {
    const result: { [key: string]: Value } = {};
    for (const { key, read } of fields) result[key] = read(item);
    return result;
  };
}
