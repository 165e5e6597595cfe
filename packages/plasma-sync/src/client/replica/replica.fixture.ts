// Owns: a small app for the replica's tests: a schema, mutators that read before they write, and a replica over a store.

import { systemEnv, type Env } from "../../core/lib/env.ts";
import { createSeed } from "../../core/mutation/new-id.ts";
import { encodeTagged } from "../../core/protocol/tagged-json.ts";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import { asc, eq, gt } from "../../core/query/expressions.ts";
import { boolean, id, int, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { createQueryRuntime } from "../ivm/create-query-runtime.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { RowChange } from "../ivm/source.ts";
import { createRunPending } from "../run-pending.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { Store, StoreCommit, SyncCommit } from "../store/store.ts";
import { Deferred } from "./deferred.ts";
import type { ServerOutcome } from "./pending-mutation.ts";
import { Replica } from "./replica.ts";
import type { ReplicaEvents } from "./replica-deps.ts";

export const lists = table("lists", { id: id(), name: text().unique(), count: int().default(0) });
export const items = table("items", {
  id: id(),
  list: ref(() => lists.id, { onDelete: "cascade" }),
  title: text(),
  rank: int().default(0),
  done: boolean().default(false),
});
/** Local-only: what somebody is typing, for a list. */
export const drafts = table(
  "drafts",
  { id: id(), list: ref(() => lists.id, { onDelete: "cascade" }).nullable(), body: text() },
  { changeLogSuppressed: true },
);
export const schema = defineSchema({ lists, items, drafts });

type Input<Args> = MutatorInput<typeof schema, null, Args>;

export const mutators = defineMutators<typeof schema, null>()({
  addList: ({ db, args }: Input<{ id: string; name: string }>) => db.insert(lists).values(args).then(),
  dropList: ({ db, args }: Input<{ id: string }>) => db.delete(lists).where(eq(lists.id, args.id)).then(),
  /** Reads a range: the highest rank of the list. What it writes depends on its id, too. */
  addItem: async ({ db, args, newId, mutationID }: Input<{ list: string; title: string }>) => {
    const before = await db.select().from(items).where(eq(items.list, args.list)).orderBy(asc(items.rank));
    await db.insert(items).values({
      id: newId(),
      list: args.list,
      title: `${args.title} ${mutationID}`,
      rank: (before.at(-1)?.rank ?? 0) + 1,
    });
  },
  /** Reads and writes one row by id; throws when it is not there. */
  countUp: async ({ db, args }: Input<{ id: string }>) => {
    const [list] = await db.select().from(lists).where(eq(lists.id, args.id));
    if (list === undefined) throw new Error("The list is gone.");
    await db
      .update(lists)
      .set({ count: list.count + 1 })
      .where(eq(lists.id, args.id));
  },
  /** Writes before it reads what it may throw about. */
  addCounted: async ({ db, args, newId }: Input<{ list: string }>) => {
    await db.insert(items).values({ id: newId(), list: args.list, title: "counted" });
    const [list] = await db.select().from(lists).where(eq(lists.id, args.list));
    if (list === undefined) throw new Error("The list is gone.");
    await db
      .update(lists)
      .set({ count: list.count + 1 })
      .where(eq(lists.id, args.list));
  },
  /** Writes only what stays on the device. */
  draft: ({ db, args }: Input<{ id: string; body: string }>) =>
    db
      .insert(drafts)
      .values({ ...args, list: null })
      .onConflictDoUpdate({ set: { body: args.body } })
      .then(),
  /** The same, in a list: reads what it has written. */
  draftIn: async ({ db, args }: Input<{ id: string; list: string }>) => {
    await db
      .insert(drafts)
      .values({ ...args, body: "" })
      .onConflictDoNothing();
    const mine = await db.select().from(drafts).where(eq(drafts.id, args.id));
    await db
      .update(drafts)
      .set({ list: args.list, body: `${mine[0]?.body}+` })
      .where(eq(drafts.id, args.id));
  },
  undraft: ({ db, args }: Input<{ id: string }>) => db.delete(drafts).where(eq(drafts.id, args.id)).then(),
  /** Writes both sides: the list is sent, the draft stays. */
  addListAndDraft: async ({ db, args }: Input<{ id: string; name: string }>) => {
    await db.insert(lists).values(args);
    await db
      .insert(drafts)
      .values({ id: args.id, list: args.id, body: "new" })
      .onConflictDoUpdate({ set: { body: "again" } });
  },
  /** The same with an insert that must be the first of its id. */
  addListAndNewDraft: async ({ db, args }: Input<{ id: string; name: string }>) => {
    await db.insert(drafts).values({ id: args.id, body: "new" });
    await db.insert(lists).values(args);
  },
  nothing: async () => undefined,
  /** Writes every row that matches a condition. */
  finishAbove: ({ db, args }: Input<{ rank: number }>) =>
    db.update(items).set({ done: true }).where(gt(items.rank, args.rank)).then(),
});

export interface TestReplica {
  readonly replica: Replica;
  readonly store: Store;
  readonly runtime: QueryRuntime;
  /** Every commit to the view. */
  readonly delivered: RowChange[][];
  readonly events: {
    readonly committed: StoreCommit[];
    readonly rejected: string[];
    readonly replayFailed: string[];
    readonly storage: unknown[];
  };
  /** How many times a mutator ran. */
  runs(): number;
  /** `files`: hashes that it waits for. */
  mutate(name: string, args: unknown, files?: readonly string[], outcome?: ServerOutcome): Promise<void>;
  /** One step of syncing, as the leader would make it. */
  sync(commit: Partial<SyncCommit>): Promise<void>;
  /** The rows of a table as queries see them, by id. */
  view(table: string): Map<string, Row>;
}

export interface TestReplicaOptions {
  readonly store?: Store;
  readonly clientID?: string;
  /** The clientID is from an earlier page, and this page has it for itself or not. */
  readonly reused?: "owned" | "copied";
  /** Other tabs hear of own commits here. */
  readonly post?: (commit: StoreCommit) => void;
  readonly env?: Env;
  /** Told of each commit to the view, before it. */
  readonly onCommit?: QueryRuntime["commit"];
}

/** A loaded replica. */
export async function createTestReplica({
  reused,
  store = createMemoryStore(systemEnv),
  clientID = "tab",
  post,
  env = systemEnv,
  onCommit,
}: TestReplicaOptions = {}): Promise<TestReplica> {
  const runtime = createQueryRuntime({ schema });
  const delivered: RowChange[][] = [];
  const recording: QueryRuntime = {
    ...runtime,
    commit: (changes, status, warmed) => {
      if (changes.length > 0) delivered.push([...changes]);
      onCommit?.(changes, status, warmed);
      runtime.commit(changes, status, warmed);
    },
  };
  const events = {
    committed: [] as StoreCommit[],
    rejected: [] as string[],
    replayFailed: [] as string[],
    storage: [] as unknown[],
  };
  let runs = 0;
  const run = createRunPending({ schema, mutators, env: systemEnv });
  const replicaEvents: ReplicaEvents = {
    committed: (own) => {
      events.committed.push(own);
      post?.(own);
    },
    appended: () => undefined,
    changed: () => undefined,
    clientIDReplaced: () => undefined,
    replayFailed: ({ entry }) => events.replayFailed.push(entry.name),
    reset: () => undefined,
    rejected: (mutation, rejection) => {
      events.rejected.push(rejection.code);
      mutation.outcome?.reject(new Error(rejection.message));
    },
    storageFailed: (error) => events.storage.push(error),
  };
  const replica = new Replica({
    schema,
    store,
    runtime: recording,
    env,
    getContext: () => null,
    clientID,
    reusedClientID: reused !== undefined,
    ownsClientID: () => reused === "owned",
    events: replicaEvents,
    run: (mutation, transaction, ctx) => {
      runs += 1;
      return run(mutation, transaction, ctx);
    },
  });
  await replica.load();
  const { epoch } = await store.takeEpoch(replica.replicaID);
  return {
    replica,
    store,
    runtime,
    delivered,
    events,
    runs: () => runs,
    mutate: async (name, args, files, outcome = new Deferred()) => {
      const encoded = encodeTagged(args, name);
      const { durable } = await replica.mutate({
        name,
        args: encoded,
        seed: createSeed(systemEnv),
        timestamp: 1,
        schemaVersion: "1",
        outcome,
        ...(files === undefined ? {} : { files }),
      });
      await durable;
    },
    sync: async (change) => {
      const durable = await store.sync(replica.replicaID, epoch, {
        changes: [],
        confirmed: {},
        rejected: [],
        ...change,
      });
      replica.receive(durable);
      post?.(durable);
      await replica.whenApplied(durable.seq);
    },
    view: (name) => new Map([...runtime.source(name).rows()].map((row) => [row["id"] as string, row])),
  };
}
