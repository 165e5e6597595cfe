// Owns: what the entries of a query's window are (rows, tuples or groups), and how each becomes a result row.
// Invariants:
//   1. The same entry gives the same result object each time; an entry that shows the same as the one it replaces keeps its.

import { must } from "../../core/lib/assert.ts";
import { sameValue } from "../../core/lib/deep-equal.ts";
import type { ResultRow } from "../../core/query/ast.ts";
import { slotScope, type ExprScope, type Slots } from "../../core/query/predicate.ts";
import { compareBy, compareTo, shapeResult, sourcesOf } from "../../core/query/result-shape.ts";
import type { Row } from "../../core/schema/value.ts";
import { shownRow } from "./derived-rows.ts";
import type { GroupEntry } from "./groups.ts";
import type { QueryPlan } from "./plan.ts";
import type { Relation } from "./relation.ts";
import type { TupleEntry } from "./tuple-relation.ts";

/** Gives an entry its nested results; see include-families.ts. */
export type Nest = (entry: TupleEntry, result: ResultRow) => ResultRow;

export interface ShownEntries<E> {
  readonly compare: (a: E, b: E) => number;
  readonly keyOf: (entry: E) => string;
  readonly resultOf: (entry: E) => ResultRow;
  /** Whether both have equal results; then `after` takes over the result object of `before`. */
  readonly keepResult: (before: E, after: E) => boolean;
  /** Whether the entry comes after the query's cursor; null where there is none. */
  readonly isAfter: ((entry: E) => boolean) | null;
}

/** Entries of a plan of whole rows. */
export function rowEntries({ query }: QueryPlan, relation: Relation<Row>): ShownEntries<Row> {
  const place = query.after === null ? null : compareTo(query.orderBy, query.after, slotScope([query.from.name]));
  return {
    compare: relation.compare,
    keyOf: (row) => row["id"] as string,
    resultOf: (row) => row,
    keepResult: (before, after) => before === after,
    isAfter: place === null ? null : (row) => place([row]) > 0,
  };
}

/** Entries of a plan of tuples. */
export function tupleEntries(
  { query, names, outer, sources }: QueryPlan,
  relation: Relation<TupleEntry>,
  nest: Nest | null,
): ShownEntries<TupleEntry> {
  const base = outer.length;
  const slots = slotScope(names);
  const shown = sourcesOf(query).map((name) => {
    const slot = sources.findIndex((source) => source.name === name);
    return { at: base + slot, isDerived: sources[slot]?.query !== null };
  });
  const rowAt = (rows: Slots, slot: number): Row | null => {
    const { at, isDerived } = must(shown[slot], "entries: one slot per source");
    const row = rows[at] ?? null;
    return isDerived ? shownRow(row) : row;
  };
  const shape = shapeResult<Slots>(query, slots, rowAt);
  const place = query.after === null ? null : compareTo(query.orderBy, query.after, slots);
  const resultOf = (entry: TupleEntry): ResultRow => {
    if (entry.result !== null) return entry.result;
    const result = shape(entry.rows);
    return (entry.result = nest === null ? result : nest(entry, result));
  };
  // Rows of tables are equal where they are the same object; other values by content.
  const hasRows = query.projection === null && query.joins.length > 0 && !shown.some(({ isDerived }) => isDerived);
  const isSame = hasRows ? (a: unknown, b: unknown) => a === b : sameValue;
  const nested = new Set(query.includes.map(({ key }) => key));
  return {
    compare: relation.compare,
    keyOf: ({ key }) => key,
    resultOf,
    keepResult: (before, after) => {
      const [old, own] = [resultOf(before), resultOf(after)];
      if (old === own) return true;
      const keys = Object.keys(own);
      if (!keys.every((key) => (nested.has(key) ? sameValue(own[key], old[key]) : isSame(own[key], old[key]))))
        return false;
      after.result = old;
      return true;
    },
    isAfter: place === null ? null : ({ rows }) => place(rows) > 0,
  };
}

/** Entries of a plan of groups or of different rows. */
export function groupEntries(
  { query }: QueryPlan,
  scope: Pick<ExprScope<GroupEntry>, "read">,
): ShownEntries<GroupEntry> {
  const compareTerms = compareBy(query.orderBy, scope);
  const shape = shapeResult<GroupEntry>(query, scope, () => null);
  const place = query.after === null ? null : compareTo(query.orderBy, query.after, scope);
  const resultOf = (entry: GroupEntry): ResultRow => (entry.result ??= shape(entry));
  return {
    // Groups that show the same are told apart by their keys.
    compare: (a, b) => (a === b ? 0 : compareTerms(a, b) || (a.key === b.key ? 0 : a.key < b.key ? -1 : 1)),
    keyOf: ({ key }) => key,
    resultOf,
    keepResult: (before, after) => {
      const [old, own] = [resultOf(before), resultOf(after)];
      if (old === own) return true;
      if (!Object.keys(own).every((key) => sameValue(own[key], old[key]))) return false;
      after.result = old;
      return true;
    },
    isAfter: place === null ? null : (entry) => place(entry) > 0,
  };
}
