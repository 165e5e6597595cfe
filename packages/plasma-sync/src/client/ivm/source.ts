// Owns: the contract of a source: one table's rows as queries see them (base + pending mutations), with ordered indexes.
// Invariants:
//   1. A source changes only in `QueryRuntime.commit`, all tables of a commit before any pipeline runs.
//   2. Indexes are built when first asked for and kept; each costs O(log n) per change, and nothing copies the table.
//   3. `work` counts every row or index entry touched: tests bound it.

import type { Row } from "../../core/schema/value.ts";

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

export interface OrderedIndex {
  /** Rows in order. From the first row at or after `from` (a prefix of the index's columns), or the start. */
  scan(from?: readonly unknown[]): Iterable<Row>;
  /** Rows whose first columns equal `prefix`, in order. */
  lookup(prefix: readonly unknown[]): Iterable<Row>;
}

export interface TableSource {
  readonly table: string;
  readonly size: number;
  get(id: string): Row | undefined;
  rows(): Iterable<Row>;
  /** The index over these columns (id appended to make it total), built on first use. */
  index(columns: readonly IndexColumn[]): OrderedIndex;
}
