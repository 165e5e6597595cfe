// Owns: how the indexes of a table on disk are made and kept: by folds only, so that no commit pays for them.
// Invariants:
//   1. A key that the journal or a page makes is in the index before the journal is emptied, or the page counts as indexed.
//   2. A key that a row has no longer is taken out when the fold knows of it; one that dies in between leaves it, and readers
//      compare what they find with the row.

import * as limits from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { SortedRuns } from "./sorted-runs.ts";
import { compareKeys, keyOfRow, lyingOrder, signatureOf, storedIndexes, type ColdKey } from "./cold-order.ts";
import type { FoldStep, RowChange, StepResult } from "./fold-step.ts";
import { resultOf } from "./idb-requests.ts";
import type { RowsMeta } from "./layout.ts";
import type { ItemChange } from "./merge-items.ts";
import { readPages } from "./read-rows.ts";
import { rewritePages } from "./rewrite-pages.ts";
import { idOf, putDirectory, readDirectory, type IndexDirectory } from "./directory.ts";
import type { ItemOrder } from "./sorted-pages.ts";
import { createRowFit } from "./stored-row.ts";

export interface IndexDeps {
  readonly schema: AnySchema;
  readonly step: FoldStep;
}

interface Index {
  readonly table: string;
  readonly columns: readonly string[];
  readonly order: ItemOrder<ColdKey, ColdKey>;
  readonly keyOf: (row: Row) => ColdKey;
}

type KeyChange = ItemChange<ColdKey, ColdKey>;

/** Brings the keys of changed rows into the table's indexes. `replaced`: the rows that the changes have replaced. */
export async function indexChanges(
  { schema, step }: IndexDeps,
  {
    table,
    changes,
    replaced,
  }: {
    readonly table: string;
    readonly changes: readonly RowChange[];
    readonly replaced: readonly Row[];
  },
): Promise<void> {
  const meta = schema.tablesByName.get(table);
  if (meta === undefined) return;
  const byID = new Map(changes.map((change) => [change.key, change]));
  for (const index of indexesOf(meta)) {
    const keys: KeyChange[] = [];
    for (const { item, seq } of changes) {
      if (item === null) continue;
      const key = index.keyOf(item);
      keys.push({ key, item: key, seq });
    }
    for (const row of replaced) {
      const change = byID.get(idOf(row));
      const key = index.keyOf(row);
      const isKept =
        change !== undefined && change.item !== null && index.order.compare(index.keyOf(change.item), key) === 0;
      if (!isKept) keys.push({ key, item: null, seq: change?.seq ?? 0 });
    }
    await takeKeys(
      step,
      index,
      keys.sort((a, b) => index.order.compare(a.key, b.key)),
    );
  }
}

/** Indexes the rows of pages that no fold has written; where the schema's indexes are others than before, of all pages. */
export async function indexNewPages({ schema, step }: IndexDeps): Promise<void> {
  const tables = [...schema.tablesByName.values()];
  for (const meta of tables) {
    await adopt(step, meta);
    while (await indexSomePages(step, meta)) {
      // Until there are none.
    }
  }
  await step(["directories"], async (tx, rows) => {
    const directories = await Promise.all(tables.map(({ name }) => readDirectory(tx, name)));
    const unindexed = directories.reduce((sum, directory) => sum + (directory?.unindexed.length ?? 0), 0);
    return [{ ...rows, unindexed }, undefined];
  });
}

