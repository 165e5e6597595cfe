// Owns: the contract of an operator: the entries of one query before its window (order, limit and offset), whole and as
// changes. An entry is a row (row-operator.ts) or a joined tuple with its result (tuple-operator.ts).
// Invariants:
//   1. The order is total: entries that compare equal are the same entry before and after a change that did not move it.
//   2. During a commit all sources already hold the new rows; the state before comes from the batch, never from a source.
//   3. `push` does O(log n + changed entries) work per changed row, apart from entries beyond `edge`.

import type { ResultRow } from "../../core/query/ast.ts";
import type { Row } from "../../core/schema/value.ts";
import type { RowReader } from "./source.ts";

/** A change of an entry. `before` alone may name an entry that was not there: removing it changes nothing. */
export interface EntryChange<E> {
  readonly before: E | null;
  readonly after: E | null;
}

/** One commit as operators see it. */
export interface Batch {
  /** Changed rows by table, at most one change per row. */
  readonly changes: ReadonlyMap<string, readonly EntryChange<Row>[]>;
  /** The table as it was before the commit. */
  before(table: string): RowReader;
}

export interface Operator<E> {
  /** Whether `pull` yields in the query's order, lazily; else it yields everything in any order. */
  readonly isOrdered: boolean;
  readonly compare: (a: E, b: E) => number;
  /** Equal for the same entry before and after a change, whatever its order. */
  keyOf(entry: E): string;
  /** The same object each time for the same entry. */
  resultOf(entry: E): ResultRow;
  /** The results of many entries; the array given may be the one returned. */
  resultsOf(entries: E[]): readonly ResultRow[];
  /** Whether both have equal results; then `after` takes over the result object of `before`. */
  keepResult(before: E, after: E): boolean;
  /** The entries now. With `from` (ordered only) those at its place or after it, and perhaps a few before. */
  pull(from: E | null): Iterable<E>;
  /** The net changes of entries under a commit; those beyond `edge` may be left out. */
  push(batch: Batch, edge: E | null): Iterable<EntryChange<E>>;
}
