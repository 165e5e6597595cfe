// Owns: what the store on IndexedDB must do beside the contract: faults of the platform, other formats, deletion. It runs on
// fake-indexeddb and in Chromium; faults are made on the platform's own objects.

import { afterEach, describe, expect, test, vi } from "vitest";
import { isPlasmaError } from "../../core/error.ts";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import { coldRowsSuite, coldSchema } from "./cold-rows.suite.ts";
import { deleteLocalData } from "../local-data.ts";
import { openDatabase, resultOf } from "./idb-requests.ts";
import { createIdbStore, type IdbStore } from "./idb-store.ts";
import { databaseName, FORMAT_VERSION } from "./layout.ts";
import type { BaseChange, Store } from "./store.ts";
import { codeOf, entriesOf, loadAll, note, nothing, outboxOf, schema, storeSuite } from "./store.suite.ts";

const open = (name: string): Store => createIdbStore({ name, schema, env: systemEnv });
const freshName = () => databaseName(systemEnv.randomUUID(), "ada");
const uncloneable: BaseChange = { table: "notes", id: "bad", row: { id: "bad", title: (() => undefined) as never } };
const deadConnection = () => new DOMException("The database connection is closing.", "InvalidStateError");

async function opened(name = freshName()) {
  const store = open(name);
  const { replicaID } = await store.load(() => undefined);
  return { name, store, replicaID, epoch: (await store.takeEpoch(replicaID)).epoch };
}

const rejectionOf = (write: Promise<unknown>): Promise<unknown> =>
  write.then(
    () => expect.unreachable("the write resolved"),
    (error: unknown) => error,
  );

const databaseExists = async (name: string) => (await indexedDB.databases()).some((database) => database.name === name);

/** The connection that the store uses for `use`. */
async function connectionOf(use: () => Promise<unknown>): Promise<IDBDatabase> {
  const begin = vi.spyOn(IDBDatabase.prototype, "transaction");
  await use();
  const connection = begin.mock.contexts[0] as IDBDatabase;
  begin.mockRestore();
  return connection;
}

