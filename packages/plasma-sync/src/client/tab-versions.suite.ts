// Owns: what tabs of two schema versions of one app owe each other, with real IndexedDB, channels and locks; the server is
// scripted. Two clients stand for two tabs.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isPlasmaError } from "../core/error.ts";
import { systemEnv } from "../core/lib/env.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import type { WireRow } from "../core/protocol/pull.ts";
import type { PushRequest } from "../core/protocol/push.ts";
import { id, int, text } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import { createPlasmaClient } from "./client.ts";
import type { SyncClientError } from "./sync/sync-error.ts";

const notesOf1 = table("notes", { id: id(), body: text() });
const schemaOf1 = defineSchema({ notes: notesOf1 });
const mutatorsOf1 = defineMutators<typeof schemaOf1, unknown>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schemaOf1, unknown, { body: string }>) => {
    await db.insert(notesOf1).values({ id: newId(), body: args.body });
  },
});
const notesOf2 = table("notes", { id: id(), body: text(), rank: int().default(3) });
const tagsOf2 = table("tags", { id: id() });
const schemaOf2 = defineSchema({ notes: notesOf2, tags: tagsOf2 });
const mutatorsOf2 = defineMutators<typeof schemaOf2, unknown>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schemaOf2, unknown, { body: string }>) => {
    await db.insert(notesOf2).values({ id: newId(), body: args.body, rank: 4 });
    await db.insert(tagsOf2).values({ id: newId() });
  },
});

/** A server that takes both versions. */
class Server {
  online = true;
  /** Bodies of mutations that it refuses. */
  readonly refuses = new Set<string>();
  readonly rows = new Map<string, WireRow>();
  /** "push 1 a1,a2", "pull 2 re-sync". */
  readonly requests: string[] = [];
  readonly processed: string[] = [];
  readonly #lastIDs: { [clientID: string]: number } = {};

  readonly fetcher = async (request: Request): Promise<Response> => {
    if (!this.online) throw new TypeError("no network");
    if (request.method === "POST") return this.#push((await request.json()) as PushRequest);
    const params = new URL(request.url).searchParams;
    const version = params.get("schemaVersion");
    const isContinued = params.get("cookie") === version;
    this.requests.push(`pull ${version}${isContinued ? "" : " re-sync"}`);
    const puts = [...this.rows].map(([key, { rank, ...row }]) => ({
      op: "put",
      table: "notes",
      id: key,
      value: version === "2" ? { ...row, rank } : row,
    }));
    return Response.json({
      cookie: version,
      patch: isContinued ? puts : [{ op: "clear" }, ...puts],
      lastMutationIDs: this.#lastIDs,
    });
  };

  #push({ schemaVersion, clientID: own, mutations }: PushRequest): Response {
    this.requests.push(`push ${schemaVersion}`);
    const results = mutations.map((mutation) => {
      const { clientID = own, id: mutationID, args } = mutation;
      const { body } = args as { body: string };
      if (mutationID <= (this.#lastIDs[clientID] ?? 0)) return { clientID, id: mutationID, status: "duplicate" };
      this.#lastIDs[clientID] = mutationID;
      this.processed.push(body);
      if (this.refuses.has(body))
        return { clientID, id: mutationID, status: "rejected", error: { code: "mutation/app", message: "No." } };
      this.rows.set(body, { id: body, body, rank: 7 });
      return { clientID, id: mutationID, status: "applied" };
    });
    return Response.json({ ok: true, results, lastMutationIDs: this.#lastIDs });
  }
}

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 5000, interval: 5 });
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "resolved",
    (error: unknown) => (isPlasmaError(error) ? error.code : String(error)),
  );

