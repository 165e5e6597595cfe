import { expect, test, vi } from "vitest";
import { PlasmaError, isPlasmaError } from "../../core/error.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { desc, eq } from "../../core/query/expressions.ts";
import { createDb } from "../../core/query/db.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { BaseChange, Store, StoreCommit } from "../store/store.ts";
import { Deferred } from "./deferred.ts";
import { createTestReplica, items, lists, schema, type TestReplica } from "./replica.fixture.ts";

const ROWS = 100_000;
/** Touches per changed row that a logarithmic structure may need; a scan of the table would take ROWS. */
const WORK_MAX = 60;

const dbOf = ({ runtime }: TestReplica) =>
  createDb({
    schema,
    engine: {
      select: async (query) => runtime.select(query),
      live: (query) => runtime.live(query),
      write: async () => undefined,
    },
  });

function failing(store: Store, isFailing: () => boolean): Store {
  return {
    load: (onRows) => store.load(onRows),
    open: (onChanges) => store.open(onChanges),
    cold: store.cold,
    append: async (...args) => {
      if (isFailing()) throw new PlasmaError("client/storage", { what: "QuotaExceededError" });
      return store.append(...args);
    },
    takeEpoch: (replicaID) => store.takeEpoch(replicaID),
    reign: (replicaID) => store.reign(replicaID),
    sync: (...args) => store.sync(...args),
    reset: () => store.reset(),
    close: () => store.close(),
  };
}

test("mutations that the disk refuses leave the view, reject, and give their ids back", async () => {
  let isFailing = false;
  const tab = await createTestReplica({ store: failing(createMemoryStore(systemEnv), () => isFailing) });
  await tab.mutate("addList", { id: "a", name: "kept" });
  isFailing = true;
  const lost = [tab.mutate("addList", { id: "b", name: "lost" }), tab.mutate("countUp", { id: "a" })];
  const errors = await Promise.allSettled(lost);
  expect(
    errors.map((result) => result.status === "rejected" && isPlasmaError(result.reason, "client/storage")),
  ).toEqual([true, true]);
  expect([...tab.view("lists").values()]).toEqual([{ id: "a", name: "kept", count: 0 }]);
  isFailing = false;
  await tab.mutate("countUp", { id: "a" });
  expect(tab.replica.pending.map(({ entry }) => entry.id)).toEqual([1, 2]);
  expect(tab.events.storage).toHaveLength(1);
});

test("a disk that could not be read after a failure is read before the next mutation, or in a while", async () => {
  let isFailing = false;
  let loads = 0;
  const store = createMemoryStore(systemEnv);
  const refusing = {
    ...failing(store, () => isFailing),
    load: (onRows: Parameters<Store["load"]>[0]) => {
      loads += 1;
      if (isFailing) throw new PlasmaError("client/storage", { what: "UnknownError" });
      return store.load(onRows);
    },
  };
  const tab = await createTestReplica({ store: refusing });
  isFailing = true;
  await expect(tab.mutate("addList", { id: "a", name: "lost" })).rejects.toThrow("QuotaExceededError");
  await expect(tab.mutate("addList", { id: "b", name: "refused" })).rejects.toThrow("UnknownError");
  isFailing = false;
  await tab.mutate("addList", { id: "c", name: "kept" });
  expect(tab.replica.pending.map(({ entry }) => entry.id)).toEqual([1]);
  isFailing = true;
  await expect(tab.mutate("countUp", { id: "c" })).rejects.toThrow("QuotaExceededError");
  isFailing = false;
  const before = loads;
  // Nobody asks for it.
  await vi.waitFor(() => expect(loads).toBeGreaterThan(before), 5000);
  await tab.mutate("countUp", { id: "c" });
  expect(tab.replica.pending.map(({ entry }) => entry.id)).toEqual([1, 2]);
});

test("a mutator that throws at the call has no effect and uses no id", async () => {
  const tab = await createTestReplica();
  await expect(tab.mutate("countUp", { id: "nowhere" })).rejects.toThrow("The list is gone.");
  await tab.mutate("addList", { id: "a", name: "first" });
  expect(tab.replica.pending.map(({ entry }) => entry.id)).toEqual([1]);
});