export function idbStoreSuite(kind: string): void {
  storeSuite(kind, open);
  coldRowsSuite(kind, {
    open: (name) => createIdbStore({ name, schema: coldSchema, env: systemEnv }),
    fold: (_name, store) => (store as IdbStore).fold(),
    isCold: true,
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  describe(`idb store on ${kind}: writes that fail`, () => {
    test.each([
      ["first", [uncloneable, note("n1")]],
      ["in the middle", [note("n1"), note("n2"), uncloneable, note("n3")]],
      ["last", [...Array.from({ length: 200 }, (_, i) => note(`n${i}`)), uncloneable]],
    ])(
      "a sync with a value that cannot be stored, %s, rejects and leaves nothing; the next one holds",
      async (_where, changes) => {
        const { store, replicaID, epoch } = await opened();
        await store.append(replicaID, entriesOf("a", 1));
        const error = await rejectionOf(
          store.sync(replicaID, epoch, { ...nothing, changes, cookie: "c1", confirmed: { a: 1 } }),
        );
        expect(isPlasmaError(error, "client/storage")).toBe(true);
        expect((error as Error).cause).toMatchObject({ name: "DataCloneError" });
        const after = await loadAll(store);
        expect([after.seq, after.cookie, after.rows.size, outboxOf(after)]).toEqual([1, null, 0, ["a 1"]]);
        expect((await store.sync(replicaID, epoch, { ...nothing, changes: [note("n1")] })).seq).toBe(2);
        expect((await loadAll(store)).rows.get("notes")?.length).toBe(1);
      },
    );

    test("an append that cannot be stored rejects, and gives its ids back", async () => {
      const { store, replicaID } = await opened();
      const [first, second] = entriesOf("a", 1, 2);
      expect(await codeOf(store.append(replicaID, [first!, { ...second!, args: () => undefined }]))).toBe(
        "client/storage",
      );
      expect(await loadAll(store)).toMatchObject({ seq: 0, outbox: [] });
      expect((await store.append(replicaID, entriesOf("a", 1))).entries[0]).toMatchObject({ order: 1 });
    });

    test("a transaction that fails at commit rejects with its own error", async () => {
      const { store, replicaID } = await opened();
      const quota = new DOMException("No space.", "QuotaExceededError");
      vi.spyOn(IDBTransaction.prototype, "commit").mockImplementationOnce(function (this: IDBTransaction) {
        Object.defineProperty(this, "error", { value: quota });
        this.abort();
      });
      const error = await rejectionOf(store.append(replicaID, entriesOf("a", 1)));
      expect([(error as Error).cause, isPlasmaError(error, "client/storage")]).toEqual([quota, true]);
      expect((await loadAll(store)).outbox).toEqual([]);
    });
  });

  describe(`idb store on ${kind}: connections that die`, () => {
    test("a closed connection is opened anew and the write goes through", async () => {
      const { store, replicaID, epoch } = await opened();
      const connection = await connectionOf(() => store.append(replicaID, entriesOf("a", 1)));
      connection.close();
      expect((await store.append(replicaID, entriesOf("a", 2))).seq).toBe(2);
      (await connectionOf(() => loadAll(store))).close();
      expect(outboxOf(await loadAll(store))).toEqual(["a 1", "a 2"]);
      (await connectionOf(() => loadAll(store))).close();
      expect((await store.sync(replicaID, epoch, { ...nothing, changes: [note("n1")] })).seq).toBe(3);
    });

    test("a transaction that the browser ends in the middle runs once more", async () => {
      const { store, replicaID } = await opened();
      const { transaction } = IDBDatabase.prototype;
      vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementationOnce(function (this: IDBDatabase, ...args) {
        const tx = transaction.apply(this, args);
        queueMicrotask(() => tx.abort());
        return tx;
      });
      expect((await store.append(replicaID, entriesOf("a", 1, 2))).seq).toBe(1);
      expect(outboxOf(await loadAll(store))).toEqual(["a 1", "a 2"]);
    });

    test("an append whose commit held although its connection died is told as it was, and is there once", async () => {
      const { name, store, replicaID } = await opened();
      const { commit } = IDBTransaction.prototype;
      vi.spyOn(IDBTransaction.prototype, "commit").mockImplementationOnce(function (this: IDBTransaction) {
        const { onabort } = this;
        this.oncomplete = null;
        this.addEventListener("complete", () => onabort?.call(this, new Event("abort")));
        commit.call(this);
      });
      const first = store.append(replicaID, entriesOf("a", 1, 2));
      const second = open(name).append(replicaID, entriesOf("b", 1));
      expect((await first).seq).toBe(1);
      expect((await first).entries.map(({ order }) => order)).toEqual([1, 2]);
      expect((await second).seq).toBe(2);
      const after = await loadAll(store);
      expect([after.seq, outboxOf(after)]).toEqual([2, ["a 1", "a 2", "b 1"]]);
    });

    test("a connection that stays dead rejects after one more try; when it is back, writes hold again", async () => {
      const { store, replicaID } = await opened();
      const begin = vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
        throw deadConnection();
      });
      const error = await rejectionOf(store.append(replicaID, entriesOf("a", 1)));
      expect(isPlasmaError(error, "client/storage")).toBe(true);
      expect(begin).toHaveBeenCalledTimes(2);
      begin.mockRestore();
      expect((await store.append(replicaID, entriesOf("a", 1))).seq).toBe(1);
    });

    test("an evicted database is a new replica, and what was known of the old one is refused", async () => {
      const { name, store, replicaID, epoch } = await opened();
      await store.append(replicaID, entriesOf("a", 1));
      const connection = await connectionOf(() => loadAll(store));
      // As an eviction does it: the connection is closed from outside, nobody is asked.
      connection.onversionchange = null;
      connection.close();
      connection.onclose?.(new Event("close"));
      await resultOf(indexedDB.deleteDatabase(name));
      expect(await codeOf(store.append(replicaID, entriesOf("a", 2)))).toBe("client/deposed");
      expect(await codeOf(store.sync(replicaID, epoch, nothing))).toBe("client/deposed");
      const after = await loadAll(store);
      expect(after.replicaID).not.toBe(replicaID);
      expect(after.outbox).toEqual([]);
    });

    test("a browser that refuses the database (private mode, blocked storage) rejects with client/storage", async () => {
      const store = open(freshName());
      const factory = Object.getPrototypeOf(indexedDB) as IDBFactory;
      vi.spyOn(factory, "open").mockImplementation(() => {
        throw new DOMException("Not allowed here.", "SecurityError");
      });
      const error = await rejectionOf(store.load(() => undefined));
      expect(isPlasmaError(error, "client/storage")).toBe(true);
      expect((error as Error).message).toContain("SecurityError: Not allowed here.");
      vi.restoreAllMocks();
      expect((await loadAll(store)).seq).toBe(0);
    });

    test("a closed store refuses; what it was writing is written", async () => {
      const { name, store, replicaID } = await opened();
      const last = store.append(replicaID, entriesOf("a", 1));
      await Promise.resolve();
      await Promise.resolve();
      store.close();
      expect((await last).seq).toBe(1);
      expect(await codeOf(store.append(replicaID, entriesOf("a", 2)))).toBe("client/closed");
      expect(await codeOf(loadAll(store))).toBe("client/closed");
      expect(outboxOf(await loadAll(open(name)))).toEqual(["a 1"]);
    });
  });

  describe(`idb store on ${kind}: other formats`, () => {
    test("a newer format is refused with what to do, and left as it is", async () => {
      const name = freshName();
      const newer = await openDatabase({
        name,
        version: FORMAT_VERSION + 1,
        upgrade: (db) => db.createObjectStore("pages"),
        env: systemEnv,
      });
      newer.close();
      const error = await rejectionOf(loadAll(open(name)));
      expect(isPlasmaError(error, "client/storage")).toBe(true);
      expect((error as Error).message).toContain("reload the page");
      const still = await resultOf(indexedDB.open(name));
      expect([still.version, ...still.objectStoreNames]).toEqual([FORMAT_VERSION + 1, "pages"]);
      still.close();
    });

    test("an open store does not stand in the way of a newer app, and stops writing", async () => {
      const { name, store, replicaID } = await opened();
      const newer = await openDatabase({ name, version: FORMAT_VERSION + 1, upgrade: () => undefined, env: systemEnv });
      const error = await rejectionOf(store.append(replicaID, entriesOf("a", 1)));
      expect((error as Error).message).toContain("reload the page");
      expect(await resultOf(newer.transaction("outbox").objectStore("outbox").count())).toBe(0);
      newer.close();
    });

    test("an upgrade that a sleeping tab blocks is given up after a while, and keeps nothing open when it succeeds later", async () => {
      const name = freshName();
      const sleeping = await openDatabase({ name, version: 1, upgrade: () => undefined, env: systemEnv });
      const timer = Promise.withResolvers<() => void>();
      const env: Env = { ...systemEnv, setTimeout: (fn) => (timer.resolve(fn), 0) };
      const code = codeOf(openDatabase({ name, version: 2, upgrade: () => undefined, env }));
      (await timer.promise)();
      expect(await code).toBe("client/storage");
      sleeping.close();
      // Would never end if the late connection stayed open.
      await resultOf(indexedDB.deleteDatabase(name));
    });

    test("an opening that waits behind a deletion, which a sleeping tab holds up, is given up after a while, and works later", async () => {
      const name = freshName();
      const sleeping = await openDatabase({ name, version: 1, upgrade: () => undefined, env: systemEnv });
      const deleted = resultOf(indexedDB.deleteDatabase(name));
      const timer = Promise.withResolvers<() => void>();
      const env: Env = { ...systemEnv, setTimeout: (fn) => (timer.resolve(fn), 0) };
      const code = codeOf(openDatabase({ name, version: 1, upgrade: () => undefined, env }));
      (await timer.promise)();
      expect(await code).toBe("client/storage");
      sleeping.close();
      await deleted;
      (await openDatabase({ name, version: 1, upgrade: () => undefined, env: systemEnv })).close();
    });
  });

  describe(`deleteLocalData on ${kind}`, () => {
    test("deletes a user's database and returns what was pending, in order", async () => {
      const dbName = systemEnv.randomUUID();
      const { name, store, replicaID } = await opened(databaseName(dbName, "ada"));
      await store.append(replicaID, entriesOf("b", 1));
      await store.append(replicaID, [{ ...entriesOf("a", 1)[0]!, args: { amount: { $bigint: "7" } } }]);
      store.close();
      const lost = await deleteLocalData({ dbName, clientGroupID: "ada" });
      expect(lost).toEqual([
        { clientID: "b", id: 1, name: "addNote", args: { title: "b 1" }, timestamp: 1000 },
        { clientID: "a", id: 1, name: "addNote", args: { amount: 7n }, timestamp: 1000 },
      ]);
      expect(await databaseExists(name)).toBe(false);
    });

    test("deletes under an open client, which can write no more and does not bring the database back", async () => {
      const dbName = systemEnv.randomUUID();
      const { name, store, replicaID, epoch } = await opened(databaseName(dbName, "ada"));
      await store.append(replicaID, entriesOf("a", 1));
      expect((await deleteLocalData({ dbName, clientGroupID: "ada" })).length).toBe(1);
      const error = await rejectionOf(store.append(replicaID, entriesOf("a", 2)));
      expect((error as Error).message).toContain("it was deleted; reload the page");
      expect(await codeOf(store.sync(replicaID, epoch, nothing))).toBe("client/storage");
      expect(await codeOf(loadAll(store))).toBe("client/storage");
      expect(await databaseExists(name)).toBe(false);
      expect((await loadAll(open(name))).replicaID).not.toBe(replicaID);
    });

    test("a write that races with the deletion is refused or returned, never lost", async () => {
      const dbName = systemEnv.randomUUID();
      const { store, replicaID } = await opened(databaseName(dbName, "ada"));
      const resolved: number[] = [];
      const writing = (async () => {
        for (let next = 1; ; next++) {
          await store.append(replicaID, entriesOf("a", next));
          resolved.push(next);
        }
      })().catch((error: unknown) => error);
      await vi.waitUntil(() => resolved.length > 3);
      const lost = await deleteLocalData({ dbName, clientGroupID: "ada" });
      expect(isPlasmaError(await writing)).toBe(true);
      expect(lost.map((mutation) => mutation.id)).toEqual(resolved);
    });

    test("without a user it deletes those of all users of the app, and of no other app", async () => {
      const dbName = systemEnv.randomUUID();
      for (const user of ["ada", "grace:1"]) {
        const { store, replicaID } = await opened(databaseName(dbName, user));
        await store.append(replicaID, entriesOf(user, 1));
        store.close();
      }
      const other = databaseName(`${dbName}2`, "ada");
      (await opened(other)).store.close();
      const lost = await deleteLocalData({ dbName });
      expect(lost.map((mutation) => mutation.clientID).sort()).toEqual(["ada", "grace:1"]);
      expect(await databaseExists(databaseName(dbName, "grace:1"))).toBe(false);
      expect(await databaseExists(other)).toBe(true);
    });

    test("what does not exist is not made", async () => {
      const dbName = systemEnv.randomUUID();
      expect(await deleteLocalData({ dbName, clientGroupID: "ada" })).toEqual([]);
      expect(await deleteLocalData({ dbName })).toEqual([]);
      expect(await databaseExists(databaseName(dbName, "ada"))).toBe(false);
    });

    test("a tab that does not let go keeps an empty database, and nobody waiting", async () => {
      const dbName = systemEnv.randomUUID();
      const { name, store, replicaID, epoch } = await opened(databaseName(dbName, "ada"));
      await store.sync(replicaID, epoch, { ...nothing, changes: [note("n1")] });
      const sleeping = await resultOf(indexedDB.open(name));
      await deleteLocalData({ dbName, clientGroupID: "ada" });
      const tx = sleeping.transaction([...sleeping.objectStoreNames]);
      const counts = [...sleeping.objectStoreNames].map((each) => resultOf(tx.objectStore(each).count()));
      expect(new Set(await Promise.all(counts))).toEqual(new Set([0]));
      sleeping.close();
      await vi.waitFor(async () => expect(await databaseExists(name)).toBe(false));
    });
  });
}
