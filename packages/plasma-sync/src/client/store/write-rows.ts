// Owns: writeRows, what a commit writes of its rows into the journal.
// Invariants:
//   1. A commit costs the same however much is there.

import * as limits from "../../core/limits.ts";
import { compareText } from "../../core/query/compare.ts";
import type { BulkRows } from "./bulk-rows.ts";
import { noRows, type RowsMeta } from "./layout.ts";
import type { BaseChange } from "./store.ts";

/** The stores that `writeRows` uses. */
export const ROW_STORES = ["journal", "pages", "directories"];

/** What the meta of a commit says: which it is, and of rows. */
export interface CommitPlace {
  readonly seq: number;
  readonly rows?: RowsMeta;
}

export interface RowsWritten {
  readonly changes: readonly BaseChange[];
  /** What `loadBulk` gave. */
  readonly bulk: BulkRows | null;
}

/** What puts many rows into pages; null where its code cannot be had: then they go into the journal. */
export const loadBulk = (): Promise<BulkRows | null> =>
  import("./bulk-rows.ts").then(
    ({ bulkRows }) => bulkRows,
    () => null,
  );

/** Writes a commit's changes of rows; resolves to what is to be said of them in the meta that the same transaction writes. */
export async function writeRows(
  tx: IDBTransaction,
  { seq, rows = noRows }: CommitPlace,
  { changes, bulk }: RowsWritten,
): Promise<RowsMeta> {
  const [meta, rest] = bulk === null || rows.isLegacy ? [rows, changes] : await bulk(tx, { seq, rows }, changes);
  if (rest.length === 0) return meta;
  const store = tx.objectStore("journal");
  const step = limits.storeJournalRecordRows;
  for (let i = 0; i < rest.length; i += step) store.put(rest.slice(i, i + step), [seq, i]);
  const lastIDs: Record<string, string> = { ...meta.lastIDs };
  for (const { table, id } of rest)
    if (lastIDs[table] === undefined || compareText(lastIDs[table], id) < 0) lastIDs[table] = id;
  return { ...meta, lastIDs, journalled: meta.journalled + rest.length };
}
