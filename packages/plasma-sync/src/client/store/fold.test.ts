// Folds of the store on IndexedDB, at their edges: what fails in one, what comes in between, what it leaves to do.

import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { id, int, text } from "../../core/schema/column.ts";
import { defineSchema, type AnySchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createIdbStore, type IdbStore } from "./idb-store.ts";
import { codeOf, loadAll, note, nothing, schema } from "./store.suite.ts";
import type { BaseChange, ColdOrder } from "./store.ts";

const freshName = () => `fold-${systemEnv.randomUUID()}`;

async function lead(store: IdbStore) {
  const { replicaID, seq } = await store.open(() => undefined);
  const { epoch } = await store.takeEpoch(replicaID);
  const sync = async (changes: readonly BaseChange[]) =>
    (await store.sync(replicaID, epoch, { ...nothing, changes })).seq;
  return { store, replicaID, seq, sync };
}

const notes = (from: number, count: number, title = "a note"): BaseChange[] =>
  Array.from({ length: count }, (_, i) => note(`n${String(from + i).padStart(6, "0")}`, title));
const gone = (changes: readonly BaseChange[]): BaseChange[] => changes.map((change) => ({ ...change, row: null }));

/** So many that the journal is longer than it may be. None of them can go to pages at once. */
const flood = () => gone(notes(0, limits.storeJournalRowsMax + 1));

test("commits hold, and say so, although a fold that is due is ended by one of another tab", async () => {
  const name = freshName();
  const { sync } = await lead(createIdbStore({ name, schema, env: systemEnv }));
  const other = createIdbStore({ name, schema, env: systemEnv });
  await other.open(() => undefined);
  const progress = { isOver: false };
  const folding = (async () => {
    while (!progress.isOver) await codeOf(other.fold());
  })();
  expect([await codeOf(sync(flood())), await codeOf(sync([note("m1")]))]).toEqual(["resolved", "resolved"]);
  progress.isOver = true;
  await folding;
  expect((await loadAll(other)).rows.get("notes")?.length).toBe(1);
});

test("a commit is told as soon as it is durable, not after the fold for which the next one waits", async () => {
  const name = freshName();
  const { store, sync } = await lead(createIdbStore({ name, schema, env: systemEnv }));
  await sync(notes(0, 100));
  await store.fold();
  const late = createIdbStore({ name, schema, env: systemEnv });
  const { seq } = await late.open(() => undefined);
  const progress = { isOver: false };
  const synced = sync([note("n000000", "new"), ...flood().slice(1)]).finally(() => (progress.isOver = true));
  const codes = new Set<string>();
  while (!progress.isOver) codes.add(await codeOf(late.cold.byID("notes", ["n000000"], () => seq)));
  await synced;
  expect([...codes]).toEqual(["resolved"]);
});

/** Counts the folds that are planned. */
function watchPlans() {
  const plans = { count: 0 };
  const setTimeout: Env["setTimeout"] = (fn, ms) => {
    if (ms === limits.storeFoldDelayMs) plans.count += 1;
    return systemEnv.setTimeout(fn, ms);
  };
  return { plans, env: { ...systemEnv, setTimeout } };
}

test("rows of a table without indexes that went to pages at once leave nothing to fold", async () => {
  const { plans, env } = watchPlans();
  const { store, sync } = await lead(createIdbStore({ name: freshName(), schema, env }));
  await sync(notes(0, 100));
  await store.fold();
  await sync(notes(100, 100));
  await store.fold();
  plans.count = 0;
  await sync([note("m1")]);
  expect(plans.count).toBe(0);
});

const plain = table("tasks", { id: id(), title: text(), rank: int() });
const indexed = table("tasks", { id: id(), title: text(), rank: int() }, { indexes: (t) => [[t.rank]] });
const byRank: ColdOrder = {
  columns: [
    { column: "rank", direction: "asc" },
    { column: "id", direction: "asc" },
  ],
  prefix: [],
  limit: 1000,
};
const task = (i: number, rank = i): Row => ({ id: `t${String(i).padStart(4, "0")}`, title: "a task", rank });
const put = (row: Row): BaseChange => ({ table: "tasks", id: row["id"] as string, row });
const tasks = (from: number, count: number) => Array.from({ length: count }, (_, i) => put(task(from + i)));

