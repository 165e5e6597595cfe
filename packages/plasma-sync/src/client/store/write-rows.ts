// Owns: writeRows, what a commit writes of its rows: the journal, or pages at once where many rows come in behind all others, as
// in a first sync.
// Invariants:
//   1. What goes to pages at once has greater ids than all of the table that is on disk: the journal holds none of them, so it
//      cannot hide them, and no page changes.
//   2. A commit costs the same however much is there.

import * as limits from "../../core/limits.ts";
import { compareText } from "../../core/query/compare.ts";
import type { Row } from "../../core/schema/value.ts";
import { resultOf } from "./idb-requests.ts";
import { noRows, type RowsMeta } from "./layout.ts";
import { directoryKey, emptyDirectory, idOf, rowOrder, type RowDirectory } from "./row-pages.ts";
import { pack, type Page, type PageRef } from "./sorted-pages.ts";
import type { BaseChange } from "./store.ts";

/** The stores that `writeRows` uses. */
export const ROW_STORES = ["journal", "pages", "directories"];

/** Writes a commit's changes of rows; resolves to what is to be said of them in the meta that the same transaction writes. */
export async function writeRows(
  tx: IDBTransaction,
  { seq, rows = noRows }: { readonly seq: number; readonly rows?: RowsMeta },
  changes: readonly BaseChange[],
): Promise<RowsMeta> {
  if (changes.length < limits.storeBulkRowsMin || rows.isLegacy) return journal(tx, { seq, rows }, changes);
  const [meta, rest] = await bulk(tx, { seq, rows }, changes);
  return journal(tx, { seq, rows: meta }, rest);
}

interface Place {
  /** The commit's. */
  readonly seq: number;
  readonly rows: RowsMeta;
}

function journal(tx: IDBTransaction, { seq, rows }: Place, changes: readonly BaseChange[]): RowsMeta {
  if (changes.length === 0) return rows;
  const store = tx.objectStore("journal");
  const step = limits.storeJournalRecordRows;
  for (let i = 0; i < changes.length; i += step) store.put(changes.slice(i, i + step), [seq, i]);
  const lastIDs: Record<string, string> = { ...rows.lastIDs };
  for (const { table, id } of changes)
    if (lastIDs[table] === undefined || compareText(lastIDs[table], id) < 0) lastIDs[table] = id;
  return { ...rows, lastIDs, journalled: rows.journalled + changes.length };
}

/** Writes what can go to pages; gives the meta after that, and the other changes. */
async function bulk(
  tx: IDBTransaction,
  { seq, rows }: Place,
  changes: readonly BaseChange[],
): Promise<[RowsMeta, BaseChange[]]> {
  const rest: BaseChange[] = [];
  let meta = rows;
  for (const [table, byID] of netOf(changes)) {
    const all = [...byID.values()];
    if (all.length < limits.storeBulkRowsMin) {
      rest.push(...all);
      continue;
    }
    const directory = (await readDirectory(tx, table)) ?? emptyDirectory(table);
    const ends = [rows.lastIDs[table], directory.refs.length > 0 ? directory.last : undefined];
    const isBehind = ({ id, row }: BaseChange): boolean =>
      row !== null && ends.every((end) => end === undefined || compareText(end, id) < 0);
    const added = all.filter(isBehind).map(({ row }) => row as Row);
    if (added.length < limits.storeBulkRowsMin) {
      rest.push(...all);
      continue;
    }
    rest.push(...all.filter((change) => !isBehind(change)));
    meta = addPages(tx, { seq, rows: meta }, { directory, added: sorted(added) });
  }
  return [meta, rest];
}

const readDirectory = (tx: IDBTransaction, table: string) =>
  resultOf<RowDirectory | undefined>(tx.objectStore("directories").get(directoryKey(table)));

function addPages(
  tx: IDBTransaction,
  { seq, rows }: Place,
  { directory, added }: { readonly directory: RowDirectory; readonly added: readonly Row[] },
): RowsMeta {
  const pages = tx.objectStore("pages");
  const refs: PageRef<string>[] = pack(added, rowOrder).map((items, i) => {
    const page = rows.nextPage + i;
    pages.put({ seq, items } satisfies Page<Row>, page);
    return { first: idOf(items[0] as Row), count: items.length, page };
  });
  const next: RowDirectory = {
    ...directory,
    refs: [...directory.refs, ...refs],
    last: idOf(added.at(-1) as Row),
    unindexed: [...directory.unindexed, ...refs.map(({ page }) => page)],
  };
  tx.objectStore("directories").put(next, directoryKey(directory.table));
  return { ...rows, nextPage: rows.nextPage + refs.length, unindexed: rows.unindexed + refs.length };
}

/** The last change of each id, by table. */
function netOf(changes: readonly BaseChange[]): Map<string, Map<string, BaseChange>> {
  const net = new Map<string, Map<string, BaseChange>>();
  for (const change of changes) {
    const byID = net.get(change.table) ?? new Map<string, BaseChange>();
    net.set(change.table, byID.set(change.id, change));
  }
  return net;
}

/** By id. They mostly are already. */
function sorted(rows: Row[]): Row[] {
  const isUnsorted = rows.some((row, i) => i > 0 && compareText(idOf(rows[i - 1] as Row), idOf(row)) > 0);
  return isUnsorted ? rows.sort((a, b) => compareText(idOf(a), idOf(b))) : rows;
}
