// Owns: the contract of a relation: the rows or joined tuples of one query before groups, order and limits, whole and as
// changes. It holds no state of its own: matches are looked up in the sources.
// Invariants:
//   1. During a commit all sources already hold the new rows; the state before comes from the batch, never from a source.
//   2. Changes are exact: what is removed was there, what is added was not.
//   3. `push` does O(log n + changed entries) work per changed row, apart from entries beyond `edge`.

import type { ColumnNode, Operand, ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { QueryPlan } from "./plan.ts";
import type { RowReader, State, Visit } from "./source.ts";

export interface EntryChange<E> {
  readonly before: E | null;
  readonly after: E | null;
}

/** One commit as relations see it. */
export interface Batch {
  /** Changed rows by table, at most one change per row. */
  readonly changes: ReadonlyMap<string, readonly EntryChange<Row>[]>;
  /** The table as it was before the commit. */
  before(table: string): RowReader;
}

/** Where a relation is read: rows of the queries around it, and a state of the tables. */
export interface Place {
  readonly outer: Slots;
  readonly state: State;
}

/** What relations need of those who make them. */
export interface Context {
  /** The tables as they are now. */
  readonly now: State;
  /** The result of a whole query at a place, groups and limits included. */
  readonly run: (plan: QueryPlan, place: Place) => readonly ResultRow[];
  /** Sees to it that states have a table of this name, which holds the result of the subquery. */
  readonly derive: (name: string, query: SelectNode) => void;
  readonly probe: (input: ProbeInput) => Probe;
}

/** Tuples that have one of `values` in `column`; all where it is null. */
export interface Affected {
  readonly column: ColumnNode | null;
  readonly values: ReadonlySet<Value>;
}

/** Whether a subquery has a row for a tuple of the query around it, and which tuples a commit may change that for. */
export interface Probe {
  /** `value` is that of the operand, where it has one. */
  test(rows: Slots, state: State, value?: Value): boolean;
  /** The whole result for a tuple. */
  rows(rows: Slots, state: State): readonly ResultRow[];
  /** The tuples for which a commit may have changed the answer; null when for none. */
  affected(batch: Batch): Affected | null;
}

export interface ProbeInput {
  readonly query: SelectNode;
  /** The left side of `inArray`, which the subquery sees as `operandColumn`; null for `exists`. */
  readonly operand: Operand | null;
  /** The plan of the query around. */
  readonly around: QueryPlan;
}

/** The source under which a subquery sees the left side of `inArray`: no table has this name. */
export const OPERAND = "\0";

export interface Relation<E> {
  /** Whether `pull` yields in the query's order, lazily; else it yields everything in any order. */
  readonly isOrdered: boolean;
  readonly compare: (a: E, b: E) => number;
  /** Equal for the same entry before and after a change, whatever its order. */
  keyOf(entry: E): string;
  /** The rows that an entry is made of, behind those of the queries around. */
  slotsOf(entry: E): Slots;
  /** Shows the entries at a place. With `from` (ordered only) those at its place or after it, and perhaps a few before. */
  pull(place: Place, from: E | null, visit: Visit<E>): void;
  /** Changes of the entries as far as they depend on nothing around; those beyond `edge` may be left out. */
  push(batch: Batch, edge: E | null): EntryChange<E>[];
  /** The entry in one place of the query around, or null where that place's conditions leave it out. */
  bind(entry: E, place: Place): E | null;
  /** The value of the entry's own side of `plan.link`. */
  linkValue(entry: E): Value;
}
