// Owns: `evaluate`, the meaning of a select: naive and obviously right. SQL and the incremental pipeline are held to it.

import { must } from "../lib/assert.ts";
import type { Row } from "../schema/value.ts";
import { aggregateValues } from "./aggregate-values.ts";
import { isGrouped, type JoinNode, type ResultRow, type SelectNode, type SourceNode } from "./ast.ts";
import { membership, compileExpr, slotScope, type ExprScope, type Slots } from "./predicate.ts";
import { compareBy, compareTo, shapeResult, sourcesOf } from "./result-shape.ts";
import { valuesKey } from "./values-key.ts";

type RowsOf = (table: string) => Iterable<Row>;
/** A group's tuples; one tuple where the query has no groups. */
type Group = readonly Slots[];

/** Where a query runs: the tables, and the sources and rows of the queries around it. */
interface Place {
  readonly rowsOf: RowsOf;
  readonly sources: readonly string[];
  readonly rows: Slots;
}

/** Runs a select over `rowsOf(table)`. */
export const evaluate = (query: SelectNode, rowsOf: RowsOf): ResultRow[] =>
  evaluateAt(query, { rowsOf, sources: [], rows: [] });

function evaluateAt(query: SelectNode, place: Place): ResultRow[] {
  const sources = [...place.sources, ...sourcesOf(query)];
  const scope = groupScope(sources);
  let groups = groupsOf(query, tuplesOf(query, sources, place), scope);
  if (query.having !== null) {
    const having = compileExpr(query.having, scope);
    groups = groups.filter((group) => having(group) === true);
  }
  if (query.distinct) groups = firstOfEach(groups, projectionKey(query, scope));
  groups.sort(compareBy(query.orderBy, scope));
  if (query.after !== null) {
    const compare = compareTo(query.orderBy, query.after, scope);
    groups = groups.filter((group) => compare(group) > 0);
  }
  const end = query.limit === null ? undefined : query.offset + query.limit;
  const shape = shapeResult<Group>(query, scope, (group, slot) => firstOf(group)[place.sources.length + slot] ?? null);
  return groups.slice(query.offset, end).map((group) => {
    const included = query.includes.map(({ key, query: include }) => {
      const rows = evaluateAt(include, { ...place, sources, rows: firstOf(group) });
      return [key, include.one ? (rows[0] ?? null) : rows];
    });
    return included.length === 0 ? shape(group) : { ...shape(group), ...Object.fromEntries(included) };
  });
}

/** The tuples for which `where` is true, each behind the rows of the queries around. */
function tuplesOf(query: SelectNode, sources: readonly string[], place: Place): Slots[] {
  let tuples: Slots[] = [...sourceRows(query.from, place)].map((row) => [...place.rows, row]);
  for (const join of query.joins) tuples = joined(tuples, join, { sources, place });
  if (query.where === null) return tuples;
  const where = compileExpr(query.where, {
    ...slotScope(sources),
    exists: (subquery) => (rows) => evaluateAt(subquery, { ...place, sources, rows }).length > 0,
    contains: (subquery) => (rows, value) => {
      const { key, column } = must(subquery.projection?.[0], "evaluate: the builder wants one term");
      const values = evaluateAt(subquery, { ...place, sources, rows }).map((row) => row[key] as Row[string]);
      return membership(values, column)(value);
    },
  });
  return tuples.filter((tuple) => where(tuple) === true);
}

function joined(
  tuples: readonly Slots[],
  join: JoinNode,
  { sources, place }: { readonly sources: readonly string[]; readonly place: Place },
): Slots[] {
  const on = compileExpr(join.on, slotScope(sources));
  const right = [...sourceRows(join.source, place)];
  const unmatched = new Set(right);
  const result = tuples.flatMap((tuple): Slots[] => {
    const matches = right.filter((row) => on([...tuple, row]) === true);
    for (const row of matches) unmatched.delete(row);
    if (matches.length === 0 && (join.kind === "left" || join.kind === "full")) return [[...tuple, null]];
    return matches.map((row) => [...tuple, row]);
  });
  if (join.kind === "inner" || join.kind === "left") return result;
  const slot = sources.lastIndexOf(join.source.name);
  const empty = sources.slice(place.rows.length, slot).map(() => null);
  return [...result, ...[...unmatched].map((row) => [...place.rows, ...empty, row])];
}

const sourceRows = ({ table, query }: SourceNode, { rowsOf }: Place): Iterable<Row> =>
  query === undefined ? rowsOf(table) : (evaluate(query, rowsOf) as Row[]).map((row) => ({ ...row }));

/** Without `groupBy` all tuples, even none, are one group. */
function groupsOf(query: SelectNode, tuples: readonly Slots[], scope: ExprScope<Group>): Group[] {
  if (!isGrouped(query)) return tuples.map((tuple) => [tuple]);
  if (query.groupBy.length === 0) return [tuples];
  const reads = query.groupBy.map(scope.read);
  return [...Map.groupBy(tuples, (tuple) => valuesKey(reads.map((read) => read([tuple])))).values()];
}

function groupScope(sources: readonly string[]): ExprScope<Group> {
  const slots = slotScope(sources);
  return {
    read: (term) => {
      if (term.type === "column") {
        const read = slots.read(term);
        return (group) => read(firstOf(group));
      }
      if (term.column === null) return (group) => group.length;
      const read = slots.read(term.column);
      const { fn, kind } = term.column === null ? term : { fn: term.fn, kind: term.column.kind };
      return (group) => aggregateValues(fn, kind, group.map(read));
    },
  };
}

function projectionKey(query: SelectNode, scope: ExprScope<Group>): (group: Group) => string {
  const reads = (query.projection ?? []).map(({ column }) => scope.read(column));
  return (group) => valuesKey(reads.map((read) => read(group)));
}

const firstOfEach = (groups: readonly Group[], keyOf: (group: Group) => string): Group[] => [
  ...new Map(groups.toReversed().map((group) => [keyOf(group), group])).values(),
];

const firstOf = (group: Group): Slots => group[0] ?? [];
