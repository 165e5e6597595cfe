// Owns: the property that holds the replica together: whatever mutations, patches, confirmations, refusals and entries of
// other tabs come in whatever order, the view equals the one that a fresh replica builds from disk, and the delivered
// changes add up to it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { sameRow } from "../../core/lib/deep-equal.ts";
import type { Row } from "../../core/schema/value.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { BaseChange, StoreCommit } from "../store/store.ts";
import { createTestReplica, type TestReplica } from "./replica.fixture.ts";

const RUNS = 300;
const STEPS_MAX = 40;

type Step =
  | { readonly type: "mutate"; readonly tab: 0 | 1; readonly name: string; readonly args: unknown }
  | { readonly type: "patch"; readonly changes: readonly BaseChange[]; readonly confirm: number }
  /** One call in each tab, at the same time. */
  | { readonly type: "race"; readonly calls: readonly { readonly name: string; readonly args: unknown }[] }
  | { readonly type: "reject" | "unsent"; readonly at: number }
  /** From now on the first tab hears nothing, or, if it did not, everything at once. */
  | { readonly type: "deafen" };

const listID = fc.constantFrom("a", "b", "c");
const tab = fc.constantFrom<0 | 1>(0, 1);
const call = (name: string, args: fc.Arbitrary<unknown>): fc.Arbitrary<Step> =>
  fc.record({ type: fc.constant("mutate" as const), tab, name: fc.constant(name), args });

const listRow = fc.record({ id: listID, name: fc.constantFrom("x", "y", "z", "w"), count: fc.nat(3) });
const itemRow = fc.record({
  id: fc.constantFrom("i1", "i2", "i3"),
  list: listID,
  title: fc.constant("pulled"),
  rank: fc.nat(5),
  done: fc.boolean(),
});
const baseChange: fc.Arbitrary<BaseChange> = fc.oneof(
  listRow.map((row) => ({ table: "lists", id: row.id, row })),
  itemRow.map((row) => ({ table: "items", id: row.id, row })),
  listID.map((id) => ({ table: "lists", id, row: null })),
  fc.constantFrom("i1", "i2", "i3").map((id) => ({ table: "items", id, row: null })),
);

const draft = fc.record({ id: listID, body: fc.constantFrom("p", "q", "r") });
const raceCall = fc.oneof(
  draft.map((args) => ({ name: "draft", args })),
  listID.map((id) => ({ name: "undraft", args: { id } })),
  fc.record({ id: listID, name: fc.constantFrom("x", "y") }).map((args) => ({ name: "addListAndDraft", args })),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  call("addList", fc.record({ id: listID, name: fc.constantFrom("x", "y", "z") })),
  call("addList", fc.record({ id: listID, name: fc.constantFrom("x", "y", "z") })),
  call("dropList", fc.record({ id: listID })),
  call("addItem", fc.record({ list: listID, title: fc.constantFrom("one", "two") })),
  call("countUp", fc.record({ id: listID })),
  call("countUp", fc.record({ id: listID })),
  call("addCounted", fc.record({ list: listID })),
  call("addCounted", fc.record({ list: listID })),
  call("finishAbove", fc.record({ rank: fc.nat(3) })),
  call("draft", draft),
  call("draftIn", fc.record({ id: listID, list: listID })),
  call("undraft", fc.record({ id: listID })),
  call("addListAndDraft", fc.record({ id: listID, name: fc.constantFrom("x", "y", "z") })),
  fc.record({ type: fc.constant("race" as const), calls: fc.array(raceCall, { minLength: 2, maxLength: 2 }) }),
  fc.record({
    type: fc.constant("patch" as const),
    changes: fc.array(baseChange, { maxLength: 3 }),
    confirm: fc.nat(4),
  }),
  listID.map((id) => ({ type: "patch" as const, changes: [{ table: "lists", id, row: null }], confirm: 0 })),
  fc.record({ type: fc.constantFrom("reject" as const, "unsent" as const, "unsent" as const), at: fc.nat(5) }),
  fc.constant({ type: "deafen" as const }),
);

test(
  `the view equals a rebuild from disk, and deliveries add up to it (${RUNS} runs)`,
  { timeout: 60_000 },
  async () => {
    const seen = { replays: 0, kept: 0, rejected: 0, unsent: 0, late: 0, confirmed: 0, replayFailed: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: STEPS_MAX }), async (steps) => {
        const world = await twoTabs();
        const { tabs, mail } = world;
        const shadows = [new Map<string, Row>(), new Map<string, Row>()] as const;
        for (const next of steps) {
          const before = tabs.map((each) => each.runs());
          await runStep(world, next, seen);
          seen.replays += tabs[0].runs() - (before[0] ?? 0);
          seen.kept += tabs[0].replica.pending.length;
          tabs.forEach((each, i) => replayDeliveries(each, shadows[i] as Map<string, Row>));
          if (mail.isOpen) await expectRebuilt(tabs);
        }
        seen.replayFailed += tabs[0].events.replayFailed.length;
        for (const each of tabs) expect(each.events.storage).toEqual([]);
      }),
      { numRuns: RUNS, seed: 1 },
    );
    // The property proves nothing when the interesting branches never ran.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(20);
    expect(seen.kept, "most pending mutations keep their effect").toBeGreaterThan(seen.replays);
  },
);

/** What the first tab is told by the other. */
interface Mail {
  isOpen: boolean;
  readonly waiting: StoreCommit[];
}

