import { expect, test } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { StoreCommit } from "../store/store.ts";
import { Deferred } from "./deferred.ts";
import type { ServerOutcome } from "./pending-mutation.ts";
import type { AppliedMutation } from "./replica-deps.ts";
import { ReplicaSync } from "./replica-sync.ts";
import { createTestReplica, schema, type TestReplica } from "./replica.fixture.ts";

/** A leading tab and another of the same replica, on virtual time. */
async function twoTabs() {
  const env = createVirtualEnv();
  const store = createMemoryStore(env);
  const tabs: TestReplica[] = [];
  const post = (from: number) => (commit: StoreCommit) => tabs[1 - from]?.replica.receive(structuredClone(commit));
  tabs.push(await createTestReplica({ store, clientID: "lead", post: post(0) }));
  tabs.push(await createTestReplica({ store, clientID: "other", post: post(1) }));
  const [lead, other] = tabs as [TestReplica, TestReplica];
  const applied: AppliedMutation[] = [];
  const sync = new ReplicaSync({
    schema,
    schemaVersion: "1",
    replica: lead.replica,
    replicaID: lead.replica.replicaID,
    store,
    env,
    epoch: (await store.takeEpoch(lead.replica.replicaID)).epoch,
    committed: (commit) => {
      lead.replica.receive(commit);
      other.replica.receive(structuredClone(commit));
    },
    applied: (ids) => {
      applied.push(...ids);
      lead.replica.applied(ids);
    },
  });
  const add = (tab: TestReplica, id: string, files?: readonly string[], outcome?: ServerOutcome) =>
    tab.mutate("addList", { id, name: id }, files, outcome);
  const next = () => sync.nextPush(200, limits.pushBytesMax).map(({ clientID, id }) => `${clientID} ${id}`);
  const heard = async () => {
    for (const tab of tabs) await tab.replica.whenApplied(0);
  };
  return { env, sync, lead, other, applied, add, next, heard };
}

const filesOf = (sync: ReplicaSync) => sync.filesToUpload().map(({ hash }) => hash);

test("a mutation waits for its files, the later ones of its client behind it, and other clients go on", async () => {
  const { env, sync, lead, other, add, next, heard } = await twoTabs();
  await add(lead, "a");
  await add(lead, "b", ["f1", "f2"]);
  await add(other, "c");
  await add(lead, "d");
  await add(other, "e", ["f2", "f3"]);
  await heard();
  expect(next()).toEqual(["lead 1", "other 1"]);
  expect(filesOf(sync)).toEqual(["f1", "f2", "f3"]);
  sync.fileUploaded("f2", env.now());
  expect(next()).toEqual(["lead 1", "other 1"]);
  sync.fileUploaded("f1", env.now());
  expect(next()).toEqual(["lead 1", "lead 2", "other 1", "lead 3"]);
  expect(filesOf(sync)).toEqual(["f3"]);
});

test("what the server is known to have is asked about again before it may have collected it", async () => {
  const { env, sync, lead, add, next } = await twoTabs();
  await add(lead, "a", ["f1"]);
  sync.fileUploaded("f1", env.now());
  await env.advance(limits.uploadKnownMs - 1);
  expect(next()).toEqual(["lead 1"]);
  await env.advance(1);
  expect([next(), filesOf(sync)]).toEqual([[], ["f1"]]);
});

test("a refused file takes its mutations out of every tab, and the ones behind move down and go on", async () => {
  const { env, sync, lead, other, applied, add, next, heard } = await twoTabs();
  const outcomes = ["a", "b", "c"].map((): ServerOutcome => new Deferred());
  await add(other, "a", ["bad"], outcomes[0]);
  await add(other, "b", ["good"], outcomes[1]);
  await add(lead, "x", ["bad"]);
  await add(lead, "y");
  await add(other, "c", undefined, outcomes[2]);
  await heard();
  await sync.fileRefused("bad", "The file is too large.");
  await heard();
  for (const tab of [lead, other]) {
    expect([...tab.view("lists").keys()].sort()).toEqual(["b", "c", "y"]);
    expect(tab.replica.pending.map(({ entry }) => `${entry.clientID} ${entry.id}`)).toEqual([
      "other 1",
      "lead 1",
      "other 2",
    ]);
    expect(tab.events.rejected).toEqual(["blob/refused", "blob/refused"]);
  }
  await expect(outcomes[0]?.promise).rejects.toThrow("The file is too large.");
  sync.fileUploaded("good", env.now());
  expect(next()).toEqual(["other 1", "lead 1", "other 2"]);
  await sync.pushed([{ clientID: "other", id: 1, status: "applied" }]);
  other.replica.applied(applied);
  expect(await outcomes[1]?.promise).toEqual({ clientID: "other", id: 1 });
  await add(other, "d");
  expect(other.replica.pending.at(-1)?.entry.id).toBe(3);
});

test("what was sent is never taken out here: the server decides about it", async () => {
  const { env, sync, lead, add, next } = await twoTabs();
  await add(lead, "a", ["f1"]);
  sync.fileUploaded("f1", env.now());
  expect(next()).toEqual(["lead 1"]);
  await sync.fileRefused("f1", "no");
  expect(lead.replica.pending).toHaveLength(1);
});

test("a file that cannot be had here holds the mutations of that moment no more; later ones wait for it anew", async () => {
  const { env, sync, lead, other, add, next, heard } = await twoTabs();
  await add(lead, "a", ["gone"]);
  sync.fileLetGo("gone");
  expect([filesOf(sync), next()]).toEqual([[], ["lead 1"]]);
  await add(other, "b", ["gone"]);
  await heard();
  expect([filesOf(sync), next()]).toEqual([["gone"], ["lead 1"]]);
  sync.fileUploaded("gone", env.now());
  expect(next()).toEqual(["lead 1", "other 1"]);
});

test("a file that was refused is sent again for a mutation that is made later", async () => {
  const { sync, lead, add, next } = await twoTabs();
  await add(lead, "a", ["f1"]);
  await sync.fileRefused("f1", "The user's quota is used up.");
  sync.fileLetGo("f1");
  await add(lead, "b", ["f1"]);
  expect([filesOf(sync), next()]).toEqual([["f1"], []]);
});
