// Owns: what a client owes its app when the browser refuses or loses the local database: real IndexedDB, faults made at the
// browser's edge; the server is scripted. It runs on fake-indexeddb and in Chromium.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemEnv } from "../core/lib/env.ts";
import { createVirtualEnv, type VirtualEnv } from "../core/lib/virtual-env.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import type { PushRequest } from "../core/protocol/push.ts";
import { id, text } from "../core/schema/column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import { createPlasmaClient } from "./client.ts";
import type { PendingMutationInfo } from "./plasma-client.ts";
import { databaseName } from "./store/layout.ts";
import type { SyncClientError } from "./sync/sync-error.ts";

const notes = table("notes", { id: id(), body: text() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schema, unknown, { body: string }>) => {
    await db.insert(notes).values({ id: newId(), body: args.body });
  },
});

const codeOf = (call: PromiseLike<unknown>): Promise<string> =>
  Promise.resolve(call).then(
    () => "resolved",
    (error: { code?: string }) => error.code ?? String(error),
  );

/** Lets `open` throw what a browser does that keeps nothing for this page. */
function refuseStorage() {
  const factory = Object.getPrototypeOf(indexedDB) as IDBFactory;
  return vi.spyOn(factory, "open").mockImplementation(() => {
    throw new DOMException("Not allowed here.", "SecurityError");
  });
}

export function storageFaultsSuite(kind: string): void {
  let env: VirtualEnv;
  let dbName: string;
  const opened: { close(): Promise<void> }[] = [];

  beforeEach(() => {
    env = createVirtualEnv();
    dbName = systemEnv.randomUUID();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await Promise.all(opened.splice(0).map((client) => client.close()));
  });

  /** `server`: bodies that it has taken; without one there is no network. */
  function open(server?: string[]) {
    const network = { isThere: server !== undefined };
    const errors: SyncClientError[] = [];
    const lost: PendingMutationInfo[] = [];
    const client = createPlasmaClient({
      schema,
      mutators,
      dbName,
      endpoint: "http://server.test/sync",
      schemaVersion: "1",
      clientGroupID: "ada",
      getContext: () => null,
      env,
      fetcher: async (request) => {
        if (server === undefined || !network.isThere) throw new TypeError("no network");
        return answer(server, request);
      },
      onError: (error) => {
        if (error.kind !== "network") errors.push(error);
      },
      onReset: (pending) => lost.push(...pending),
    });
    opened.push(client);
    const bodies = async () => (await client.db.select().from(notes)).map(({ body }) => body).sort();
    return { client, errors, lost, bodies, network };
  }

  /** Lets time pass until it is so: IndexedDB has a clock of its own. */
  const until = (isSo: () => unknown) =>
    vi.waitFor(
      async () => {
        await env.advance(500);
        expect(isSo()).toBeTruthy();
      },
      { timeout: 10_000, interval: 5 },
    );

  describe(`storage faults on ${kind}`, () => {
    test("while storage is refused, every use says so; it is tried again by itself, and then all works", async () => {
      const refused = refuseStorage();
      const { client, errors, bodies } = open();
      const shown: string[][] = [];
      client.db
        .select()
        .from(notes)
        .live()
        .subscribe((rows) => shown.push(rows.map(({ body }) => body)));
      expect(await codeOf(client.mutate.add({ body: "too early" }))).toBe("client/storage");
      expect(await codeOf(client.db.select().from(notes))).toBe("client/storage");
      expect(await codeOf(client.pending())).toBe("client/storage");
      expect(errors).toMatchObject([{ kind: "storage", error: { code: "client/storage" } }]);
      expect(client.status.get().lastError).toBe(errors[0]);
      expect(errors[0]?.message).toContain("SecurityError: Not allowed here.");

      await until(() => refused.mock.calls.length > 5);
      expect(errors.length, "told once").toBe(1);
      refused.mockRestore();
      await until(() => client.status.get().lastError?.kind !== "storage");
      await client.mutate.add({ body: "in time" });
      expect(await bodies()).toEqual(["in time"]);
      await until(() => shown.at(-1)?.length === 1);
      expect(errors.length).toBe(1);
    });

    test("a client that is closed while storage is refused asks no more", async () => {
      const refused = refuseStorage();
      const { client } = open();
      expect(await codeOf(client.mutate.add({ body: "never" }))).toBe("client/storage");
      await client.close();
      refused.mockClear();
      await env.advance(120_000);
      expect(refused).not.toHaveBeenCalled();
    });

    test("a database that the browser deleted under the page is met as a new one: what was lost is told, the rest comes back", async () => {
      const server = ["of the server"];
      const uses = vi.spyOn(IDBDatabase.prototype, "transaction");
      const { client, errors, lost, bodies, network } = open(server);
      await until(() => client.status.get().firstSync.done);
      const { clientID } = client;
      network.isThere = false;
      await client.mutate.add({ body: "never sent" });

      await evict(databaseName(dbName, "ada"), uses.mock.contexts as IDBDatabase[]);
      expect(await codeOf(client.mutate.add({ body: "met it" }))).toBe("client/deposed");
      await until(() => lost.length > 0);
      expect(lost).toMatchObject([{ clientID, id: 1, name: "add", args: { body: "never sent" } }]);
      expect(errors.at(-1)).toMatchObject({ kind: "storage", error: { code: "client/evicted", data: { lost: 1 } } });
      expect(client.clientID).not.toBe(clientID);

      network.isThere = true;
      await until(() => client.status.get().firstSync.done);
      await client.mutate.add({ body: "afterwards" });
      await until(() => client.status.get().outboxDepth === 0);
      expect(server).toEqual(["of the server", "afterwards"]);
      expect(await bodies()).toEqual(["afterwards", "of the server"]);
    });

    test("a reset that the app asked for is no eviction", async () => {
      const server: string[] = [];
      const { client, errors, lost } = open(server);
      await until(() => client.status.get().firstSync.done);
      await client.resetLocalState();
      await until(() => client.status.get().firstSync.done);
      expect([errors, lost]).toEqual([[], []]);
    });
  });
}

/** Deletes a database as a browser does that needs room: open connections are told that they are closed, not asked. */
async function evict(name: string, connections: Iterable<IDBDatabase>): Promise<void> {
  for (const connection of new Set(connections)) {
    connection.close();
    connection.onclose?.(new Event("close"));
  }
  const request = indexedDB.deleteDatabase(name);
  await new Promise<void>((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

/** Takes every mutation once, and knows nothing of cookies: each pull is a re-sync. */
async function answer(server: string[], request: Request): Promise<Response> {
  const lastIDs = lastIDsOf(server);
  if (request.method === "POST") {
    const { clientID: own, mutations } = (await request.json()) as PushRequest;
    const results = mutations.map(({ clientID = own, id: mutationID, args }) => {
      if (mutationID <= (lastIDs[clientID] ?? 0)) return { clientID, id: mutationID, status: "duplicate" };
      lastIDs[clientID] = mutationID;
      server.push((args as { body: string }).body);
      return { clientID, id: mutationID, status: "applied" };
    });
    return Response.json({ ok: true, results, lastMutationIDs: lastIDs });
  }
  const puts = server.map((body) => ({ op: "put", table: "notes", id: body, value: { id: body, body } }));
  return Response.json({ cookie: "1", patch: [{ op: "clear" }, ...puts], lastMutationIDs: lastIDs });
}

const knownIDs = new WeakMap<string[], { [clientID: string]: number }>();

function lastIDsOf(server: string[]): { [clientID: string]: number } {
  const known = knownIDs.get(server) ?? {};
  knownIDs.set(server, known);
  return known;
}
