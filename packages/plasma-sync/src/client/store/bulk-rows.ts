// Owns: bulkRows: rows of a commit that come in behind all others of their table, as in a first sync, put into pages at once.
// Invariants:
//   1. What goes to pages at once has greater ids than all of the table that is on disk: the journal holds none of them, so it
//      cannot hide them, and no page changes.

import * as limits from "../../core/limits.ts";
import { compareText } from "../../core/query/compare.ts";
import type { Row } from "../../core/schema/value.ts";
import type { RowsMeta } from "./layout.ts";
import { emptyDirectory, idOf, putDirectory, readDirectory, type RowDirectory } from "./directory.ts";
import { pack, rowOrder } from "./row-pages.ts";
import type { Page, PageRef } from "./sorted-pages.ts";
import type { BaseChange } from "./store.ts";

interface Place {
  /** The commit's. */
  readonly seq: number;
  readonly rows: RowsMeta;
}

export type BulkRows = (
  tx: IDBTransaction,
  place: Place,
  changes: readonly BaseChange[],
) => Promise<readonly [RowsMeta, readonly BaseChange[]]>;

/** Writes what can go to pages; gives the meta after that, and the other changes. */
export const bulkRows: BulkRows = async (tx, { seq, rows }, changes) => {
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
};

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
  putDirectory(tx, next);
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
