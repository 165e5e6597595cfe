// Owns: the property of lazy loading: a replica whose rows lie on disk, and whose reads of it take as long as they like, delivers
// at every moment what one would that has all of them in memory; and what it knows of any row is true.

import fc from "fast-check";
import { expect, test } from "vitest";
import { nextTurn, systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import { count } from "../../core/query/aggregates.ts";
import { createDb } from "../../core/query/db.ts";
import { and, asc, desc, eq, gt, inArray } from "../../core/query/expressions.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "../ivm/create-query-runtime.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { RowChange } from "../ivm/source.ts";
import { createColdStore, type ColdStore } from "../store/cold-store.fixture.ts";
import type { BaseChange, StoreCommit } from "../store/store.ts";
import { createTestReplica, items, lists, schema, type TestReplica } from "./replica.fixture.ts";

const RUNS = 150;
const STEPS_MAX = 30;
const TABLES = ["lists", "items", "drafts"];
const LISTS = ["a", "b", "c", "d"];
const ITEMS = Array.from({ length: 40 }, (_, i) => `i${String(i).padStart(2, "0")}`);

const db = createDb({
  schema,
  engine: { ...createQueryRuntime({ schema }), select: async () => [], write: async () => undefined },
});
const cursor = { id: "i20", list: "b", title: "", rank: 0, done: false };
const queries: readonly { readonly name: string; readonly ast: SelectNode }[] = [
  { name: "by id", ast: db.select().from(items).orderBy(asc(items.id)).limit(5).live().ast },
  {
    name: "pinned",
    ast: db
      .select()
      .from(items)
      .where(inArray(items.id, ["i01", "i39", "gone"]))
      .live().ast,
  },
  { name: "of a list", ast: db.select().from(items).where(eq(items.list, "a")).orderBy(asc(items.rank)).live().ast },
  {
    name: "last of a list",
    ast: db.select().from(items).where(eq(items.list, "b")).orderBy(desc(items.id)).limit(3).live().ast,
  },
  {
    name: "filtered",
    ast: db.select().from(items).where(eq(items.done, true)).orderBy(asc(items.id)).limit(3).offset(1).live().ast,
  },
  { name: "mixed", ast: db.select().from(items).orderBy(desc(items.list)).limit(4).live().ast },
  { name: "behind", ast: db.select().from(items).orderBy(asc(items.list)).limit(3).after(cursor).live().ast },
  {
    name: "above",
    ast: db
      .select()
      .from(items)
      .where(and(gt(items.list, "b"), eq(items.done, false)))
      .orderBy(asc(items.list))
      .limit(3)
      .live().ast,
  },
  { name: "no index", ast: db.select().from(items).orderBy(asc(items.rank)).limit(4).live().ast },
  { name: "counted", ast: db.select({ n: count() }).from(items).live().ast },
  { name: "joined", ast: db.select().from(items).innerJoin(lists).orderBy(asc(items.id)).limit(3).live().ast },
];

type Step =
  | { readonly type: "mutate"; readonly tab: 0 | 1; readonly name: string; readonly args: unknown }
  | { readonly type: "patch"; readonly changes: readonly BaseChange[]; readonly confirm: number }
  /** A commit that is folded before the cold tab hears of it. */
  | { readonly type: "overtake"; readonly changes: readonly BaseChange[] }
  | { readonly type: "watch"; readonly at: number }
  | { readonly type: "fold" | "deafen" | "turn" };

const tab = fc.constantFrom<0 | 1>(0, 0, 1);
const listID = fc.constantFrom(...LISTS);
const itemID = fc.constantFrom(...ITEMS);
const call = (name: string, args: fc.Arbitrary<unknown>): fc.Arbitrary<Step> =>
  fc.record({ type: fc.constant("mutate" as const), tab, name: fc.constant(name), args });
const itemRow = fc.record({
  id: itemID,
  list: listID,
  title: fc.constant("pulled"),
  rank: fc.nat(50),
  done: fc.boolean(),
});
const baseChange: fc.Arbitrary<BaseChange> = fc.oneof(
  itemRow.map((row) => ({ table: "items", id: row.id, row })),
  itemRow.map((row) => ({ table: "items", id: row.id, row })),
  itemID.map((id) => ({ table: "items", id, row: null })),
  listID.map((id) => ({ table: "lists", id, row: null })),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  call("addList", fc.record({ id: fc.constantFrom("e", "f"), name: fc.constantFrom("x", "y") })),
  call("dropList", fc.record({ id: listID })),
  call("addItem", fc.record({ list: listID, title: fc.constant("new") })),
  call("countUp", fc.record({ id: listID })),
  call("addCounted", fc.record({ list: listID })),
  call("finishAbove", fc.record({ rank: fc.nat(40) })),
  call("draft", fc.record({ id: listID, body: fc.constantFrom("p", "q") })),
  fc.record({
    type: fc.constant("patch" as const),
    changes: fc.array(baseChange, { maxLength: 4 }),
    confirm: fc.nat(2),
  }),
  fc.record({
    type: fc.constant("patch" as const),
    changes: fc.array(baseChange, { maxLength: 4 }),
    confirm: fc.nat(2),
  }),
  fc.record({ type: fc.constant("overtake" as const), changes: fc.array(baseChange, { minLength: 1, maxLength: 2 }) }),
  fc.record({ type: fc.constant("watch" as const), at: fc.nat(queries.length - 1) }),
  fc.record({ type: fc.constant("watch" as const), at: fc.nat(queries.length - 1) }),
  fc.constantFrom<Step>({ type: "fold" }, { type: "deafen" }, { type: "turn" }, { type: "turn" }),
);

test(`what a cold replica delivers is what a warm one would (${RUNS} runs)`, { timeout: 120_000 }, async () => {
  const seen = { early: 0, later: 0, reloads: 0, opened: 0, fetched: 0 };
  const delays = fc.array(fc.nat(6), { minLength: 50, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: STEPS_MAX }), delays, async (steps, turns) => {
      const world = await openWorld(turns, seen);
      for (const next of steps) {
        await runStep(world, next);
        await expectTruth(world);
      }
      await expectEnd(world);
    }),
    { numRuns: RUNS },
  );
  // The property proves nothing when the interesting branches never ran.
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(10);
});

