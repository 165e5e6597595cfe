// Owns: what a client with `offline: true` does and leaves alone, with real IndexedDB, channels and locks. Requests, timers and
// subscriptions are counted; two clients stand for two tabs. The server is scripted: it applies whatever it is sent.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isPlasmaError } from "../core/error.ts";
import { systemEnv, type Env } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import type { PatchOp } from "../core/protocol/pull.ts";
import type { PushRequest } from "../core/protocol/push.ts";
import { id, text } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import { createPlasmaClient } from "./client.ts";

const notes = table("notes", { id: id(), body: text() });
/** Stays on the device. */
const drafts = table("drafts", { id: id(), body: text() }, { changeLogSuppressed: true });
const schema = defineSchema({ notes, drafts });
const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args }: MutatorInput<typeof schema, unknown, { body: string }>) => {
    await db.insert(notes).values({ id: args.body, body: args.body });
  },
  draft: async ({ db, args }: MutatorInput<typeof schema, unknown, { body: string }>) => {
    await db.insert(drafts).values({ id: "1", body: args.body }).onConflictDoUpdate({ set: args });
  },
});

/** How long the disk is waited for: no timers of syncing. */
const DISK_WAITS = new Set([limits.storeBlockedMsMax, limits.logRenewMsMax]);

/** What a client asked of the outside. */
class Outside {
  requests = 0;
  timers = 0;
  subscriptions = 0;
  /** Bodies in the order in which the server applied them. */
  readonly processed: string[] = [];
  readonly #patch: PatchOp[] = [];
  readonly #lastIDs: { [clientID: string]: number } = {};

  readonly env: Env = {
    ...systemEnv,
    setTimeout: (fn, delayMs) => {
      if (!DISK_WAITS.has(delayMs)) this.timers += 1;
      return systemEnv.setTimeout(fn, delayMs);
    },
  };

