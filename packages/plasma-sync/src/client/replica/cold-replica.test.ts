import { afterEach, expect, test, vi } from "vitest";
import { nextTurn, systemEnv } from "../../core/lib/env.ts";
import type { ResultRow } from "../../core/query/ast.ts";
import { count } from "../../core/query/aggregates.ts";
import { asc, desc, eq } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { createColdStore } from "../store/cold-store.fixture.ts";
import type { Store } from "../store/store.ts";
import { Deferred } from "./deferred.ts";
import { createTestReplica, items, schema, type TestReplica } from "./replica.fixture.ts";

const ROWS = 300;
const idOf = (n: number): string => `i${String(n).padStart(4, "0")}`;
const item = (n: number) => ({
  id: idOf(n),
  list: `l${n % 10}`,
  title: `Item ${n}`,
  rank: ROWS - n,
  done: n % 2 === 0,
});

interface ColdTab extends TestReplica {
  /** Rows that the disk has handed over for one query or mutation. */
  readonly fetched: { byID: number; window: number };
  /** Lets streams begin. */
  readonly stream: () => void;
  readonly fold: () => void;
}

const held: Deferred<void>[] = [];
afterEach(() => held.splice(0).forEach(({ resolve }) => resolve()));

/** A replica whose rows all lie on disk, where nothing streams before it is told to. */
async function coldTab(): Promise<ColdTab> {
  const store = createColdStore({ env: systemEnv, schema });
  const writer = await createTestReplica({ store, clientID: "writer" });
  const changes = Array.from({ length: ROWS }, (_, n) => ({ table: "items", id: idOf(n), row: item(n) }));
  const lists = Array.from({ length: 10 }, (_, n) => ({ id: `l${n}`, name: `List ${n}`, count: 0 }));
  changes.push(...lists.map((row) => ({ table: "lists", id: row.id, row: row as never })));
  await writer.sync({ changes, cookie: "1", firstSync: { done: true, rows: ROWS } });
  store.fold();
  const gate = new Deferred<void>();
  held.push(gate);
  const fetched = { byID: 0, window: 0 };
  const cold: Store["cold"] = {
    isEmpty: (table) => store.cold.isEmpty(table),
    byID: async (...args) => {
      const rows = await store.cold.byID(...args);
      fetched.byID += rows.length;
      return rows;
    },
    window: async (...args) => {
      const window = await store.cold.window(...args);
      fetched.window += window?.rows.length ?? 0;
      return window;
    },
    stream: (...args) => gate.promise.then(() => store.cold.stream(...args)),
  };
  const tab = await createTestReplica({ store: { ...store, cold }, clientID: "tab" });
  return { ...tab, fetched, stream: gate.resolve, fold: () => store.fold() };
}

function listen({ runtime }: TestReplica, query: { readonly ast: Parameters<TestReplica["runtime"]["live"]>[0] }) {
  const deliveries: (readonly ResultRow[])[] = [];
  runtime.live(query.ast).subscribe((rows) => deliveries.push(rows));
  return deliveries;
}
const ids = (rows: readonly ResultRow[] = []): unknown[] => rows.map((row) => row["id"]);
const firstTen = Array.from({ length: 10 }, (_, n) => idOf(n));

test("a window is there before the rest of its table, from a few rows; the rest brings no delivery and no new objects", async () => {
  const tab = await coldTab();
  const deliveries = listen(tab, select().from(items).orderBy(asc(items.id)).limit(10));
  await vi.waitFor(() => expect(deliveries).toHaveLength(1));
  expect(ids(deliveries[0])).toEqual(firstTen);
  expect(tab.fetched.window).toBeLessThan(50);
  expect(tab.runtime.source("items").isCold).toBe(true);
  for (const row of deliveries[0] ?? []) expect(tab.runtime.source("items").get(row["id"] as string)).toBe(row);
  tab.stream();
  await tab.replica.whenWarm();
  expect([tab.runtime.source("items").isCold, tab.runtime.source("items").size]).toEqual([false, ROWS]);
  expect(deliveries).toHaveLength(1);
  await tab.sync({ changes: [{ table: "items", id: idOf(2), row: { ...item(2), title: "New" } }] });
  expect(deliveries).toHaveLength(2);
  expect(deliveries[1]?.[3]).toBe(deliveries[0]?.[3]);
});

