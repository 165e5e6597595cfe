// Owns: the contract of a source: one table's rows as queries see them (base + pending mutations), with ordered indexes.
// A subquery's result is a table too, whose rows have their key under KEY in place of an id.
// Invariants:
//   1. A source changes only in `QueryRuntime.commit` and `fill`, all tables of a commit before any pipeline runs. In a cold
//      table a fill adds rows that pipelines do not read yet.
//   2. Indexes are built when first asked for and kept; each costs O(log n) per change, and nothing copies the table.
//   3. `work` counts every row or index entry touched: tests bound it.

import type { TableMeta } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";

/** One row's change of visible value. Never equal; both null only where a cold table did not know that there is none. */
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

/** Which index: columns that end with the key (which makes the order total), and a text that equal ones share. */
export interface IndexSpec {
  readonly key: string;
  readonly columns: readonly IndexColumn[];
}

/** Takes one of a series; returns whether to go on. A call per item, because an iterator costs several times as much. */
export type Visit<T> = (item: T) => boolean;

export interface OrderedIndex {
  /**
   * Shows the rows whose first columns equal `prefix` (all when it is empty), in order; with `from`, values of the columns
   * behind the prefix, only those at that place or after it. Lazy: to stop after ten touches ten.
   */
  visit(prefix: readonly Value[], from: readonly Value[], visit: Visit<Row>): void;
}

/** One state of a table: now (a source) or as an overlay changes it. */
export interface RowReader {
  get(id: string): Row | undefined;
  rows(): Iterable<Row>;
  /** Built on first use of its rows. */
  index(spec: IndexSpec): OrderedIndex;
}

/** One state of all tables. */
export type State = (table: string) => RowReader;

export interface TableSource extends RowReader {
  readonly table: string;
  /** Rows that are here. */
  readonly size: number;
  /** Whether rows may lie on disk that are not here. */
  readonly isCold: boolean;
  /** Whether the row is here, or there is none of that id. */
  knows(id: string): boolean;
}

/** Rows that a transaction sees instead of a source's: by table, by id; null hides the row. */
export type Overlay = ReadonlyMap<string, ReadonlyMap<string, Row | null>>;

/** Rows and index entries touched. */
export interface Work {
  rows: number;
}

/** Where rows of a subquery's result have their key: no column has this name. */
export const KEY = "";

/** The column that tells a table's rows apart. */
export const keyColumnOf = (meta: TableMeta): string => (meta.isDerived ? KEY : "id");
