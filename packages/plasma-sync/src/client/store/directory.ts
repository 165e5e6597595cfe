// Owns: directories: where a table's rows and the keys of its indexes lie.

import type { Row, Value } from "../../core/schema/value.ts";
import type { PageRef } from "./sorted-pages.ts";

/** Where a table's rows lie. */
export interface RowDirectory {
  readonly table: string;
  /** [] : that of the rows. */
  readonly columns: readonly [];
  readonly refs: readonly PageRef<string>[];
  /** No id on pages is greater. */
  readonly last: string;
  /** What the table's indexes were made of: another text makes them worthless. */
  readonly indexedAs: string;
  /** Pages whose rows are in no index yet. */
  readonly unindexed: readonly number[];
}

/** Where an index of a table lies. Keys are values of the columns, then the id. */
export interface IndexDirectory {
  readonly table: string;
  /** At least one. */
  readonly columns: readonly string[];
  readonly refs: readonly PageRef<readonly Value[]>[];
}

export type Directory = RowDirectory | IndexDirectory;

/** The key of a directory's record. */
export const directoryKey = (table: string, columns: readonly string[] = []): string[] => [table, columns.join()];

export const emptyDirectory = (table: string): RowDirectory => ({
  table,
  columns: [],
  refs: [],
  last: "",
  indexedAs: "",
  unindexed: [],
});

export const idOf = (row: Row): string => row["id"] as string;