export function tabVersionsSuite(kind: string): void {
  let server: Server;
  let dbName: string;
  let errors: { readonly tab: string; readonly error: SyncClientError }[];
  let closes: (() => Promise<void>)[];

  const options = (tab: string) => ({
    dbName,
    endpoint: "http://plasma.test/sync",
    clientGroupID: "ada",
    getContext: () => null,
    fetcher: server.fetcher,
    pollIntervalMs: 30,
    retry: { initialDelayMs: 5, maxDelayMs: 10 },
    onError: (error: SyncClientError) => errors.push({ tab, error }),
    onSchemaMismatch: () => expect.unreachable("the server has no other version"),
  });
  const tabOf1 = (name = "one") => {
    const client = createPlasmaClient({
      ...options(name),
      schema: schemaOf1,
      mutators: mutatorsOf1,
      schemaVersion: "1",
    });
    closes.push(() => client.close());
    return client;
  };
  const tabOf2 = (name = "two") => {
    const client = createPlasmaClient({
      ...options(name),
      schema: schemaOf2,
      mutators: mutatorsOf2,
      schemaVersion: "2",
    });
    closes.push(() => client.close());
    return client;
  };
  const mismatchesOf = (tab: string) =>
    errors.flatMap((told) => (told.tab === tab && told.error.kind === "schema-mismatch" ? [told.error] : []));

  beforeEach(() => {
    server = new Server();
    dbName = systemEnv.randomUUID();
    errors = [];
    closes = [];
  });
  afterEach(async () => {
    for (const close of closes) await close();
  });

  describe(`tabs of two schema versions on ${kind}`, () => {
    test("the older tab stops writing and syncing and says so; the newer one leads and pushes what the older one saved", async () => {
      const one = tabOf1();
      await one.mutate.add({ body: "synced" });
      await until(() => expect(one.status.get().outboxDepth).toBe(0));
      server.online = false;
      const saved = one.mutate.add({ body: "saved" });
      await saved;
      const shownByOne = await one.db.select().from(notesOf1).orderBy(notesOf1.body);
      expect(shownByOne.map(({ body }) => body)).toEqual(["saved", "synced"]);
      const two = tabOf2();
      await until(() =>
        expect(one.status.get().lastError).toMatchObject({ kind: "schema-mismatch", phase: "tab", expected: "2" }),
      );
      expect(mismatchesOf("one")).toHaveLength(1);
      expect(one.status.get()).toMatchObject({ role: "follower", syncing: false });
      expect(await codeOf(one.mutate.add({ body: "late" }))).toBe("client/outdated");
      expect(await codeOf(saved.server)).toBe("client/outdated");
      const shown = await two.db.select().from(notesOf2).orderBy(notesOf2.body);
      expect(shown.map(({ body, rank }) => [body, rank])).toEqual([
        ["saved", 4],
        ["synced", 3],
      ]);
      expect(await two.db.select().from(tagsOf2)).toHaveLength(1);
      server.requests.length = 0;
      server.online = true;
      await until(() => expect(two.status.get()).toMatchObject({ outboxDepth: 0, role: "leader", lastError: null }));
      expect(server.requests.filter((request) => request !== "pull 2").sort()).toEqual(["pull 2 re-sync", "push 1"]);
      expect(server.processed).toEqual(["synced", "saved"]);
      const synced = await two.db.select().from(notesOf2).orderBy(notesOf2.body);
      expect(synced.map(({ body, rank }) => [body, rank])).toEqual([
        ["saved", 7],
        ["synced", 7],
      ]);
      // What the older tab shows stays as it was, whatever is written under it.
      expect(await one.db.select().from(notesOf1).orderBy(notesOf1.body)).toEqual(shownByOne);
      expect(server.requests.filter((request) => request.includes(" 1"))).toEqual(["push 1"]);
    });

    test("a write of the older tab that meets the newer one on disk is taken back and rejects, whatever it has heard", async () => {
      server.online = false;
      const one = tabOf1();
      await one.mutate.add({ body: "before" });
      const two = tabOf2();
      const writes: Promise<string>[] = [];
      const opened = two.db.select().from(notesOf2).then();
      for (let i = 0; i < 50 && one.status.get().lastError?.kind !== "schema-mismatch"; i++) {
        writes.push(codeOf(one.mutate.add({ body: `w${i}` })));
        await Promise.race([opened, writes.at(-1)]);
      }
      const codes = await Promise.all(writes);
      await until(() => expect(mismatchesOf("one")).toHaveLength(1));
      const kept = codes.filter((code) => code === "resolved").length;
      expect(codes.filter((code) => code !== "resolved" && code !== "client/outdated")).toEqual([]);
      expect(await two.pending()).toHaveLength(1 + kept);
      await until(async () => expect(await one.db.select().from(notesOf1)).toHaveLength(1 + kept));
    });

    test("a refusal of what the older tab saved is told once, by the newer one", async () => {
      server.online = false;
      server.refuses.add("bad");
      const one = tabOf1();
      await one.mutate.add({ body: "bad" });
      await one.mutate.add({ body: "good" });
      const two = tabOf2();
      await until(() => expect(mismatchesOf("one")).toHaveLength(1));
      server.online = true;
      await until(() => expect(two.status.get()).toMatchObject({ outboxDepth: 0 }));
      await until(() => expect(errors.filter(({ error }) => error.kind === "mutation-rejected")).toHaveLength(1));
      expect(errors.find(({ error }) => error.kind === "mutation-rejected")).toMatchObject({
        tab: "two",
        error: { name: "add", args: { body: "bad" }, code: "mutation/app" },
      });
      expect((await two.db.select().from(notesOf2)).map(({ body }) => body)).toEqual(["good"]);
    });

    test("tabs of the newer version work together beside older ones; one that opens the older version again takes over", async () => {
      const olds = [tabOf1("one"), tabOf1("one too")];
      await olds[0]!.mutate.add({ body: "a" }).server;
      const news = [tabOf2("two"), tabOf2("two too")];
      await until(() => expect([mismatchesOf("one").length, mismatchesOf("one too").length]).toEqual([1, 1]));
      await news[0]!.mutate.add({ body: "b" });
      await news[1]!.mutate.add({ body: "c" });
      await until(async () => {
        for (const tab of news) expect(await tab.db.select().from(notesOf2)).toHaveLength(3);
      });
      await until(() => expect(news.map((tab) => tab.status.get().outboxDepth)).toEqual([0, 0]));
      expect([mismatchesOf("two"), mismatchesOf("two too")]).toEqual([[], []]);
      const back = tabOf1("back");
      await until(() => expect([mismatchesOf("two").length, mismatchesOf("two too").length]).toEqual([1, 1]));
      await back.mutate.add({ body: "d" }).server;
      await until(async () => expect(await back.db.select().from(notesOf1)).toHaveLength(4));
      expect(await codeOf(news[0]!.mutate.add({ body: "e" }))).toBe("client/outdated");
      expect(server.processed).toEqual(["a", "b", "c", "d"]);
    });

    test("an outdated tab that is asked to sync or to reset says that it is outdated, and closes as any other", async () => {
      const one = tabOf1();
      await one.mutate.add({ body: "a" });
      const two = tabOf2();
      await until(() => expect(mismatchesOf("one")).toHaveLength(1));
      for (const call of [() => one.pullOnce(), () => one.pushOnce(), () => one.flush(), () => one.resetLocalState()])
        expect(await codeOf(call())).toBe("client/outdated");
      one.start();
      await one.close();
      await two.mutate.add({ body: "b" }).server;
      expect(server.processed).toEqual(["a", "b"]);
    });
  });
}
