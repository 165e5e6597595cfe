// Owns: how a table's rows lie in pages: their order, how many fit, the table's directory.

import * as limits from "../../core/limits.ts";
import { compareText } from "../../core/query/compare.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { ItemOrder, PageRef } from "./sorted-pages.ts";

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

/** Rows by id. */
export const rowOrder: ItemOrder<Row, string> = {
  keyOf: idOf,
  compare: compareText,
  pageSize(rows) {
    // A few tell enough of the others.
    const step = Math.max(1, Math.floor(rows.length / limits.storeSampleRows));
    let bytes = 0;
    let count = 0;
    for (let i = 0; i < rows.length; i += step, count++) bytes += sizeOf(rows[i]);
    const fitting = Math.floor((limits.storePageBytes * count) / Math.max(1, bytes));
    return Math.min(Math.max(fitting, 1), limits.storePageItemsMax);
  },
};

/** About the bytes of a value on disk. */
function sizeOf(value: Value | Row | undefined): number {
  if (typeof value === "string") return value.length + 4;
  if (typeof value !== "object" || value === null) return 9;
  if (value instanceof Uint8Array) return value.byteLength;
  let bytes = 8;
  for (const [key, part] of Object.entries(value as { readonly [key: string]: Value }))
    bytes += key.length + sizeOf(part);
  return bytes;
}
