import { expect, test, vi } from "vitest";
import { PlasmaError, isPlasmaError } from "../../core/error.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import type { PullResponse } from "../../core/protocol/pull.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";
import { ReplicaSync } from "./replica-sync.ts";
import { createTestReplica, schema } from "./replica.fixture.ts";

/** A store whose `sync` waits for `release`, and fails when told to. */
function slowStore(): { store: Store; release: (error?: unknown) => void } {
  const inner = createMemoryStore(systemEnv);
  let release: (error?: unknown) => void = () => undefined;
  const store: Store = {
    load: (onRows) => inner.load(onRows),
    open: (onChanges) => inner.open(onChanges),
    cold: inner.cold,
    append: (...args) => inner.append(...args),
    takeEpoch: (replicaID) => inner.takeEpoch(replicaID),
    reign: (replicaID) => inner.reign(replicaID),
    sync: async (...args) => {
      const error = await new Promise<unknown>((resolve) => (release = resolve));
      if (error !== undefined) throw error;
      return inner.sync(...args);
    },
    reset: () => inner.reset(),
    close: () => inner.close(),
  };
  return { store, release: (error) => release(error) };
}

async function leader() {
  const { store, release } = slowStore();
  const tab = await createTestReplica({ store });
  const sync = new ReplicaSync({
    schema,
    schemaVersion: "1",
    replica: tab.replica,
    replicaID: tab.replica.replicaID,
    store,
    env: systemEnv,
    epoch: 1,
    committed: (commit) => tab.replica.receive(commit),
    applied: (ids) => tab.replica.applied(ids),
  });
  return { tab, sync, release };
}

const page = (more: Partial<PullResponse>): PullResponse => ({ cookie: "c1", patch: [], lastMutationIDs: {}, ...more });
const put = (id: string, name: string) => ({ op: "put", table: "lists", id, value: { id, name, count: 0 } }) as const;

test("a page asked for before the replica was reset is nothing to the new one, whatever its leader's epoch", async () => {
  const { tab, sync } = await leader();
  await tab.replica.reset();
  await tab.store.takeEpoch(tab.replica.replicaID);
  const late = await sync.pulled(page({ patch: [put("a", "late")] })).catch((error: unknown) => error);
  expect(isPlasmaError(late, "client/deposed")).toBe(true);
  expect([tab.view("lists").size, tab.replica.cookie, tab.replica.firstSync.done]).toEqual([0, null, false]);
});

test("a leader asks the disk for its reign once in a while, and ends when another tab has taken over", async () => {
  const env = createVirtualEnv();
  const tab = await createTestReplica({});
  const { store, replica } = tab;
  let asked = 0;
  const asking: Store = Object.assign(Object.create(store) as Store, {
    reign: (replicaID: string) => {
      asked += 1;
      return store.reign(replicaID);
    },
  });
  const { replicaID } = replica;
  const { epoch } = await store.takeEpoch(replicaID);
  const wires = { schema, schemaVersion: "1", replica, replicaID, env, epoch };
  const sync = new ReplicaSync({ ...wires, store: asking, committed: () => undefined, applied: () => undefined });
  for (let ms = 0; ms < 3 * limits.reignCheckMs; ms += limits.reignCheckMs / 4) {
    await sync.confirmReign();
    await env.advance(limits.reignCheckMs / 4);
  }
  expect(asked).toBe(2);
  await store.takeEpoch(replicaID);
  await env.advance(limits.reignCheckMs);
  await expect(sync.confirmReign()).rejects.toSatisfy((error) => isPlasmaError(error, "client/deposed"));
});

test("a page is shown while it is written, and once", async () => {
  const { tab, sync, release } = await leader();
  const pulled = sync.pulled(page({ patch: [put("a", "pulled")] }));
  await vi.waitFor(() => expect(tab.view("lists").size).toBe(1));
  // A mutation between the two builds on what is shown.
  await tab.mutate("countUp", { id: "a" });
  expect(tab.view("lists").get("a")).toEqual({ id: "a", name: "pulled", count: 1 });
  const runs = tab.runs();
  release();
  await pulled;
  expect(tab.view("lists").get("a")).toEqual({ id: "a", name: "pulled", count: 1 });
  expect(tab.runs(), "the durable commit replays nothing").toBe(runs);
  expect(tab.delivered).toHaveLength(2);
});