interface World {
  readonly store: ColdStore;
  /** The first is cold; the other has all rows, and leads. */
  readonly tabs: readonly [TestReplica, TestReplica];
  readonly mail: { isOpen: boolean; readonly waiting: StoreCommit[] };
  readonly seen: { early: number; later: number; reloads: number; opened: number; fetched: number };
  /** All rows that the cold tab would show if it had them. */
  readonly model: QueryRuntime;
  readonly watched: Set<number>;
  readonly problems: string[];
}

async function openWorld(turns: readonly number[], seen: World["seen"]): Promise<World> {
  let reads = 0;
  const store = createColdStore({ env: systemEnv, schema }, async () => {
    for (let i = turns[reads++ % turns.length] ?? 0; i > 0; i--) await nextTurn();
  });
  const mail: World["mail"] = { isOpen: true, waiting: [] };
  const tabs: TestReplica[] = [];
  const post = (from: number) => (commit: StoreCommit) => {
    if (from === 1 && !mail.isOpen) mail.waiting.push(structuredClone(commit));
    else tabs[1 - from]?.replica.receive(structuredClone(commit));
  };
  const first = await createTestReplica({ store, clientID: "writer" });
  const rows = ITEMS.map((id, i) => ({
    id,
    list: LISTS[i % 3] ?? "",
    title: id,
    rank: (i * 7) % 40,
    done: i % 4 === 0,
  }));
  const changes = [
    ...LISTS.map((id) => ({ table: "lists", id, row: { id, name: id, count: 0 } })),
    ...rows.map((row) => ({ table: "items", id: row.id, row })),
  ];
  await first.sync({ changes, cookie: "c", firstSync: { done: true, rows: changes.length } });
  await first.mutate("draft", { id: "a", body: "old" });
  await first.mutate("countUp", { id: "d" });
  store.fold();
  const fewRows: ColdStore["cold"]["window"] = (name, order, seq) =>
    store.cold.window(
      name,
      { ...order, limit: Math.min(order.limit, 1 + ((turns[reads % turns.length] ?? 0) % 8)) },
      seq,
    );
  const model = createQueryRuntime({ schema });
  let isModelled = false;
  /** When all was read anew: rows that the tab did not know, and that are not there any more. */
  const unreadRows = (name: string, edits: readonly RowChange[]): RowChange[] => {
    const edited = new Set(edits.filter(({ table }) => table === name).map(({ id }) => id));
    return [...model.source(name).rows()].flatMap((before) => {
      const id = before["id"] as string;
      const isThere = edited.has(id) || tabs[0]?.runtime.source(name).knows(id) === true;
      return isThere ? [] : [{ table: name, id, before, after: null }];
    });
  };
  // Its streams begin whenever, not in 30 ms.
  const env = {
    ...systemEnv,
    setTimeout: (fn: () => void, ms: number) =>
      systemEnv.setTimeout(fn, ms === limits.streamDelayMs ? (turns[0] ?? 0) * 2 : ms),
  };
  tabs.push(
    await createTestReplica({
      store: { ...store, cold: { ...store.cold, window: fewRows } },
      env,
      clientID: "tab-0",
      post: post(0),
      onCommit: (edits, _, warmed = []) => {
        if (edits.length > 0 && warmed.length > 0) seen.reloads += 1;
        if (!isModelled) return;
        const unread = edits.length > 0 ? warmed.flatMap((name) => unreadRows(name, edits)) : [];
        const exact = edits.map((edit) => ({ ...edit, before: model.source(edit.table).get(edit.id) ?? null }));
        model.commit([...exact, ...unread].filter(({ before, after }) => before !== after));
      },
    }),
    // It takes the epoch last, so it leads.
    await createTestReplica({ store: withLoad(store), clientID: "tab-1", post: post(1) }),
  );
  const [own, second] = tabs as [TestReplica, TestReplica];
  // As it is now, before anything is awaited.
  for (const name of TABLES) model.fill(name, await wholeView(store, own, name));
  model.setStatus("complete");
  isModelled = true;
  if (own.runtime.source("items").isCold) seen.opened += 1;
  return { store, tabs: [own, second], mail, seen, model, watched: new Set(), problems: [] };
}

