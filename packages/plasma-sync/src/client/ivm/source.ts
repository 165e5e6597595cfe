// Owns: the contract of a source: one table's rows as queries see them (base + pending mutations), with ordered indexes.
// Invariants:
//   1. A source changes only in `QueryRuntime.commit` and `fill`, all tables of a commit before any pipeline runs.
//   2. Indexes are built when first asked for and kept; each costs O(log n) per change, and nothing copies the table.
//   3. `work` counts every row or index entry touched: tests bound it.

import type { Row, Value } from "../../core/schema/value.ts";

/** One row's change of visible value. Never both null, never equal. */
export interface RowChange {
  readonly table: string;
  readonly id: string;
  readonly before: Row | null;
  readonly after: Row | null;
}

export interface IndexColumn {
  readonly column: string;
  readonly direction: "asc" | "desc";
}

/** Which index: columns that end with the id (which makes the order total), and a key that equal ones share. */
export interface IndexSpec {
  readonly key: string;
  readonly columns: readonly IndexColumn[];
}

export interface OrderedIndex {
  /**
   * The rows whose first columns equal `prefix` (all when it is empty), in order; with `from`, only those at its place
   * or after it. `from` has the prefix too, and need not be in the index. Lazy: asking for ten touches ten.
   */
  rows(prefix: readonly Value[], from?: Row): Iterable<Row>;
}

/** One state of a table: now (a source) or as an overlay changes it. */
export interface RowReader {
  get(id: string): Row | undefined;
  rows(): Iterable<Row>;
  /** Built on first use of its rows. */
  index(spec: IndexSpec): OrderedIndex;
}

export interface TableSource extends RowReader {
  readonly table: string;
  readonly size: number;
}

/** Rows and index entries touched. */
export interface Work {
  rows: number;
}