test("a page that cannot be written leaves the view again, and mutations stay", async () => {
  const { tab, sync, release } = await leader();
  await tab.mutate("addList", { id: "mine", name: "mine" });
  const pulled = sync.pulled(page({ patch: [put("a", "pulled")], lastMutationIDs: { tab: 1 } }));
  await vi.waitFor(() => expect([...tab.view("lists").keys()]).toEqual(["a"]));
  release(new PlasmaError("client/storage", { what: "QuotaExceededError" }));
  await expect(pulled).rejects.toSatisfy((error) => isPlasmaError(error, "client/storage"));
  expect([...tab.view("lists").keys()]).toEqual(["mine"]);
  expect(tab.replica.pending.map(({ entry }) => entry.id)).toEqual([1]);
  expect(tab.replica.cookie).toBeNull();
});

test("a refusal is told when it is durable", async () => {
  const { tab, sync, release } = await leader();
  await tab.mutate("addList", { id: "a", name: "refused" });
  const pushed = sync.pushed([
    { clientID: "tab", id: 1, status: "rejected", error: { code: "auth/denied", message: "no" } },
  ]);
  await tab.mutate("addList", { id: "b", name: "other" });
  expect(tab.events.rejected).toEqual([]);
  release();
  await pushed;
  expect(tab.events.rejected).toEqual(["auth/denied"]);
  expect([...tab.view("lists").keys()]).toEqual(["b"]);
});

test("an applied mutation that a later catch-up does not confirm is pushed again; an earlier one says nothing of it", async () => {
  const { tab, sync, release } = await leader();
  const pull = async (more: Partial<PullResponse>) => {
    const pulled = sync.pulled(page(more));
    await new Promise((resolve) => setTimeout(resolve));
    release();
    await pulled;
  };
  const sent = () => sync.nextPush(10, 1e6).map(({ id }) => id);
  await tab.mutate("addList", { id: "mine", name: "mine" });
  await vi.waitFor(() => expect(sent()).toEqual([1]));
  sync.pullCookie();
  await sync.pushed([{ clientID: "tab", id: 1, status: "applied" }]);
  await pull({ cookie: "c1" });
  expect(sent(), "that pull may have been answered before the push").toEqual([]);
  sync.pullCookie();
  await pull({ cookie: "c2", patch: [{ op: "clear" }] });
  expect(sent()).toEqual([1]);
  await sync.pushed([{ clientID: "tab", id: 1, status: "applied" }]);
  sync.pullCookie();
  await pull({ cookie: "c3", lastMutationIDs: { tab: 1 } });
  expect([sent(), tab.replica.pending]).toEqual([[], []]);
});

test("after a gap in which a refused id is missing, what the server does not know goes on under a new client", async () => {
  const { tab, sync, release } = await leader();
  for (const id of ["a", "b", "c", "d"]) await tab.mutate("addList", { id, name: id });
  const sent = () => sync.nextPush(10, 1e6).map(({ clientID, id, args }) => ({ isNew: clientID !== "tab", id, args }));
  await vi.waitFor(() => expect(sent()).toHaveLength(4));
  const refused = sync.pushed([
    { clientID: "tab", id: 3, status: "rejected", error: { code: "auth/denied", message: "no" } },
  ]);
  release();
  await refused;
  // A backup was restored: the server knows the first and neither the refusal nor the rest.
  const mended = sync.pushGap("tab", 1);
  release();
  await mended;
  expect(sent()).toEqual([
    { isNew: true, id: 1, args: { id: "b", name: "b" } },
    { isNew: true, id: 2, args: { id: "d", name: "d" } },
  ]);
  expect(tab.replica.pending.map(({ entry, state }) => [entry.clientID === "tab", state])).toEqual([
    [true, "applied"],
    [false, "sent"],
    [false, "sent"],
  ]);
});