/** The rows by rank, as a tab that opens now has them. */
async function rowsByRank(name: string, schemaVersion: string, of: AnySchema): Promise<readonly Row[] | undefined> {
  const tab = openAs(name, schemaVersion, of);
  const { seq } = await tab.open(() => undefined);
  const window = await tab.cold.window("tasks", byRank, () => seq);
  tab.close();
  return window?.rows;
}

const openAs = (name: string, schemaVersion: string, of: AnySchema, env: Env = systemEnv) =>
  createIdbStore({ name, schema: of, schemaVersion, env });

test("an index that the schema has gained is made by and by, although nothing else is to be folded", async () => {
  const name = freshName();
  const before = await lead(openAs(name, "1", defineSchema({ tasks: plain })));
  await before.sync(tasks(0, 100));
  await before.store.fold();
  before.store.close();
  const { plans, env } = watchPlans();
  const after = await lead(openAs(name, "2", defineSchema({ tasks: indexed }), env));
  expect(plans.count).toBe(1);
  await after.store.fold();
  const rows = await rowsByRank(name, "2", defineSchema({ tasks: indexed }));
  expect(rows?.map((row) => row["rank"])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  plans.count = 0;
  await after.sync([put(task(500))]);
  expect(plans.count).toBe(0);
});

test("an index has the rows that were folded while the schema did not have their table", async () => {
  const name = freshName();
  const before = await lead(openAs(name, "1", defineSchema({ tasks: indexed })));
  await before.sync(tasks(0, 100));
  await before.store.fold();
  await before.sync([put(task(50, -1))]);
  before.store.close();
  const without = await lead(openAs(name, "2", defineSchema({ others: table("others", { id: id() }) })));
  await without.store.fold();
  without.store.close();
  const again = await lead(openAs(name, "3", defineSchema({ tasks: indexed })));
  await again.store.fold();
  const rows = await rowsByRank(name, "3", defineSchema({ tasks: indexed }));
  expect(rows?.slice(0, 3).map((row) => row["rank"])).toEqual([-1, 0, 1]);
});

test("an index has rows by the value that stands for one which they lack, also when the schema has another for it now", async () => {
  const withRank = (rank: number) =>
    defineSchema({
      tasks: table("tasks", { id: id(), title: text(), rank: int().default(rank) }, { indexes: (t) => [[t.rank]] }),
    });
  const name = freshName();
  const before = await lead(openAs(name, "1", defineSchema({ tasks: table("tasks", { id: id(), title: text() }) })));
  await before.sync(
    tasks(0, 100).map(({ row, ...rest }) => ({ ...rest, row: { id: rest.id, title: row!["title"]! } })),
  );
  await before.store.fold();
  for (const [version, rank] of [
    ["2", 5],
    ["3", 7],
  ] as const) {
    const { store } = await lead(openAs(name, version, withRank(rank)));
    await store.fold();
    store.close();
    const rows = await rowsByRank(name, version, withRank(rank));
    expect(new Set(rows?.map((row) => row["rank"]))).toEqual(new Set([rank]));
    expect(rows?.length).toBe(100);
  }
});

test("pages that a commit has emptied are not taken for the state before it", async () => {
  const name = freshName();
  const { store, sync } = await lead(createIdbStore({ name, schema, env: systemEnv }));
  await sync(notes(0, 2000));
  await store.fold();
  const late = createIdbStore({ name, schema, env: systemEnv });
  const { seq: before } = await late.open(() => undefined);
  const seq = await sync(gone(notes(0, 1000)));
  await store.fold();
  const read = (heard: number) => codeOf(late.cold.byID("notes", ["n000000"], () => heard));
  expect([await read(before), await read(seq)]).toEqual(["client/stale", "resolved"]);
});