/** A store that opens as the ones before it did: with all rows. */
function withLoad(store: ColdStore): ColdStore {
  return {
    ...store,
    open: (onChanges) =>
      store.load((table, rows) => onChanges(rows.map((row) => ({ table, id: row["id"] as string, row })))),
    cold: { ...store.cold, isEmpty: () => true },
  };
}

/** What the tab shows of a table, if it had all rows. */
async function wholeView(store: ColdStore, { runtime }: TestReplica, name: string): Promise<Row[]> {
  const rows = new Map<string, Row>();
  await store.load((table, batch) => {
    if (table === name) for (const row of batch) rows.set(row["id"] as string, row);
  });
  const source = runtime.source(name);
  for (const row of source.rows()) rows.set(row["id"] as string, row);
  for (const id of rows.keys()) if (source.knows(id) && source.get(id) === undefined) rows.delete(id);
  return [...rows.values()];
}

async function runStep({ tabs, mail, store, ...world }: World, next: Step): Promise<void> {
  const [cold, leader] = tabs;
  if (next.type === "mutate") await tabs[next.tab].mutate(next.name, next.args).catch(() => undefined);
  else if (next.type === "patch") {
    const { pending } = leader.replica;
    const confirmed = Object.fromEntries(pending.slice(0, next.confirm).map(({ entry }) => [entry.clientID, entry.id]));
    await leader.sync({ changes: next.changes, confirmed, cookie: "c" });
  } else if (next.type === "overtake") {
    mail.isOpen = false;
    await leader.sync({ changes: next.changes, cookie: "c" });
    store.fold();
  } else if (next.type === "watch") watch({ tabs, mail, store, ...world }, next.at);
  else if (next.type === "fold") store.fold();
  else if (next.type === "turn") await nextTurn();
  else {
    mail.isOpen = !mail.isOpen;
    if (mail.isOpen) for (const commit of mail.waiting.splice(0)) cold.replica.receive(commit);
  }
}

function watch({ tabs: [{ runtime }], model, watched, seen, problems }: World, at: number): void {
  const { name, ast } = queries[at] as (typeof queries)[number];
  if (watched.has(at)) return;
  watched.add(at);
  const live = runtime.live(ast);
  const key = (row: ResultRow) => JSON.stringify(row["id"] ?? row);
  const shadow = new Map<string, ResultRow>();
  let isFirst = true;
  const check = (what: string, rows: readonly ResultRow[], wanted: readonly ResultRow[]) => {
    if (JSON.stringify(rows) !== JSON.stringify(wanted))
      problems.push(`${name}: ${what} ${JSON.stringify(rows)}, not ${JSON.stringify(wanted)}`);
  };
  live.subscribe((rows) => {
    if (isFirst) seen[runtime.source("items").isCold ? "early" : "later"] += 1;
    isFirst = false;
    check("delivered", rows, model.select(ast));
  });
  live.subscribeDelta(({ added, removed, changed }) => {
    for (const row of removed) shadow.delete(key(row));
    for (const { before } of changed) shadow.delete(key(before));
    for (const row of added) shadow.set(key(row), row);
    for (const { after } of changed) shadow.set(key(after), after);
    const sorted = (rows: Iterable<ResultRow>) =>
      [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    check("deltas", sorted(shadow.values()), sorted(model.select(ast)));
  });
}

/** What the cold tab knows of a row is what it would be. */
async function expectTruth({ tabs: [{ runtime, replica }], model, seen, problems }: World): Promise<void> {
  expect(problems).toEqual([]);
  for (const name of TABLES) {
    const source = runtime.source(name);
    const whole = model.source(name);
    for (const row of source.rows()) expect(row, name).toEqual(whole.get(row["id"] as string));
    for (const row of whole.rows()) {
      const id = row["id"] as string;
      if (source.knows(id)) expect(source.get(id), name).toEqual(row);
    }
    if (source.isCold && source.size > 0) seen.fetched += 1;
  }
  expect(replica.replicaID).not.toBe("");
}

async function expectEnd(world: World): Promise<void> {
  const { tabs, mail, store, watched, model } = world;
  const [cold, leader] = tabs;
  mail.isOpen = true;
  for (const commit of mail.waiting.splice(0)) cold.replica.receive(commit);
  for (let at = 0; at < queries.length; at++) watch(world, at);
  await cold.replica.settled();
  await leader.replica.settled();
  await cold.replica.whenWarm();
  await cold.replica.whenApplied(0);
  await expectTruth(world);
  expect(watched.size).toBe(queries.length);
  const fresh = await createTestReplica({ store: withLoad(store), clientID: "reader" });
  for (const name of TABLES) {
    expect(cold.view(name), name).toEqual(fresh.view(name));
    expect(leader.view(name), name).toEqual(fresh.view(name));
  }
  expect(cold.events.storage).toEqual([]);
  for (const { ast } of queries) expect(cold.runtime.select(ast)).toEqual(model.select(ast));
}
