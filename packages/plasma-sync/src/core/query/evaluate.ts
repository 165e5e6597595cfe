// Owns: `evaluate`, the meaning of a select: naive and obviously right. SQL and the incremental pipeline are held to it.

import { must } from "../lib/assert.ts";
import { compareFamily, type Row, type Value } from "../schema/value.ts";
import type { OrderNode, ResultRow, SelectNode } from "./ast.ts";
import { compareValues } from "./compare.ts";
import { compileExpr, type Slots } from "./predicate.ts";

/** Runs a select over `rowsOf(table)`. */
export function evaluate(query: SelectNode, rowsOf: (table: string) => Iterable<Row>): ResultRow[] {
  const sources = sourcesOf(query);
  let tuples: Slots[] = [...rowsOf(query.from.table)].map((row) => [row]);
  for (const join of query.joins) {
    const on = compileExpr(join.on, sources);
    const right = [...rowsOf(join.source.table)];
    tuples = tuples.flatMap((tuple): Slots[] => {
      const matches = right.map((row) => [...tuple, row]).filter((joined) => on(joined) === true);
      return matches.length === 0 && join.kind === "left" ? [[...tuple, null]] : matches;
    });
  }
  if (query.where !== null) {
    const where = compileExpr(query.where, sources);
    tuples = tuples.filter((tuple) => where(tuple) === true);
  }
  tuples.sort(compareTuples(query.orderBy, sources));
  const end = query.limit === null ? undefined : query.offset + query.limit;
  return tuples.slice(query.offset, end).map(shapeResult(query));
}

/** Names of the query's sources in slot order. */
export const sourcesOf = (query: SelectNode): readonly string[] => [
  query.from.name,
  ...query.joins.map((join) => join.source.name),
];

/** The query's order as a comparison of tuples. */
export function compareTuples(
  orderBy: readonly OrderNode[],
  sources: readonly string[],
): (a: Slots, b: Slots) => number {
  const keys = orderBy.map(({ column, direction }) => ({
    slot: sources.indexOf(column.source),
    column: column.column,
    family: must(compareFamily(column.kind), "evaluate: the builder refuses orders by kinds without order"),
    sign: direction === "asc" ? 1 : -1,
  }));
  return (a, b) => {
    for (const { slot, column, family, sign } of keys) {
      const order = compareValues(family, a[slot]?.[column] ?? null, b[slot]?.[column] ?? null);
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

/** Makes the function that turns a tuple into a result row (see SelectNode). */
export function shapeResult(query: SelectNode): (tuple: Slots) => ResultRow {
  const sources = sourcesOf(query);
  const { projection, joins } = query;
  if (projection === null && joins.length === 0) {
    return (tuple) => must(tuple[0], "evaluate: the first source always has a row");
  }
  // Assigned in a loop, because this runs once per result row.
  if (projection === null) {
    return (tuple) => {
      const result: { [source: string]: Row | null } = {};
      for (let slot = 0; slot < sources.length; slot++) result[sources[slot] as string] = tuple[slot] ?? null;
      return result;
    };
  }
  const fields = projection.map(({ key, column }) => ({
    key,
    slot: sources.indexOf(column.source),
    name: column.column,
  }));
  return (tuple) => {
    const result: { [key: string]: Value } = {};
    for (const { key, slot, name } of fields) result[key] = tuple[slot]?.[name] ?? null;
    return result;
  };
}
