// Owns: what the bytes of files in IndexedDB must do beside the contract: leave nothing behind, survive the platform's faults,
// and go with the replica. It runs on fake-indexeddb and in Chromium.

import { afterEach, describe, expect, test, vi } from "vitest";
import { isPlasmaError } from "../../core/error.ts";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { LocalBlobs } from "../blobs/local-blobs.ts";
import { bytesOf, hashOf, localBlobsSuite, readBack, settableEnv, store } from "../blobs/local-blobs.suite.ts";
import { deleteLocalData } from "../local-data.ts";
import { openDatabase, resultOf } from "./idb-requests.ts";
import { createIdbLocalBlobs } from "./idb-local-blobs.ts";
import { createIdbStore } from "./idb-store.ts";
import { BLOB_STORES, databaseName, emptyMeta } from "./layout.ts";
import { codeOf, entriesOf, loadAll, outboxOf, schema } from "./store.suite.ts";

const CHUNK = limits.blobChunkBytes;
const freshName = () => databaseName(systemEnv.randomUUID(), "ada");
const open = (name: string, env: Env = systemEnv): LocalBlobs => createIdbLocalBlobs({ name, env });

/** Records in each of the stores of files' bytes. */
async function counts(name: string): Promise<readonly number[]> {
  const database = await resultOf(indexedDB.open(name));
  const tx = database.transaction(BLOB_STORES);
  const found = await Promise.all(BLOB_STORES.map((each) => resultOf(tx.objectStore(each).count())));
  database.close();
  return found;
}

async function writing(blobs: LocalBlobs, sizeBytes: number) {
  const write = blobs.write();
  await write.append(bytesOf(sizeBytes));
  return write;
}

/** A write of some chunks, all of them on the disk. */
async function stalled(name: string, env: Env, chunks: number) {
  const write = await writing(open(name, env), chunks * CHUNK);
  await vi.waitFor(async () => expect((await counts(name))[2]).toBe(chunks));
  return write;
}

/** Lets each transaction that writes chunks fail from the `nth` on, as the browser does when there is no room. */
function failAtCommit(nth: number, name: string): void {
  const { commit } = IDBTransaction.prototype;
  let count = 0;
  vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
    if (![...this.objectStoreNames].includes("blobChunks") || ++count !== nth) return commit.call(this);
    Object.defineProperty(this, "error", { value: new DOMException("No room.", name) });
    this.abort();
  });
}

