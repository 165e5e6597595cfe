import { expect, test } from "vitest";
import { isPlasmaError, PlasmaError } from "../../core/error.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store, StoreCommit } from "../store/store.ts";
import { Deferred } from "./deferred.ts";
import type { ServerOutcome } from "./pending-mutation.ts";
import { PullBuffer } from "./pull-buffer.ts";
import { createTestReplica, schema, type TestReplica } from "./replica.fixture.ts";

const bodies = (tab: TestReplica) => Object.fromEntries([...tab.view("drafts")].map(([id, row]) => [id, row["body"]]));
/** A call; `server` is how its `.server` ends. */
function callOf(tab: TestReplica, name: string, args: unknown) {
  const outcome: ServerOutcome = new Deferred();
  return { durable: tab.mutate(name, args, undefined, outcome), server: outcome.promise };
}

const idsOf = (tab: TestReplica) => tab.replica.pending.map(({ entry }) => entry.id);
const refuse = (id: number) => ({ rejected: [{ clientID: "tab", id, code: "mutation/app", message: "No." }] });

/** Two tabs of one replica; commits reach the other one when `deliver` is called. */
async function twoTabs(store: Store = createMemoryStore(systemEnv)) {
  const posts: { readonly from: number; readonly commit: StoreCommit }[] = [];
  const open = (clientID: string, from: number) =>
    createTestReplica({ store, clientID, post: (commit) => posts.push({ from, commit: structuredClone(commit) }) });
  const tabs = [await open("tab", 0), await open("other", 1)] as const;
  const deliver = async () => {
    for (const { from, commit } of posts.splice(0)) tabs[1 - from]?.replica.receive(commit);
    for (const { replica } of tabs) await replica.whenApplied(0);
  };
  return { tabs, deliver };
}

/** A store whose appends wait, and fail where `error` says so. */
function gated() {
  const inner = createMemoryStore(systemEnv);
  const gate = { open: Promise.resolve(), error: null as unknown };
  const store: Store = {
    load: (onRows) => inner.load(onRows),
    open: (onChanges) => inner.open(onChanges),
    cold: inner.cold,
    append: async (...args) => {
      await gate.open;
      if (gate.error !== null) throw gate.error;
      return inner.append(...args);
    },
    takeEpoch: (replicaID) => inner.takeEpoch(replicaID),
    reign: (replicaID) => inner.reign(replicaID),
    sync: (...args) => inner.sync(...args),
    reset: (keep) => inner.reset(keep),
    close: () => undefined,
  };
  return { store, gate };
}

test("a mutation that writes only local-only tables is durable, not pending, ends at once and gives its id back", async () => {
  const tab = await createTestReplica();
  const { durable, server } = callOf(tab, "draft", { id: "d", body: "typing" });
  await durable;
  expect(await server).toEqual({ clientID: "tab", id: 1 });
  expect([bodies(tab), idsOf(tab)]).toEqual([{ d: "typing" }, []]);
  await tab.mutate("addList", { id: "a", name: "a" });
  expect(idsOf(tab)).toEqual([1]);
  const again = await createTestReplica({ store: tab.store, clientID: "later" });
  expect([bodies(again), idsOf(again)]).toEqual([{ d: "typing" }, [1]]);
});

test("a mutation that writes nothing is sent", async () => {
  const tab = await createTestReplica();
  await tab.mutate("nothing", null);
  await tab.mutate("undraft", { id: "none" });
  expect(idsOf(tab)).toEqual([1, 2]);
});

test("a mutation that writes both is sent, in one commit with its local-only rows; a refusal takes back the synced ones alone", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addListAndDraft", { id: "a", name: "a" });
  expect(tab.events.committed).toMatchObject([
    { type: "append", entries: [{ id: 1 }], changes: [{ table: "drafts", id: "a" }] },
  ]);
  await tab.sync(refuse(1));
  expect([...tab.view("lists").keys()]).toEqual([]);
  expect(bodies(tab)).toEqual({ a: "new" });
});

test("a replay writes nothing local-only again, and a local-only write makes nothing replay", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addListAndDraft", { id: "a", name: "a" });
  await tab.mutate("draft", { id: "a", body: "mine" });
  const before = tab.runs();
  await tab.mutate("draft", { id: "a", body: "mine too" });
  expect(tab.runs() - before).toBe(1);
  // Another list of that id: the pending insert runs again, and fails.
  await tab.sync({ changes: [{ table: "lists", id: "a", row: { id: "a", name: "theirs", count: 0 } }], cookie: "c1" });
  expect(tab.runs() - before).toBe(2);
  expect([bodies(tab), idsOf(tab)]).toEqual([{ a: "mine too" }, [1]]);
  const again = await createTestReplica({ store: tab.store, clientID: "later" });
  expect(bodies(again)).toEqual({ a: "mine too" });
});

