// Owns: directories: where a table's rows and the keys of its indexes lie.

import type { Row, Value } from "../../core/schema/value.ts";
import { resultOf } from "./idb-requests.ts";
import type { PageRef } from "./sorted-pages.ts";

interface Emptied {
  /** The last commit that has left a page without anything: no page tells of it. Absent: none. */
  readonly emptiedAt?: number;
}

/** Where a table's rows lie. */
export interface RowDirectory extends Emptied {
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
export interface IndexDirectory extends Emptied {
  readonly table: string;
  /** At least one. */
  readonly columns: readonly string[];
  readonly refs: readonly PageRef<readonly Value[]>[];
}

export type Directory = RowDirectory | IndexDirectory;

/** As it is stored: columns of numbers and keys are read several times as fast as that many objects. */
interface Stored {
  readonly refs: readonly [firsts: readonly unknown[], counts: readonly number[], pages: readonly number[]];
}

/** A directory's name among all: the key of its record. */
export const directoryKey = (table: string, columns: readonly string[] = []): string[] => [table, columns.join()];

export async function readDirectory<D extends Directory = RowDirectory>(
  tx: IDBTransaction,
  table: string,
  columns: readonly string[] = [],
): Promise<D | undefined> {
  const key = directoryKey(table, columns);
  const stored = await resultOf<(Omit<D, "refs"> & Stored) | undefined>(tx.objectStore("directories").get(key));
  if (stored === undefined) return undefined;
  const [firsts, counts, pages] = stored.refs;
  return { ...stored, refs: firsts.map((first, i) => ({ first, count: counts[i], page: pages[i] })) } as unknown as D;
}

export function putDirectory(tx: IDBTransaction, directory: Directory): void {
  const { table, columns } = directory;
  const refs: readonly PageRef<unknown>[] = directory.refs;
  const stored: Stored = {
    ...directory,
    refs: [refs.map(({ first }) => first), refs.map(({ count }) => count), refs.map(({ page }) => page)],
  };
  tx.objectStore("directories").put(stored, directoryKey(table, columns));
}

export const emptyDirectory = (table: string): RowDirectory => ({
  table,
  columns: [],
  refs: [],
  last: "",
  indexedAs: "",
  unindexed: [],
});

export const idOf = (row: Row): string => row["id"] as string;