export function idbLocalBlobsSuite(kind: string): void {
  localBlobsSuite(kind, (name, env) => open(databaseName(name, "ada"), env));

  afterEach(() => {
    vi.restoreAllMocks();
  });

  describe(`local blobs on ${kind}: nothing is left behind`, () => {
    test("by an aborted write, by the second of two writes of the same bytes, by forgetting", async () => {
      const name = freshName();
      const blobs = open(name);
      await (await writing(blobs, 3 * CHUNK + 1)).abort();
      expect(await counts(name)).toEqual([0, 0, 0]);
      const hash = await store(blobs, bytesOf(2 * CHUNK + 1));
      await store(blobs, bytesOf(2 * CHUNK + 1));
      expect(await counts(name)).toEqual([1, 0, 3]);
      await blobs.forget(hash);
      expect(await counts(name)).toEqual([0, 0, 0]);
    });

    test("by evicted bytes", async () => {
      const name = freshName();
      const blobs = open(name);
      await store(blobs, bytesOf(2 * CHUNK), { uploaded: true });
      expect(await blobs.evict({ budgetBytes: 0, isNeeded: () => false })).toHaveLength(1);
      expect(await counts(name)).toEqual([0, 0, 0]);
    });

    test.each([1, 2, 3, 4])("by a write that finds no room at its transaction %i", async (nth) => {
      const name = freshName();
      const blobs = open(name);
      const bytes = bytesOf(2 * CHUNK + 5);
      // It has looked for leftovers.
      await blobs.forget(await store(blobs, bytesOf(1)));
      failAtCommit(nth, "QuotaExceededError");
      const error: unknown = await store(blobs, bytes).then(
        () => expect.unreachable("it resolved"),
        (caught: unknown) => caught,
      );
      expect([isPlasmaError(error, "client/storage"), (error as Error).cause]).toMatchObject([
        true,
        { name: "QuotaExceededError" },
      ]);
      vi.restoreAllMocks();
      expect(await counts(name)).toEqual([0, 0, 0]);
      // There is room again.
      expect((await readBack(blobs, await store(blobs, bytes)))?.length).toBe(bytes.length);
    });

    test("by a tab that was killed in the middle: the next write after an hour takes its chunks", async () => {
      const name = freshName();
      const env = settableEnv();
      await stalled(name, env, 3);
      env.ms += limits.blobWriteStaleMs;
      await store(open(name, env), bytesOf(1, 5));
      expect((await counts(name))[1]).toBe(1);
      env.ms += 1;
      await store(open(name, env), bytesOf(1, 6));
      expect(await counts(name)).toEqual([2, 0, 2]);
    });

    test("a write that was taken for a dead tab's fails, and does not come back half", async () => {
      const name = freshName();
      const env = settableEnv();
      const write = await stalled(name, env, 2);
      await write.append(bytesOf(1));
      env.ms += limits.blobWriteStaleMs + 1;
      const other = open(name, env);
      await store(other, bytesOf(1, 5));
      expect(await codeOf(write.finish("a".repeat(64), { uploaded: false }))).toBe("client/storage");
      expect([await other.read("a".repeat(64)), await counts(name)]).toEqual([null, [1, 0, 1]]);
    });
  });

  describe(`local blobs on ${kind}: the platform`, () => {
    test("connections that die in the middle of a write are opened anew, and the bytes are whole", async () => {
      const blobs = open(freshName());
      const begin = vi.spyOn(IDBDatabase.prototype, "transaction");
      const bytes = bytesOf(3 * CHUNK + 9);
      const write = blobs.write();
      for (let i = 0; i < bytes.length; i += CHUNK / 2) {
        await write.append(bytes.subarray(i, i + CHUNK / 2));
        (begin.mock.contexts.at(-1) as IDBDatabase | undefined)?.close();
      }
      const hash = await hashOf(bytes);
      await write.finish(hash, { uploaded: false });
      expect(await hashOf((await readBack(blobs, hash)) as Uint8Array<ArrayBuffer>)).toBe(hash);
    });

    test("a finish whose commit held although its connection died holds", async () => {
      const name = freshName();
      const blobs = open(name);
      const bytes = bytesOf(CHUNK + 1);
      const hash = await hashOf(bytes);
      const write = blobs.write();
      await write.append(bytes);
      const { commit } = IDBTransaction.prototype;
      vi.spyOn(IDBTransaction.prototype, "commit").mockImplementation(function (this: IDBTransaction) {
        if ([...this.objectStoreNames].includes("blobs")) {
          vi.restoreAllMocks();
          const { onabort } = this;
          this.oncomplete = null;
          this.addEventListener("complete", () => onabort?.call(this, new Event("abort")));
        }
        commit.call(this);
      });
      await write.finish(hash, { uploaded: false });
      await write.abort();
      expect(await counts(name)).toEqual([1, 0, 2]);
      expect((await readBack(blobs, hash))?.length).toBe(bytes.length);
    });

    test("bytes that are read while they are forgotten are null, never part of them", async () => {
      const blobs = open(freshName());
      const bytes = bytesOf(40 * CHUNK);
      const hash = await store(blobs, bytes, { pieceBytes: CHUNK });
      const [read] = await Promise.all([blobs.read(hash), blobs.forget(hash)]);
      expect([undefined, bytes.length]).toContain(read?.size);
      expect(await blobs.read(hash)).toBe(null);
    });

    test("a use is noted once an hour, not with every read", async () => {
      const env = settableEnv();
      const blobs = open(freshName(), env);
      const hash = await store(blobs, bytesOf(5));
      const begin = vi.spyOn(IDBDatabase.prototype, "transaction");
      const writes = () => begin.mock.calls.filter(([, mode]) => mode === "readwrite").length;
      env.ms += limits.blobUsedStepMs;
      await blobs.read(hash);
      expect(writes()).toBe(0);
      env.ms += 1;
      await blobs.read(hash);
      await blobs.read(hash);
      expect(writes()).toBe(1);
    });
  });

  describe(`local blobs on ${kind}: with the replica`, () => {
    test("bytes of a mutation in the outbox stay, also when the tab that evicts has not heard of it", async () => {
      const name = freshName();
      const env = settableEnv();
      const replica = createIdbStore({ name, schema, env: systemEnv });
      const { replicaID } = await replica.load(() => undefined);
      const blobs = open(name, env);
      const waiting = await store(blobs, bytesOf(10, 1));
      const sent = await store(blobs, bytesOf(10, 2), { uploaded: true });
      const orphan = await store(blobs, bytesOf(10, 3));
      await replica.append(replicaID, [{ ...entriesOf("a", 1)[0]!, files: [waiting, sent] }]);
      env.ms += 2 * limits.blobOrphanMs;
      expect(await blobs.evict({ budgetBytes: 0, isNeeded: () => false })).toEqual([orphan]);
    });

    test("a reset takes the bytes along, and a write that it meets fails", async () => {
      const name = freshName();
      const replica = createIdbStore({ name, schema, env: systemEnv });
      await replica.load(() => undefined);
      const blobs = open(name);
      const hash = await store(blobs, bytesOf(CHUNK + 1));
      const write = await writing(blobs, 2 * CHUNK);
      await replica.reset();
      expect(await codeOf(write.append(bytesOf(2 * CHUNK)).then(() => write.finish(hash, { uploaded: false })))).toBe(
        "client/storage",
      );
      expect([await blobs.read(hash), await counts(name)]).toEqual([null, [0, 0, 0]]);
    });

    test("a reset that keeps rows of local-only tables keeps the bytes, which those rows may need", async () => {
      const name = freshName();
      const replica = createIdbStore({ name, schema, env: systemEnv });
      await replica.load(() => undefined);
      const blobs = open(name);
      const hash = await store(blobs, bytesOf(10));
      await replica.reset(new Set(["notes"]));
      expect((await readBack(blobs, hash))?.length).toBe(10);
    });

    test("deleted local data takes the bytes along, also while a tab has them open", async () => {
      const dbName = systemEnv.randomUUID();
      const blobs = open(databaseName(dbName, "ada"));
      const hash = await store(blobs, bytesOf(10));
      await deleteLocalData({ dbName, clientGroupID: "ada" });
      expect(await codeOf(blobs.read(hash))).toBe("client/storage");
      expect((await indexedDB.databases()).some(({ name }) => name === databaseName(dbName, "ada"))).toBe(false);
    });

    test("a database of format 1 is opened with all it holds, and takes files", async () => {
      const name = freshName();
      const old = await openDatabase({ name, version: 1, upgrade: upgradeTo1, env: systemEnv });
      const tx = old.transaction(["rows", "outbox", "clients", "meta"], "readwrite");
      tx.objectStore("rows").put({ id: "n1", title: "old" }, ["notes", "n1"]);
      tx.objectStore("outbox").put({ ...entriesOf("a", 1)[0], order: 1 });
      tx.objectStore("clients").put({ clientID: "a", lastID: 1 });
      const meta = { ...emptyMeta("replica-1"), seq: 7, nextOrder: 2, cookie: "c1", schemaVersion: "" };
      await resultOf(tx.objectStore("meta").put(meta, "replica"));
      old.close();
      const blobs = open(name);
      const hash = await store(blobs, bytesOf(10));
      const loaded = await loadAll(createIdbStore({ name, schema, env: systemEnv }));
      expect([loaded.replicaID, loaded.seq, loaded.cookie, outboxOf(loaded)]).toEqual(["replica-1", 7, "c1", ["a 1"]]);
      expect(loaded.rows.get("notes")).toEqual([{ id: "n1", title: "old" }]);
      expect((await readBack(blobs, hash))?.length).toBe(10);
    });

    test("the database of a new replica is the same as an upgraded one", async () => {
      const shapeOf = async (name: string) => {
        const database = await resultOf(indexedDB.open(name));
        const tx = database.transaction([...database.objectStoreNames]);
        const shape = [...database.objectStoreNames].map((each) => {
          const { keyPath, indexNames } = tx.objectStore(each);
          return [each, keyPath, [...indexNames]];
        });
        database.close();
        return [database.version, shape];
      };
      const [fresh, upgraded] = [freshName(), freshName()];
      (await openDatabase({ name: upgraded, version: 1, upgrade: upgradeTo1, env: systemEnv })).close();
      for (const name of [fresh, upgraded]) await open(name).info("x");
      expect(await shapeOf(upgraded)).toEqual(await shapeOf(fresh));
    });
  });
}

/** Format 1 as it was when it was the last. */
function upgradeTo1(database: IDBDatabase): void {
  database.createObjectStore("rows");
  database
    .createObjectStore("outbox", { keyPath: "order" })
    .createIndex("byClient", ["clientID", "id"], { unique: true });
  database.createObjectStore("clients", { keyPath: "clientID" });
  database.createObjectStore("meta");
}