test("an insert of a local-only row does not meet its own row in a replay: the synced writes stay", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addListAndNewDraft", { id: "a", name: "a" });
  const again = await createTestReplica({ store: tab.store, clientID: "later" });
  expect([[...again.view("lists").keys()], bodies(again)]).toEqual([["a"], { a: "new" }]);
  expect(again.events.replayFailed).toEqual([]);
});

test("a delete takes local-only rows along, and they stay gone when the server refuses it", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addList", { id: "a", name: "a" });
  await tab.mutate("draftIn", { id: "d", list: "a" });
  expect(bodies(tab)).toEqual({ d: "+" });
  await tab.mutate("dropList", { id: "a" });
  expect(tab.view("drafts").size).toBe(0);
  await tab.sync(refuse(2));
  expect([[...tab.view("lists").keys()], bodies(tab)]).toEqual([["a"], {}]);
});

test("what the disk refuses leaves the view and rejects, `.server` too", async () => {
  const { store, gate } = gated();
  const tab = await createTestReplica({ store });
  await tab.mutate("draft", { id: "d", body: "kept" });
  gate.error = new PlasmaError("client/storage", { what: "QuotaExceededError" });
  const calls = ["d", "e"].map((id) => callOf(tab, "draft", { id, body: "lost" }));
  const ends = await Promise.allSettled(calls.flatMap(({ durable, server }) => [durable, server]));
  const codes = ends.map((end) => end.status === "rejected" && isPlasmaError(end.reason) && end.reason.code);
  expect(codes).toEqual(["client/storage", "client/storage", "client/storage", "client/storage"]);
  expect(bodies(tab)).toEqual({ d: "kept" });
  gate.error = null;
  await tab.mutate("draft", { id: "d", body: "again" });
  expect(bodies(tab)).toEqual({ d: "again" });
});

test("another tab shows it when it is durable; the last write on disk wins in every tab", async () => {
  const { tabs, deliver } = await twoTabs();
  const [one, two] = tabs;
  await one.mutate("draft", { id: "d", body: "of one" });
  await two.mutate("draft", { id: "d", body: "of two" });
  await deliver();
  expect([bodies(one), bodies(two)]).toEqual([{ d: "of two" }, { d: "of two" }]);
  expect(one.delivered).toHaveLength(2);
  // It had shown its own, which is the last: nothing to deliver.
  expect(two.delivered).toHaveLength(1);
});

test("what a tab has just written stays in its view while an earlier commit of another tab comes in", async () => {
  const { store, gate } = gated();
  const { tabs, deliver } = await twoTabs(store);
  const [one, two] = tabs;
  await one.mutate("draft", { id: "d", body: "of one" });
  const hold = Promise.withResolvers<void>();
  gate.open = hold.promise;
  const { durable } = callOf(two, "draft", { id: "d", body: "of two" });
  await two.replica.whenApplied(0);
  await deliver();
  expect(bodies(two)).toEqual({ d: "of two" });
  hold.resolve();
  await durable;
  await deliver();
  expect([bodies(one), bodies(two)]).toEqual([{ d: "of two" }, { d: "of two" }]);
  expect(two.delivered).toHaveLength(1);
});

test("a reset leaves local-only rows alone: no server could give them back", async () => {
  const tab = await createTestReplica();
  await tab.mutate("addListAndDraft", { id: "a", name: "a" });
  await tab.replica.reset();
  expect([[...tab.view("lists").keys()], bodies(tab), idsOf(tab)]).toEqual([[], { a: "new" }, []]);
  await tab.mutate("draft", { id: "b", body: "after" });
  const again = await createTestReplica({ store: tab.store, clientID: "later" });
  expect(bodies(again)).toEqual({ a: "new", b: "after" });
});

test("a re-sync leaves local-only rows alone, also if the server has rows of such a table", () => {
  const buffer = new PullBuffer(schema);
  const value = { id: "d", list: null, body: "theirs" };
  const patch = [{ op: "clear" as const }, { op: "put" as const, table: "drafts", id: "d", value }];
  buffer.add({ cookie: "c1", patch, lastMutationIDs: {} });
  const here = new Map([
    ["drafts", ["mine"]],
    ["lists", ["a"]],
  ]);
  const changes = buffer.changes({ get: () => null, ids: (name) => here.get(name) ?? [] });
  expect(changes).toEqual([{ table: "lists", id: "a", row: null }]);
});

test("a tab that reads the disk anew keeps what it is about to write", async () => {
  const { store, gate } = gated();
  const tab = await createTestReplica({ store });
  await tab.mutate("draft", { id: "d", body: "first" });
  const hold = Promise.withResolvers<void>();
  gate.open = hold.promise;
  const { durable } = callOf(tab, "draft", { id: "d", body: "second" });
  await tab.replica.reload();
  expect(bodies(tab)).toEqual({ d: "second" });
  hold.resolve();
  await durable;
  await tab.replica.reload();
  expect(bodies(tab)).toEqual({ d: "second" });
});