test("mutations and windows of a cold table read the rows that they need by id and by index, and wait for no others", async () => {
  const tab = await coldTab();
  await tab.mutate("countUp", { id: "l3" });
  await tab.mutate("addCounted", { list: "l3" });
  expect(tab.runtime.source("lists").get("l3")).toMatchObject({ count: 2 });
  const ofList = listen(tab, select().from(items).where(eq(items.list, "l3")).orderBy(asc(items.rank)));
  await vi.waitFor(() => expect(ofList).toHaveLength(1));
  expect(ofList[0]).toHaveLength(ROWS / 10 + 1);
  const last = listen(tab, select().from(items).orderBy(desc(items.list)).limit(3));
  await vi.waitFor(() => expect(last).toHaveLength(1));
  expect(ids(last[0])).toEqual([idOf(9), idOf(19), idOf(29)]);
  expect(tab.runtime.source("items").size).toBeLessThan(100);
  expect(tab.fetched.byID).toBeLessThan(5);
});

test("a window that runs short of rows fetches those behind; until then what was shown stays", async () => {
  const tab = await coldTab();
  const deliveries = listen(tab, select().from(items).orderBy(asc(items.id)).limit(10));
  await vi.waitFor(() => expect(deliveries).toHaveLength(1));
  const gone = Array.from({ length: 40 }, (_, n) => ({ table: "items", id: idOf(n), row: null }));
  await tab.sync({ changes: gone });
  await vi.waitFor(() => expect(deliveries).toHaveLength(2));
  expect(ids(deliveries[1])).toEqual(Array.from({ length: 10 }, (_, n) => idOf(40 + n)));
  expect(tab.runtime.source("items").isCold).toBe(true);
});

test("what needs whole tables waits for them, and is then complete at once", async () => {
  const tab = await coldTab();
  const counted = listen(tab, select({ n: count() }).from(items));
  const live = tab.runtime.live(select({ n: count() }).from(items).ast);
  const unsorted = tab.mutate("finishAbove", { rank: ROWS - 5 });
  for (let i = 0; i < 20; i++) await nextTurn();
  expect([counted.length, live.status, tab.runtime.source("items").size]).toEqual([0, "loading", 0]);
  tab.stream();
  await unsorted;
  expect(counted).toEqual([[{ n: ROWS }]]);
  expect([...tab.view("items").values()].filter(({ done }) => done)).toHaveLength(ROWS / 2 + 2);
});

test("a disk that is ahead of the tab is read anew: the tab shows what it holds, and its mutations over it", async () => {
  const tab = await coldTab();
  const other = await createTestReplica({ store: tab.store, clientID: "other" });
  const deliveries = listen(tab, select().from(items).orderBy(asc(items.id)).limit(3));
  await vi.waitFor(() => expect(deliveries).toHaveLength(1));
  await tab.mutate("countUp", { id: "l1" });
  // The first tab is not told, and the disk has folded it.
  await other.sync({ changes: [{ table: "items", id: idOf(1), row: null }] });
  tab.fold();
  await tab.mutate("countUp", { id: "l2" });
  await tab.replica.whenWarm();
  expect(ids(deliveries.at(-1))).toEqual([idOf(0), idOf(2), idOf(3)]);
  expect(deliveries).toHaveLength(2);
  expect(tab.view("items").size).toBe(ROWS - 1);
  const counted = [...tab.view("lists").values()].filter((row) => row["count"] === 1);
  expect(new Set(ids(counted))).toEqual(new Set(["l1", "l2"]));
  expect(tab.events.storage).toEqual([]);
});