test("a pull that confirms a mutation with the same result delivers nothing", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addList", { id: "a", name: "mine" });
  const deliveries: unknown[] = [];
  dbOf(tab)
    .select()
    .from(lists)
    .live()
    .subscribe((rows) => deliveries.push(rows));
  await vi.waitFor(() => expect(deliveries).toHaveLength(1));
  tab.delivered.length = 0;
  const firstSync = { done: true, rows: 1 };
  await tab.sync({
    changes: [{ table: "lists", id: "a", row: { id: "a", name: "mine", count: 0 } }],
    confirmed: { tab: 1 },
    cookie: "c1",
  });
  expect(tab.delivered).toEqual([]);
  expect(deliveries).toHaveLength(1);
  expect(tab.replica.pending).toEqual([]);
  await tab.sync({ firstSync });
  expect(tab.replica.firstSync).toEqual(firstSync);
});

test("a refused mutation leaves the view at once, and what built on it is replayed without it", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addList", { id: "a", name: "refused" });
  await tab.mutate("countUp", { id: "a" });
  await tab.mutate("addList", { id: "b", name: "stays" });
  await tab.sync({ rejected: [{ clientID: "tab", id: 1, code: "auth/denied", message: "no" }] });
  expect([...tab.view("lists").keys()]).toEqual(["b"]);
  expect(tab.events.rejected).toEqual(["auth/denied"]);
  // It stays in the outbox: the server decides about it. It is told once, however often it fails.
  expect(tab.events.replayFailed).toEqual(["countUp"]);
  await tab.sync({ changes: [{ table: "lists", id: "a", row: { id: "a", name: "again", count: 5 } }] });
  await tab.sync({ changes: [{ table: "lists", id: "a", row: null }] });
  expect(tab.events.replayFailed).toEqual(["countUp"]);
  expect(tab.replica.pending.map(({ entry }) => entry.id)).toEqual([2, 3]);
});

test("a commit of another tab whose message got lost is read from disk", async () => {
  const store = createMemoryStore(systemEnv);
  const tab = await createTestReplica({ store, clientID: "here" });
  let lost: StoreCommit[] = [];
  const other = await createTestReplica({ store, clientID: "there", post: (commit) => lost.push(commit) });
  await other.mutate("addList", { id: "a", name: "unheard" });
  await other.mutate("countUp", { id: "a" });
  expect(tab.view("lists").size).toBe(0);
  // An own entry that is durable waits for its place, too.
  await tab.mutate("addList", { id: "own", name: "own" });
  // Only the second message arrives.
  for (const commit of lost.slice(1)) tab.replica.receive(commit);
  lost = [];
  await vi.waitFor(() => expect(tab.view("lists").get("a")).toEqual({ id: "a", name: "unheard", count: 1 }));
  expect(
    tab.replica.pending.map(({ entry, order }) => [entry.clientID, entry.id, order, "order" in entry && entry.order]),
  ).toEqual([
    ["there", 1, 1, 1],
    ["there", 2, 2, 2],
    ["here", 1, 3, 3],
  ]);
});

test("a commit that nobody tells of is read from disk once the disk is known to hold it", async () => {
  const store = createMemoryStore(systemEnv);
  const tab = await createTestReplica({ store, clientID: "here" });
  const told: StoreCommit[] = [];
  const other = await createTestReplica({ store, clientID: "dying", post: (commit) => told.push(commit) });
  await other.mutate("addList", { id: "a", name: "told late" });
  tab.replica.heardOf((await store.reign(tab.replica.replicaID)).seq);
  // It was on its way: nothing is read.
  for (const commit of told) tab.replica.receive(commit);
  await vi.waitFor(() => expect(tab.view("lists").get("a")).toBeDefined());
  await other.mutate("addList", { id: "b", name: "never told" });
  tab.replica.heardOf((await store.reign(tab.replica.replicaID)).seq);
  await vi.waitFor(() => expect([...tab.view("lists").keys()].sort()).toEqual(["a", "b"]));
  expect(tab.replica.pending.map(({ order }) => order)).toEqual([1, 2]);
});