/** Drops indexes that were made for another schema: all rows are to be indexed anew. Where there are none, no page waits for one. */
async function adopt(step: FoldStep, meta: TableMeta): Promise<void> {
  const signature = signatureOf(meta);
  const hasIndexes = indexesOf(meta).length > 0;
  await step(["directories", "indexPages"], async (tx, rows) => {
    const directory = await readDirectory(tx, meta.name);
    if (directory === undefined) return [rows, undefined];
    const isAsItIs = hasIndexes || directory.unindexed.length === 0;
    if (directory.indexedAs === signature && isAsItIs) return [rows, undefined];
    const store = tx.objectStore("directories");
    const keys = await resultOf(store.getAllKeys(IDBKeyRange.bound([meta.name], [meta.name, []])));
    for (const key of keys as [string, string][]) {
      if (key[1] === "") continue;
      const index = await readDirectory<IndexDirectory>(tx, meta.name, key[1].split(","));
      for (const { page } of index?.refs ?? []) tx.objectStore("indexPages").delete(page);
      store.delete(key);
    }
    const unindexed = hasIndexes ? directory.refs.map(({ page }) => page) : [];
    putDirectory(tx, { ...directory, indexedAs: signature, unindexed });
    return [rows, undefined];
  });
}

/** Indexes as many pages as one sort takes; whether there were any. */
async function indexSomePages(step: FoldStep, meta: TableMeta): Promise<boolean> {
  const indexes = indexesOf(meta);
  const found = indexes.map(({ order }) => new SortedRuns(order.compare));
  const pages = new Set<number>();
  while (indexes.length > 0 && (found[0]?.size ?? 0) < limits.storeIndexKeysMax) {
    const read = await step(["directories", "pages"], async (tx, rows) => {
      const directory = await readDirectory(tx, meta.name);
      const next = (directory?.unindexed ?? []).filter((page) => !pages.has(page)).slice(0, limits.storeIndexPagesMax);
      return [rows, { next, contents: await readPages<Row>(tx.objectStore("pages"), next) }];
    });
    if (read.next.length === 0) break;
    for (const page of read.next) pages.add(page);
    for (const { items } of read.contents.filter((page) => page !== undefined))
      indexes.forEach((index, i) => found[i]?.add(items.map(index.keyOf)));
  }
  if (pages.size === 0) return false;
  for (const [i, index] of indexes.entries())
    await takeKeys(
      step,
      index,
      (found[i]?.take() ?? []).map((key) => ({ key, item: key, seq: 0 })),
    );
  await step(["directories"], (tx, rows) => markIndexed(tx, rows, { table: meta.name, pages }));
  return true;
}

async function markIndexed(
  tx: IDBTransaction,
  rows: RowsMeta,
  { table, pages }: { readonly table: string; readonly pages: ReadonlySet<number> },
): Promise<StepResult<undefined>> {
  const directory = await readDirectory(tx, table);
  if (directory === undefined) return [rows, undefined];
  const unindexed = directory.unindexed.filter((page) => !pages.has(page));
  putDirectory(tx, { ...directory, unindexed });
  return [rows, undefined];
}

/** Brings keys into an index, in small transactions. They are in order. */
async function takeKeys(step: FoldStep, { table, columns, order }: Index, keys: readonly KeyChange[]): Promise<void> {
  for (let at = 0; at < keys.length;) {
    const changes = keys.slice(at, at + limits.storeFoldItemsMax);
    at += await step(["indexPages", "directories"], async (tx, rows) => {
      const directory = await readDirectory<IndexDirectory>(tx, table, columns);
      const done = await rewritePages({
        store: tx.objectStore("indexPages"),
        refs: directory?.refs ?? [],
        changes,
        order,
        nextPage: rows.nextPage,
        pagesMax: limits.storeFoldPagesMax,
      });
      putDirectory(tx, {
        table,
        columns,
        refs: done.refs,
        emptiedAt: Math.max(directory?.emptiedAt ?? 0, done.emptiedAt),
      });
      return [{ ...rows, nextPage: done.nextPage }, done.taken];
    });
  }
}

function indexesOf(meta: TableMeta): Index[] {
  const fit = createRowFit(meta);
  return storedIndexes(meta).map((columns) => {
    const lying = lyingOrder(columns);
    const order: ItemOrder<ColdKey, ColdKey> = {
      keyOf: (key) => key,
      compare: compareKeys(meta, lying),
      pageSize: () => limits.storePageKeys,
    };
    return { table: meta.name, columns, order, keyOf: (row) => keyOfRow(fit(row), lying) };
  });
}
