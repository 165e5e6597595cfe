// Listeners that come and go while rows lie on disk, and what happens to reads under way when everything else changes.

import { expect, test } from "vitest";
import { nextTurn, systemEnv, type Env } from "../../core/lib/env.ts";
import type { SelectNode } from "../../core/query/ast.ts";
import { createDb } from "../../core/query/db.ts";
import { asc } from "../../core/query/expressions.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "../ivm/create-query-runtime.ts";
import { createColdStore } from "../store/cold-store.fixture.ts";
import type { BaseChange } from "../store/store.ts";
import { createTestReplica, items, schema } from "./replica.fixture.ts";

const db = createDb({
  schema,
  engine: { ...createQueryRuntime({ schema }), select: async () => [], write: async () => undefined },
});
const firstThree: SelectNode = db.select().from(items).orderBy(asc(items.id)).limit(3).live().ast;

const idOf = (i: number) => `i${String(i).padStart(3, "0")}`;
const put = (i: number): BaseChange => ({
  table: "items",
  id: idOf(i),
  row: { id: idOf(i), list: "a", title: "", rank: i, done: false },
});
const del = (i: number): BaseChange => ({ table: "items", id: idOf(i), row: null });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const turns = async () => {
  for (let i = 0; i < 20; i++) await nextTurn();
};

/** A replica whose 200 items are cold and are not streamed before `env` says so; reads wait while the gate is shut. */
async function openCold() {
  const gate = { isShut: false, waiting: [] as (() => void)[] };
  const store = createColdStore({ env: systemEnv, schema }, async () => {
    if (gate.isShut) await new Promise<void>((resolve) => gate.waiting.push(resolve));
  });
  const writer = await createTestReplica({ store, clientID: "writer" });
  const lists = ["a", "b"].map((id) => ({ table: "lists", id, row: { id, name: id, count: 0 } }));
  const changes = [...lists, ...range(100, 300).map(put)];
  await writer.sync({ changes, cookie: "c", firstSync: { done: true, rows: 202 } });
  store.fold();
  const env: Env = { ...systemEnv, setTimeout: () => 0 };
  const tab = await createTestReplica({ store, env, clientID: "tab" });
  return {
    ...tab,
    shut: () => (gate.isShut = true),
    open: async () => {
      gate.isShut = false;
      for (const resolve of gate.waiting.splice(0)) resolve();
      await turns();
    },
  };
}

type Tab = Awaited<ReturnType<typeof openCold>>;

/** What a listener of deltas makes of them; a row that is added twice is noted. */
function listen({ runtime }: Tab) {
  const shown = new Map<string, Row>();
  const twice: string[] = [];
  const unsubscribe = runtime.live(firstThree).subscribeDelta(({ added, removed }) => {
    for (const row of removed) shown.delete(row["id"] as string);
    for (const row of added) {
      const key = row["id"] as string;
      if (shown.has(key)) twice.push(key);
      shown.set(key, row as Row);
    }
  });
  return { ids: () => [...shown.keys()].sort(), twice, unsubscribe };
}

test("a listener that joins while an answer is being fetched, which is there by then, hears of each row once", async () => {
  const tab = await openCold();
  const first = listen(tab);
  await turns();
  expect(first.ids()).toEqual([100, 101, 102].map(idOf));
  tab.shut();
  await tab.sync({ changes: range(100, 134).map(del) });
  // The answer lacks rows: what was shown stays.
  expect(first.ids()).toEqual([100, 101, 102].map(idOf));
  await tab.sync({ changes: range(0, 50).map(put) });
  const second = listen(tab);
  await turns();
  for (const one of [first, second]) {
    expect(one.ids()).toEqual([0, 1, 2].map(idOf));
    expect(one.twice).toEqual([]);
  }
  await tab.open();
  await tab.replica.whenWarm();
  for (const one of [first, second]) expect([one.ids(), one.twice]).toEqual([[0, 1, 2].map(idOf), []]);
});

test("a listener that leaves while its answer is fetched hears nothing, the other one hears it once", async () => {
  const tab = await openCold();
  tab.shut();
  const [first, second] = [listen(tab), listen(tab)];
  await turns();
  first.unsubscribe();
  await tab.open();
  expect([first.ids(), second.ids(), second.twice]).toEqual([[], [100, 101, 102].map(idOf), []]);
});

test("a reset while rows are read leaves none of them, and answers", async () => {
  const tab = await openCold();
  tab.shut();
  const heard = listen(tab);
  const warm = tab.replica.whenWarm();
  await turns();
  const reset = tab.replica.reset();
  await tab.open();
  await reset;
  await warm;
  await turns();
  expect([heard.ids(), [...tab.view("items").keys()], tab.replica.isWarm]).toEqual([[], [], true]);
  expect(tab.events.storage).toEqual([]);
});

test("a mutation that waits for rows when the disk has gone ahead of the view ends, and with the rows of the disk", async () => {
  const tab = await openCold();
  tab.shut();
  const other = await createTestReplica({ store: tab.store, clientID: "other" });
  const mutated = tab.mutate("finishAbove", { rank: 250 });
  await turns();
  await other.sync({ changes: [put(400)] });
  (tab.store as ReturnType<typeof createColdStore>).fold();
  await tab.open();
  await mutated;
  expect([tab.view("items").get(idOf(400))?.["done"], tab.view("items").get(idOf(200))?.["done"]]).toEqual([
    true,
    false,
  ]);
  expect(tab.replica.isWarm).toBe(true);
});

test("a replica that is closed while rows are read ends what waits for them", async () => {
  const tab = await openCold();
  tab.shut();
  const heard = listen(tab);
  const read = tab.runtime.read(firstThree).catch((error: unknown) => error);
  await turns();
  tab.replica.close();
  await tab.open();
  expect(await read).toMatchObject({ code: "client/closed" });
  expect(heard.ids()).toEqual([]);
});

test("a row whose column must be unique is added, or refused, without all rows of its table", async () => {
  const tab = await openCold();
  await tab.mutate("addList", { id: "c", name: "new" });
  await expect(tab.mutate("addList", { id: "d", name: "b" })).rejects.toMatchObject({ code: "constraint/unique" });
  expect([tab.runtime.source("lists").isCold, [...tab.view("lists").keys()].sort()]).toEqual([true, ["b", "c"]]);
});