test("a mutation that becomes durable while the disk is read anew stays in view, and its id is used once", async () => {
  const store = createMemoryStore(systemEnv);
  const [isShown, hasRead, isAppended] = [new Deferred<void>(), new Deferred<void>(), new Deferred<void>()];
  let isSlow = false;
  const tab = await createTestReplica({
    store: {
      ...failing(store, () => false),
      load: async (onRows) => {
        const state = await store.load(onRows);
        if (isSlow) {
          hasRead.resolve();
          await isAppended.promise;
        }
        return state;
      },
      append: async (replicaID, entries) => {
        isShown.resolve();
        if (isSlow) await hasRead.promise;
        return store.append(replicaID, entries);
      },
    },
  });
  isSlow = true;
  const made = tab.mutate("addList", { id: "a", name: "made meanwhile" });
  await isShown.promise;
  void made.then(() => isAppended.resolve());
  await tab.replica.reload();
  isSlow = false;
  await tab.mutate("countUp", { id: "a" });
  expect(tab.delivered.map((changes) => changes.map(({ after }) => after))).toEqual([
    [{ id: "a", name: "made meanwhile", count: 0 }],
    [{ id: "a", name: "made meanwhile", count: 1 }],
  ]);
  expect(tab.replica.pending.map(({ entry, order }) => [entry.id, order])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test("a refusal whose message got lost is told when the disk is read, by the tab that made the mutation alone", async () => {
  const store = createMemoryStore(systemEnv);
  const tab = await createTestReplica({ store, clientID: "here" });
  const leader = await createTestReplica({ store, clientID: "there" });
  await tab.mutate("addList", { id: "a", name: "refused" });
  await tab.mutate("addList", { id: "b", name: "applied" });
  await leader.mutate("addList", { id: "c", name: "refused, too" });
  await Promise.all([leader.replica.reload(), tab.replica.reload()]);
  const error = { code: "auth/denied", message: "no" };
  const rejected = [
    { clientID: "here", id: 1, ...error },
    { clientID: "there", id: 1, ...error },
  ];
  await leader.sync({ rejected, confirmed: { here: 2 } });
  await tab.replica.reload();
  expect(tab.events.rejected).toEqual(["auth/denied"]);
  expect(tab.replica.pending).toEqual([]);
});

test("a tab whose replica was reset by another takes its undurable mutations back and starts anew", async () => {
  const store = createMemoryStore(systemEnv);
  const tab = await createTestReplica({ store });
  await tab.mutate("addList", { id: "a", name: "old" });
  const old = tab.replica.replicaID;
  await store.reset();
  await expect(tab.mutate("addList", { id: "b", name: "too late" })).rejects.toSatisfy((error) =>
    isPlasmaError(error, "client/deposed"),
  );
  await vi.waitFor(() => expect(tab.replica.replicaID).not.toBe(old));
  expect(tab.view("lists").size).toBe(0);
  expect(tab.replica.clientID).not.toBe("tab");
  await tab.mutate("addList", { id: "c", name: "new" });
  expect(tab.replica.pending.map(({ entry }) => [entry.clientID, entry.id])).toEqual([[tab.replica.clientID, 1]]);
});

test("a commit of the replica before a reset, heard behind it, changes nothing; one of the new replica waits for its tab", async () => {
  const store = createMemoryStore(systemEnv);
  const commits: StoreCommit[] = [];
  const [tab, other] = [
    await createTestReplica({ store, clientID: "here" }),
    await createTestReplica({ store, clientID: "there", post: (commit) => commits.push(commit) }),
  ];
  await other.mutate("addList", { id: "a", name: "old" });
  await other.mutate("addList", { id: "c", name: "old, too" });
  await other.replica.reset();
  await other.mutate("addList", { id: "b", name: "new" });
  const [, old, fresh] = commits as [StoreCommit, StoreCommit, StoreCommit];
  expect([old.seq, fresh.seq]).toEqual([2, 1]);
  tab.replica.receive(fresh);
  await tab.replica.reload();
  tab.replica.receive(old);
  await tab.replica.settled();
  expect([...tab.view("lists").values()].map(({ name }) => name)).toEqual(["new"]);
  await tab.mutate("countUp", { id: "b" });
  expect(tab.replica.pending.map(({ entry, order }) => [entry.name, order])).toEqual([
    ["addList", 1],
    ["countUp", 2],
  ]);
});

test("a clientID of an earlier page is kept only when the store knows it and no other page uses it", async () => {
  const store = createMemoryStore(systemEnv);
  await (await createTestReplica({ store, clientID: "known" })).mutate("addList", { id: "a", name: "first" });
  const idsOf = async (clientID: string, reused: "owned" | "copied") => {
    const tab = await createTestReplica({ store, clientID, reused });
    await tab.mutate("countUp", { id: "a" });
    return tab.replica.pending.at(-1)?.entry;
  };
  expect(await idsOf("known", "owned")).toMatchObject({ clientID: "known", id: 2 });
  expect(await idsOf("known", "copied")).toMatchObject({ clientID: expect.not.stringMatching("known"), id: 1 });
  expect(await idsOf("evicted", "owned")).toMatchObject({ clientID: expect.not.stringMatching("evicted"), id: 1 });
});

test("a renumbered outbox goes on under the new client", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addList", { id: "a", name: "one" });
  await tab.mutate("countUp", { id: "a" });
  const entries = tab.replica.pending.map(({ entry, order }, i) => ({
    ...entry,
    order: order ?? 0,
    clientID: "renamed",
    id: i + 1,
  }));
  await tab.sync({ replace: entries });
  await tab.mutate("countUp", { id: "a" });
  expect(tab.replica.pending.map(({ entry }) => [entry.clientID, entry.id])).toEqual([
    ["renamed", 1],
    ["renamed", 2],
    ["renamed", 3],
  ]);
  await tab.sync({ confirmed: { renamed: 3 } });
  expect(tab.replica.pending).toEqual([]);
});

test(`no work grows with the table: mutations, pulls and rebases over ${ROWS} rows`, async () => {
  const tab = await createTestReplica();
  const rows: BaseChange[] = Array.from({ length: ROWS }, (_, i) => {
    const id = `i${String(i).padStart(6, "0")}`;
    return { table: "items", id, row: { id, list: `l${i % 1000}`, title: `Item ${i}`, rank: i, done: false } };
  });
  const someLists = Array.from({ length: 1000 }, (_, i): BaseChange => ({
    table: "lists",
    id: `l${i}`,
    row: { id: `l${i}`, name: `List ${i}`, count: 0 },
  }));
  await tab.sync({ changes: [...rows, ...someLists], cookie: "c1", firstSync: { done: true, rows: ROWS } });
  const top = dbOf(tab).select().from(items).where(eq(items.done, false)).orderBy(desc(items.rank)).limit(50).live();
  await top.whenReady();
  const stop = top.subscribe(() => undefined);
  // The first use of an index builds it.
  await tab.mutate("addItem", { list: "l1", title: "builds the index of lists" });
  await tab.mutate("addList", { id: "extra", name: "builds the index of names" });

  const work = async (task: () => Promise<unknown>) => {
    const before = tab.runtime.work.rows;
    await task();
    return tab.runtime.work.rows - before;
  };
  const itemsPerList = ROWS / 1000;
  expect(await work(() => tab.mutate("countUp", { id: "l5" })), "by id").toBeLessThan(WORK_MAX);
  expect(
    await work(() => tab.mutate("addList", { id: "new", name: "A new list" })),
    "with a unique look-up",
  ).toBeLessThan(WORK_MAX);
  expect(await work(() => tab.mutate("addItem", { list: "l7", title: "new" })), "reads the list's items").toBeLessThan(
    WORK_MAX + 3 * itemsPerList,
  );
  const pulled = { id: "i000001", list: "l1", title: "pulled", rank: 1, done: true };
  expect(
    await work(() => tab.sync({ changes: [{ table: "items", id: pulled.id, row: pulled }] })),
    "a pull of one row",
  ).toBeLessThan(WORK_MAX + 6 * itemsPerList);
  expect(await work(() => tab.sync({ confirmed: { tab: 2 } })), "a pull that confirms").toBeLessThan(
    WORK_MAX + 6 * itemsPerList,
  );
  stop();
});

test("a rebase runs only the mutations that depend on what changed", async () => {
  const tab = await createTestReplica();
  const ids = Array.from({ length: 100 }, (_, i) => `l${i}`);
  await tab.sync({ changes: ids.map((id) => ({ table: "lists", id, row: { id, name: id, count: 0 } })) });
  for (const id of ids) await tab.mutate("countUp", { id });
  const before = tab.runs();
  await tab.sync({ changes: [{ table: "lists", id: "l3", row: { id: "l3", name: "l3", count: 10 } }] });
  expect(tab.runs() - before).toBe(1);
  expect(tab.view("lists").get("l3")).toMatchObject({ count: 11 });
});
