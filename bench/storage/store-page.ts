// Owns: what a page measures of the store on IndexedDB: writes into it, and what a new page reads of it first.

import { systemEnv } from "../../packages/plasma-sync/src/core/lib/env.ts";
import { id, int, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { defineSchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";
import { createIdbStore } from "../../packages/plasma-sync/src/client/store/idb-store.ts";
import type { BaseChange } from "../../packages/plasma-sync/src/client/store/store.ts";

const columns = () => ({ id: id(), rank: int(), group: text(), body: text() });
const schemas = [
  defineSchema({ items: table("items", columns()) }),
  defineSchema({ items: table("items", columns(), { indexes: (t) => [[t.rank], [t.group, t.rank]] }) }),
];

export interface StoreCase {
  readonly name: string;
  readonly rowBytes: number;
  /** 0 or 2. */
  readonly indexes: number;
}

const openStore = ({ name, indexes }: StoreCase) =>
  createIdbStore({ name: `plasma:bench:${name}`, schema: schemas[indexes === 0 ? 0 : 1]!, env: systemEnv });

const idOf = (i: number) => `r${String(i).padStart(8, "0")}`;
function rowOf(i: number, rowBytes: number): BaseChange {
  const body = `${i} `.repeat(rowBytes).slice(0, Math.max(1, rowBytes - 60));
  return { table: "items", id: idOf(i), row: { id: idOf(i), rank: (i * 7919) % 100_003, group: `g${i % 10}`, body } };
}
const nothing = { changes: [], confirmed: {}, rejected: [] };

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Sorted: the middle and the one with 95 % below it. */
const spread = (times: number[]) => {
  times.sort((a, b) => a - b);
  return { p50: times[times.length >> 1] ?? 0, p95: times[Math.floor(times.length * 0.95)] ?? 0 };
};

/** Fills a new store with commits of `step` rows. */
export async function fill(given: StoreCase, count: number, step: number) {
  const store = openStore(given);
  const { replicaID } = await store.open(() => undefined);
  const { epoch } = await store.takeEpoch(replicaID);
  const commits: number[] = [];
  for (let i = 0; i < count; i += step) {
    const changes = Array.from({ length: Math.min(step, count - i) }, (_, j) => rowOf(i + j, given.rowBytes));
    commits.push(await timed(() => store.sync(replicaID, epoch, { ...nothing, changes })));
  }
  const fold = await timed(() => store.fold());
  store.close();
  return { total: commits.reduce((sum, ms) => sum + ms, 0), ...spread(commits), fold };
}

/** The same rows with a record for each, in a database that holds nothing else: what the store is measured against. */
export async function fillPlainly({ rowBytes }: StoreCase, count: number) {
  const opening = indexedDB.open(`plain:${Math.random()}`, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("rows", { keyPath: "id" });
  const database = await new Promise<IDBDatabase>((resolve) => (opening.onsuccess = () => resolve(opening.result)));
  const rows = Array.from({ length: count }, (_, i) => rowOf(i, rowBytes).row);
  const total = await timed(() => {
    const tx = database.transaction("rows", "readwrite", { durability: "relaxed" });
    for (const row of rows) tx.objectStore("rows").put(row);
    tx.commit();
    return new Promise((resolve) => (tx.oncomplete = resolve));
  });
  database.close();
  return { total };
}

/** One-row commits, one after another; while a fold of `journalled` changes goes on, where there are any. */
export async function edit(given: StoreCase, count: number, journalled = 0) {
  const store = openStore(given);
  const { replicaID } = await store.open(() => undefined);
  const { epoch } = await store.takeEpoch(replicaID);
  const change = (i: number) => rowOf((i * 7919) % count, given.rowBytes);
  const sync = (changes: BaseChange[]) => store.sync(replicaID, epoch, { ...nothing, changes });
  let folding: Promise<unknown> | null = null;
  const fold = { ms: 0 };
  if (journalled > 0) {
    await sync(Array.from({ length: journalled }, (_, i) => change(i)));
    folding = timed(() => store.fold()).then((ms) => (fold.ms = ms));
  }
  const times: number[] = [];
  let isFolding = folding !== null;
  void folding?.then(() => (isFolding = false));
  for (let i = 0; folding === null ? i < 100 : isFolding; i++) times.push(await timed(() => sync([change(i)])));
  await folding;
  if (folding === null) await store.fold();
  store.close();
  const figures = spread(times);
  return { ...figures, max: times.at(-1), count: times.length, fold: fold.ms };
}

/** What a new page asks first. */
export async function start(given: StoreCase, count: number) {
  const store = openStore(given);
  const all = () => Infinity;
  const open = await timed(() => store.open(() => undefined));
  const window = await timed(() =>
    store.cold.window("items", { columns: [{ column: "id", direction: "asc" }], prefix: [], limit: 100 }, all),
  );
  const ids = Array.from({ length: 100 }, (_, i) => idOf((i * 7919 + 13) % count));
  const byID = await timed(() => store.cold.byID("items", ids, all));
  const order = {
    columns: [
      { column: "rank", direction: "desc" as const },
      { column: "id", direction: "asc" as const },
    ],
    prefix: [],
    limit: 100,
  };
  let indexed: number | null = null;
  if (given.indexes > 0) {
    let found: unknown = null;
    indexed = await timed(async () => (found = await store.cold.window("items", order, all)));
    if (found === null) throw new Error("the index is not there");
  }
  let rows = 0;
  let longest = 0;
  let last = performance.now();
  const stream = await timed(() =>
    store.cold.stream(
      "items",
      (batch) => {
        rows += batch.length;
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      },
      all,
    ),
  );
  const load = await timed(() => store.load(() => undefined));
  store.close();
  if (rows !== count) throw new Error(`${rows} rows instead of ${count}`);
  return { open, window, byID, indexed, stream, longest, load };
}

Object.assign(globalThis, { store: { fill, fillPlainly, edit, start } });