interface World {
  readonly tabs: [TestReplica, TestReplica];
  readonly mail: Mail;
  /** Ids up to which the server has heard of a client's mutations. */
  readonly sent: Map<string, number>;
}

async function twoTabs(): Promise<World> {
  const store = createMemoryStore(systemEnv);
  const tabs: TestReplica[] = [];
  const mail: Mail = { isOpen: true, waiting: [] };
  const post = (from: number) => (commit: StoreCommit) => {
    if (from === 1 && !mail.isOpen) mail.waiting.push(structuredClone(commit));
    else tabs[1 - from]?.replica.receive(structuredClone(commit));
  };
  tabs.push(await createTestReplica({ store, clientID: "tab-0", post: post(0) }));
  tabs.push(await createTestReplica({ store, clientID: "tab-1", post: post(1) }));
  return { tabs: tabs as [TestReplica, TestReplica], mail, sent: new Map() };
}

async function runStep(
  { tabs, mail, sent }: World,
  next: Step,
  seen: { rejected: number; unsent: number; late: number; confirmed: number },
): Promise<void> {
  // The second tab took the epoch last: it leads.
  const leader = tabs[1];
  const { pending } = leader.replica;
  if (next.type === "mutate") {
    // A mutator may refuse (a list that is not there): nothing has happened then.
    await tabs[next.tab].mutate(next.name, next.args).catch(() => undefined);
  } else if (next.type === "race") {
    await Promise.allSettled(next.calls.map(({ name, args }, i) => tabs[i === 0 ? 0 : 1].mutate(name, args)));
  } else if (next.type === "patch") {
    const confirmed = Object.fromEntries(pending.slice(0, next.confirm).map(({ entry }) => [entry.clientID, entry.id]));
    seen.confirmed += Object.keys(confirmed).length;
    for (const [clientID, id] of Object.entries(confirmed)) hear(sent, { clientID, id });
    await leader.sync({ changes: next.changes, confirmed, cookie: String(leader.replica.cookie) });
  } else if (next.type === "deafen") {
    mail.isOpen = !mail.isOpen;
    if (mail.isOpen) for (const commit of mail.waiting.splice(0)) tabs[0].replica.receive(commit);
  } else {
    const entry = pending[next.at % Math.max(1, pending.length)]?.entry;
    if (entry === undefined) return;
    const { clientID, id, seed } = entry;
    const rejection = { clientID, id, code: "mutation/app", message: "no" };
    if (next.type === "unsent") {
      if (id <= (sent.get(clientID) ?? 0)) return;
      seen.unsent += 1;
      if (!mail.isOpen && clientID === "tab-0") seen.late += 1;
      await leader.sync({ unsent: { ...rejection, seed } });
    } else {
      seen.rejected += 1;
      hear(sent, entry);
      await leader.sync({ rejected: [rejection] });
    }
  }
  const seq = Math.max(...tabs.map(({ events }) => events.committed.at(-1)?.seq ?? 0));
  for (const each of mail.isOpen ? tabs : [leader]) await each.replica.whenApplied(seq);
  await leader.replica.whenApplied(0);
  await tabs[0].replica.whenApplied(0);
}

function hear(sent: Map<string, number>, { clientID, id }: { readonly clientID: string; readonly id: number }): void {
  sent.set(clientID, Math.max(id, sent.get(clientID) ?? 0));
}

async function expectRebuilt(tabs: [TestReplica, TestReplica]): Promise<void> {
  const fresh = await createTestReplicaForReading(tabs[0]);
  for (const each of tabs) {
    for (const name of ["lists", "items", "drafts"]) expect(each.view(name), name).toEqual(fresh.view(name));
    expect(each.replica.pending.map(({ entry }) => entry)).toEqual(fresh.replica.pending.map(({ entry }) => entry));
  }
}

/** A replica of the same disk that never leads. */
function createTestReplicaForReading({ store }: TestReplica): Promise<TestReplica> {
  return createTestReplica({ store: { ...readOnly(store) }, clientID: "reader" });
}

const readOnly = (store: TestReplica["store"]): TestReplica["store"] => ({
  load: (onRows) => store.load(onRows),
  open: (onChanges) => store.open(onChanges),
  cold: store.cold,
  append: (...args) => store.append(...args),
  takeEpoch: async () => ({ epoch: 0, seq: 0 }),
  reign: async () => ({ epoch: 0, seq: 0 }),
  sync: (...args) => store.sync(...args),
  reset: (keep) => store.reset(keep),
  close: () => undefined,
});

/** Applies what was delivered since the last step; each change must begin where the one before ended. */
function replayDeliveries({ delivered, view }: TestReplica, shadow: Map<string, Row>): void {
  for (const changes of delivered.splice(0)) {
    for (const { table, id, before, after } of changes) {
      const key = `${table}:${id}`;
      expect(shadow.get(key) ?? null, "a delivery's before is what was there").toEqual(before);
      if (before !== null && after !== null) expect(sameRow(before, after), "a delivery changes something").toBe(false);
      if (after === null) shadow.delete(key);
      else shadow.set(key, after);
    }
  }
  const now = ["lists", "items", "drafts"].flatMap((name) =>
    [...view(name)].map(([id, row]) => [`${name}:${id}`, row] as const),
  );
  expect(new Map(shadow)).toEqual(new Map(now));
}
