// Owns: reading a replica's rows in the transaction that reads its state: all of them, or what the journal says.

import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import { resultOf } from "./idb-requests.ts";
import { idOf, readDirectory } from "./directory.ts";
import type { Page } from "./sorted-pages.ts";
import type { BaseChange } from "./store.ts";
import { createRowFit } from "./stored-row.ts";

/** Pages that are asked for at once: so many that the disk has always something to do, and memory does not hold all. */
const PAGES_AT_ONCE = 16;

type OnRows = (table: string, rows: readonly Row[]) => void;

/** What a replica's journal says, by table: the last change of each id. */
type Journal = ReadonlyMap<string, ReadonlyMap<string, Row | null>>;

async function readJournal(tx: IDBTransaction): Promise<Journal> {
  const records = await resultOf<BaseChange[][]>(tx.objectStore("journal").getAll());
  const journal = new Map<string, Map<string, Row | null>>();
  for (const record of records) {
    for (const { table, id, row } of record) {
      const byID = journal.get(table) ?? new Map<string, Row | null>();
      journal.set(table, byID.set(id, row));
    }
  }
  return journal;
}

/** Hands over what the journal says. */
export async function readChanges(
  tx: IDBTransaction,
  schema: AnySchema,
  onChanges: (changes: readonly BaseChange[]) => void,
): Promise<void> {
  const journal = await readJournal(tx);
  for (const [table, meta] of schema.tablesByName) {
    const fit = createRowFit(meta);
    const batch = batches(onChanges);
    batch.add([...(journal.get(table) ?? [])].map(([id, row]) => ({ table, id, row: row && fit(row) })));
    batch.end();
  }
}

/** Hands over all rows, as the schema has them. */
export const readAllRows = (tx: IDBTransaction, schema: AnySchema, onRows: OnRows): Promise<void> => {
  const fits = new Map([...schema.tablesByName].map(([table, meta]) => [table, createRowFit(meta)]));
  return readTables(tx, fits.keys(), (table, rows) => onRows(table, rows.map(fits.get(table) as (row: Row) => Row)));
};

/** Hands over all rows of these tables as they lie: pages and rows of older formats first, the journal's laid over them. */
export async function readTables(tx: IDBTransaction, tables: Iterable<string>, onRows: OnRows): Promise<void> {
  const journal = await readJournal(tx);
  for (const table of tables) {
    const changed = journal.get(table);
    const batch = batches((rows: readonly Row[]) => onRows(table, rows));
    const show = (rows: readonly Row[]) =>
      batch.add(changed === undefined ? rows : rows.filter((row) => !changed.has(idOf(row))));
    const pages = (await readDirectory(tx, table))?.refs ?? [];
    for (let i = 0; i < pages.length; i += PAGES_AT_ONCE) {
      const numbers = pages.slice(i, i + PAGES_AT_ONCE).map(({ page }) => page);
      for (const page of await readPages<Row>(tx.objectStore("pages"), numbers))
        show(must(page, "store: a directory names pages that are there").items);
    }
    await readLegacyRows(tx, table, show);
    batch.add([...(changed?.values() ?? [])].filter((row) => row !== null));
    batch.end();
  }
}

export const readPages = <Item>(store: IDBObjectStore, pages: readonly number[]): Promise<(Page<Item> | undefined)[]> =>
  Promise.all(pages.map((page) => resultOf<Page<Item> | undefined>(store.get(page))));

/** Hands over a table's rows of older formats, in key order, batch by batch. */
async function readLegacyRows(
  tx: IDBTransaction,
  table: string,
  onRows: (rows: readonly Row[]) => void,
): Promise<void> {
  const store = tx.objectStore("rows");
  // Every key of the table lies between [table] and [table, []]: arrays sort after texts.
  let range = IDBKeyRange.bound([table], [table, []]);
  for (;;) {
    const rows = await resultOf<Row[]>(store.getAll(range, limits.storeBatchRowsMax));
    if (rows.length > 0) onRows(rows);
    const last = rows.at(-1);
    if (last === undefined || rows.length < limits.storeBatchRowsMax) return;
    range = IDBKeyRange.bound([table, idOf(last)], [table, []], true);
  }
}

/** Collects what comes and hands it over in batches of `limits.storeBatchRowsMax`. */
function batches<T>(onBatch: (batch: readonly T[]) => void) {
  let batch: T[] = [];
  const end = () => {
    if (batch.length > 0) onBatch(batch);
    batch = [];
  };
  return {
    add(items: readonly T[]) {
      for (const item of items) {
        batch.push(item);
        if (batch.length === limits.storeBatchRowsMax) end();
      }
    },
    end,
  };
}
