// Owns: fold: moving what the journal says into pages, in small transactions; whoever opens the replica then has little to read.
// Invariants:
//   1. The state of the replica stays what it is at every moment: a page may hold what the journal says too, and the journal is
//      emptied only when all pages hold what it says.
//   2. One fold at a time may go on: it has the number that meta tells. Another that begins takes the next, and this one
//      ends at its next step. It can die after any step: the next one begins anew.
//   3. A fold begins with the older formats' rows: afterwards pages alone lie under the journal.

import { PlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import type { FoldStep, RowChange, RunFoldStep, StepResult } from "./fold-step.ts";
import { resultOf } from "./idb-requests.ts";
import { noRows, type RowsMeta } from "./layout.ts";
import { rewritePages } from "./rewrite-pages.ts";
import { emptyDirectory, idOf, putDirectory, readDirectory } from "./directory.ts";
import { rowOrder } from "./row-pages.ts";
import type { BaseChange } from "./store.ts";
import { indexChanges, indexNewPages } from "./write-indexes.ts";

export interface FoldDeps {
  readonly schema: AnySchema;
  readonly run: RunFoldStep;
}

/** Folds everything. Rejects with `client/deposed` when another fold has begun. */
export async function fold({ schema, run }: FoldDeps): Promise<void> {
  const { seq, claimed, changes } = await run(["journal"], async (tx, meta) => {
    const rows = { ...(meta.rows ?? noRows), fold: (meta.rows?.fold ?? 0) + 1 };
    return [rows, { seq: meta.seq, claimed: rows, changes: await readChanges(tx) }];
  });
  const step: FoldStep = (stores, body) =>
    run(stores, async (tx, { rows = noRows }) => {
      if (rows.fold !== claimed.fold) throw new PlasmaError("client/deposed", {});
      return body(tx, rows);
    });
  if (claimed.isLegacy) await foldLegacy(step);
  for (const [table, ofTable] of changes) {
    const replaced = await foldTable(step, ofTable, { table, isIndexed: schema.tablesByName.has(table) });
    await indexChanges({ schema, step }, { table, changes: ofTable, replaced });
  }
  await step(["journal"], async (tx, rows) => {
    const journal = tx.objectStore("journal");
    journal.delete(IDBKeyRange.upperBound([seq, []]));
    // Asked, not computed: this may run a second time.
    if ((await resultOf(journal.count())) === 0) return [{ ...rows, journalled: 0, lastIDs: {} }, undefined];
    return [{ ...rows, journalled: Math.max(0, rows.journalled - claimed.journalled) }, undefined];
  });
  await indexNewPages({ schema, step });
}

/** The last change of each id in the journal, by table, in order of ids. */
async function readChanges(tx: IDBTransaction): Promise<Map<string, RowChange[]>> {
  const store = tx.objectStore("journal");
  const [keys, records] = await Promise.all([
    resultOf<IDBValidKey[]>(store.getAllKeys()),
    resultOf<BaseChange[][]>(store.getAll()),
  ]);
  const tables = new Map<string, Map<string, RowChange>>();
  for (const [i, record] of records.entries()) {
    const [seq] = keys[i] as [number, number];
    for (const { table, id, row } of record) {
      const byID = tables.get(table) ?? new Map<string, RowChange>();
      tables.set(table, byID.set(id, { key: id, item: row, seq }));
    }
  }
  return new Map([...tables].map(([table, byID]) => [table, inOrder([...byID.values()])]));
}

const inOrder = (changes: RowChange[]): RowChange[] => changes.sort((a, b) => rowOrder.compare(a.key, b.key));

/** Brings a table's changes into its pages; resolves to the rows that they replaced. */
async function foldTable(step: FoldStep, changes: readonly RowChange[], of: FoldedTable): Promise<readonly Row[]> {
  const replaced: Row[] = [];
  for (let at = 0; at < changes.length;) {
    const some = changes.slice(at, at + limits.storeFoldItemsMax);
    const done = await step(["pages", "directories"], (tx, rows) =>
      takeIn(tx, rows, { ...of, changes: some, pagesMax: limits.storeFoldPagesMax }),
    );
    at += done.taken;
    replaced.push(...done.replaced);
  }
  return replaced;
}

/** Moves all rows of older formats into pages. */
async function foldLegacy(step: FoldStep): Promise<void> {
  for (;;) {
    const isOver = await step(["rows", "pages", "directories"], async (tx, rows) => {
      const store = tx.objectStore("rows");
      const [key] = await resultOf(store.getAllKeys(null, 1));
      if (key === undefined) return [{ ...rows, isLegacy: false }, true];
      const [table] = key as [string, string];
      const found = await resultOf<Row[]>(
        store.getAll(IDBKeyRange.bound([table], [table, []]), limits.storeLegacyRows),
      );
      store.delete(IDBKeyRange.bound([table], [table, idOf(found.at(-1) as Row)]));
      const changes = inOrder(found.map((row) => ({ key: idOf(row), item: row, seq: 0 })));
      const [meta] = await takeIn(tx, rows, { table, isIndexed: false, changes, pagesMax: Infinity });
      return [meta, false];
    });
    if (isOver) return;
  }
}

interface FoldedTable {
  readonly table: string;
  /** Whether the fold brings the changes into the table's indexes too. Else all of it is to be indexed anew. */
  readonly isIndexed: boolean;
}

interface TakeIn extends FoldedTable {
  readonly changes: readonly RowChange[];
  readonly pagesMax: number;
}

/** Brings the first of a table's changes into its pages. */
async function takeIn(
  tx: IDBTransaction,
  rows: RowsMeta,
  { table, isIndexed, changes, pagesMax }: TakeIn,
): Promise<StepResult<{ readonly taken: number; readonly replaced: readonly Row[] }>> {
  const directory = (await readDirectory(tx, table)) ?? emptyDirectory(table);
  const done = await rewritePages({
    store: tx.objectStore("pages"),
    refs: directory.refs,
    changes,
    order: rowOrder,
    nextPage: rows.nextPage,
    pagesMax,
  });
  const lastKey = changes[done.taken - 1]?.key ?? "";
  const isNew = directory.refs.length === 0;
  const unindexed = isNew
    ? done.refs.map(({ page }) => page)
    : [...new Set(directory.unindexed.flatMap((page) => done.moved.get(page) ?? [page]))];
  const last = rowOrder.compare(directory.last, lastKey) < 0 ? lastKey : directory.last;
  putDirectory(tx, {
    ...directory,
    refs: done.refs,
    last,
    indexedAs: isIndexed ? directory.indexedAs : "",
    unindexed,
    emptiedAt: Math.max(directory.emptiedAt ?? 0, done.emptiedAt),
  });
  const grown = unindexed.length - directory.unindexed.length;
  const meta: RowsMeta = { ...rows, nextPage: done.nextPage, unindexed: rows.unindexed + grown };
  return [meta, { taken: done.taken, replaced: done.replaced }];
}