  readonly fetcher = async (request: Request): Promise<Response> => {
    this.requests += 1;
    if (request.method !== "POST")
      return Response.json({ cookie: `${this.#patch.length}`, patch: this.#patch, lastMutationIDs: this.#lastIDs });
    const { clientID: own, mutations } = (await request.json()) as PushRequest;
    const results = mutations.map(({ clientID = own, id: mutationID, args }) => {
      const { body } = args as { body: string };
      this.#lastIDs[clientID] = mutationID;
      this.processed.push(body);
      this.#patch.push({ op: "put", table: "notes", id: body, value: { id: body, body } });
      return { clientID, id: mutationID, status: "applied" };
    });
    return Response.json({ ok: true, results, lastMutationIDs: this.#lastIDs });
  };

  readonly subscribe = () => {
    this.subscriptions += 1;
    return () => undefined;
  };
}

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 5 });

export function offlineClientSuite(kind: string): void {
  let outside: Outside;
  let dbName: string;
  let closes: (() => Promise<void>)[];

  function open(change: { readonly offline: boolean; readonly env?: Env }, of = outside) {
    const { fetcher, subscribe } = of;
    const app = { schema, mutators, dbName, schemaVersion: "1", clientGroupID: "ada", getContext: () => null };
    const options = { ...app, endpoint: "http://plasma.test/sync", pollIntervalMs: 20, fetcher, subscribe, ...change };
    const client = createPlasmaClient(options);
    closes.push(() => client.close());
    return client;
  }
  const bodiesOf = async (client: ReturnType<typeof open>) =>
    (await client.db.select().from(notes).orderBy(notes.body)).map(({ body }) => body);

  beforeEach(() => {
    outside = new Outside();
    dbName = systemEnv.randomUUID();
    closes = [];
  });
  afterEach(async () => {
    for (const close of closes) await close();
  });

  describe(`an offline client on ${kind}`, () => {
    test("sets no timer, sends no request and subscribes to nothing, whatever it is asked", async () => {
      const client = open({ offline: true, env: outside.env });
      await client.mutate.add({ body: "a" });
      client.start();
      await client.pushOnce();
      await client.pullOnce();
      await client.flush();
      client.stop();
      client.start();
      await client.mutate.add({ body: "b" });
      await client.flush();
      expect(await bodiesOf(client)).toEqual(["a", "b"]);
      // A tab that syncs has had the time to lead, push and pull; so this one would have had it.
      const other = new Outside();
      const syncing = open({ offline: false }, other);
      await until(() => expect([other.processed.length, syncing.status.get().outboxDepth]).toEqual([2, 0]));
      expect(other.subscriptions).toBe(1);
      await client.close();
      expect([outside.requests, outside.timers, outside.subscriptions]).toEqual([0, 0, 0]);
    });

    test("says that it is offline, and what is in its outbox", async () => {
      const client = open({ offline: true });
      expect(client.status.get()).toMatchObject({ online: false, syncing: false, auth: "ok", lastError: null });
      await client.mutate.add({ body: "a" });
      expect(client.status.get()).toMatchObject({ online: false, outboxDepth: 1, role: "follower" });
      expect(await client.pending()).toMatchObject([{ name: "add", args: { body: "a" }, state: "queued" }]);
    });

    test("needs no endpoint", async () => {
      const app = { schema, mutators, dbName, schemaVersion: "1", clientGroupID: "ada", getContext: () => null };
      const client = createPlasmaClient({ ...app, offline: true });
      closes.push(() => client.close());
      await client.mutate.add({ body: "a" });
      expect(client.status.get().outboxDepth).toBe(1);
    });

    test("answers live queries as complete: nothing more will come", async () => {
      const client = open({ offline: true });
      const live = client.db.select().from(notes).live();
      await live.whenReady();
      expect(live.status).toBe("complete");
    });

    test("flush resolves when what was mutated survives the page", async () => {
      const client = open({ offline: true });
      for (const body of ["a", "b", "c"]) void client.mutate.add({ body });
      await client.flush();
      await client.close();
      expect(await bodiesOf(open({ offline: true }))).toEqual(["a", "b", "c"]);
    });

    test("refuses to reset: nothing could restore what that erases", async () => {
      const client = open({ offline: true });
      await client.mutate.add({ body: "a" });
      const error = await client.resetLocalState().catch((reason: unknown) => reason);
      expect(isPlasmaError(error, "client/offline")).toBe(true);
      expect(await bodiesOf(client)).toEqual(["a"]);
    });

    test("its outbox is sent, in order, by a client that is made without it later", async () => {
      const before = open({ offline: true });
      await before.mutate.add({ body: "b" });
      await before.mutate.add({ body: "a" });
      await before.close();
      const after = open({ offline: false });
      await until(() => expect(outside.processed).toEqual(["b", "a"]));
      await until(() => expect(after.status.get()).toMatchObject({ outboxDepth: 0, online: true }));
      expect(outside.subscriptions).toBe(1);
      expect(await bodiesOf(after)).toEqual(["a", "b"]);
    });

    test("several of them are tabs of one replica: each shows what the others make, in one order", async () => {
      const [one, two] = [open({ offline: true }), open({ offline: true })];
      await one.mutate.add({ body: "a" });
      await two.mutate.add({ body: "b" });
      await until(async () =>
        expect([await bodiesOf(one), await bodiesOf(two)]).toEqual([
          ["a", "b"],
          ["a", "b"],
        ]),
      );
      const orders = await Promise.all([one, two].map(async (tab) => (await tab.pending()).map(({ args }) => args)));
      expect(orders[0]).toEqual([{ body: "a" }, { body: "b" }]);
      expect(orders[1]).toEqual(orders[0]);
    });
  });

  describe(`local-only tables on ${kind}`, () => {
    test("are written at once, seen by every tab, kept over a reload, and never sent", async () => {
      const [one, two] = [open({ offline: false }), open({ offline: true })];
      const { server } = one.mutate.draft({ body: "typing" });
      await server;
      const bodies = async (tab: typeof one) => (await tab.db.select().from(drafts)).map(({ body }) => body);
      await until(async () => expect([await bodies(one), await bodies(two)]).toEqual([["typing"], ["typing"]]));
      await two.mutate.draft({ body: "typing more" });
      await until(async () => expect(await bodies(one)).toEqual(["typing more"]));
      await one.mutate.add({ body: "a" }).server;
      expect(outside.processed).toEqual(["a"]);
      await one.resetLocalState();
      await one.close();
      await two.close();
      expect(await bodies(open({ offline: true }))).toEqual(["typing more"]);
    });
  });

  describe(`a tab that syncs beside one that is offline, on ${kind}`, () => {
    test("sends the mutations of both; the offline one follows, hears of their end, and stays offline itself", async () => {
      const old = open({ offline: true, env: outside.env });
      const early = old.mutate.add({ body: "early" });
      await early;
      const syncing = open({ offline: false });
      await expect(early.server).resolves.toMatchObject({ id: 1 });
      await syncing.mutate.add({ body: "from the other" });
      const late = old.mutate.add({ body: "late" });
      await late.server;
      await until(() => expect(old.status.get().outboxDepth).toBe(0));
      expect(await bodiesOf(old)).toEqual(["early", "from the other", "late"]);
      expect([...outside.processed].sort()).toEqual(["early", "from the other", "late"]);
      expect(old.status.get()).toMatchObject({ online: false, role: "follower" });
      expect(syncing.status.get()).toMatchObject({ online: true, role: "leader" });
    });

    test("is not asked to sync by it, and hands syncing to no offline tab when it closes", async () => {
      const syncing = open({ offline: false });
      await syncing.mutate.add({ body: "a" });
      await until(() => expect([outside.processed.length, syncing.status.get().outboxDepth]).toEqual([1, 0]));
      const offline = open({ offline: true });
      await syncing.close();
      const { requests } = outside;
      await offline.mutate.add({ body: "b" });
      await offline.pushOnce();
      await offline.flush();
      expect([outside.requests, outside.processed]).toEqual([requests, ["a"]]);
      expect(offline.status.get()).toMatchObject({ role: "follower", outboxDepth: 1 });
    });
  });
}
