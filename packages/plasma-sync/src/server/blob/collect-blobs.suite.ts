// Owns: what collectBlobs owes on every engine: beside pushes and uploads at each of their steps, and cut off at each of its own.

import { beforeEach, describe, expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { NOW } from "../sync/sync-server.fixture.ts";
import { BlobServer, docs, mutation, refOf, tagged } from "./blob-server.fixture.ts";
import { bytesOf, hashOfBytes } from "./blob-store.suite.ts";
import type { BlobStore } from "./blob-store.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { memoryBlobs } from "./memory-blobs.ts";

const DAY = 86_400_000;
const png = bytesOf(2000);
const other = bytesOf(3000, 5);
const hash = hashOfBytes(png);

/** Calls `before(n)` ahead of the nth statement, batch, transaction or call of the store. */
class Steps {
  count = 0;
  before: (step: number) => Promise<void> = async () => undefined;

  async #step<T>(run: () => Promise<T>): Promise<T> {
    this.count += 1;
    await this.before(this.count);
    return run();
  }

  executor(inner: SqlExecutor): SqlExecutor {
    return {
      ...inner,
      all: (statement) => this.#step(() => inner.all(statement)),
      run: (statement) => this.#step(() => inner.run(statement)),
      batch: (statements) => this.#step(() => inner.batch(statements)),
      transaction: (fn) => this.#step(() => inner.transaction(fn)),
    };
  }

  store(inner: BlobStore): BlobStore {
    return {
      put: (...args) => this.#step(() => inner.put(...args)),
      get: (...args) => this.#step(() => inner.get(...args)),
      head: (...args) => this.#step(() => inner.head(...args)),
      delete: (...args) => this.#step(() => inner.delete(...args)),
      list: (...args) => inner.list(...args),
    };
  }
}

export function collectBlobsSuite(name: string, open: () => Promise<SqlExecutor>, stepsMax = 12): void {
  describe(`collection of blobs: ${name}`, () => {
    let executor: SqlExecutor;
    let store: BlobStore;
    let server: BlobServer;
    beforeEach(async () => {
      executor = await open();
      store = memoryBlobs();
      server = new BlobServer(executor, store);
    });

    const collect = (more: { executor?: SqlExecutor; blobs?: BlobStore; graceMs?: number } = {}) =>
      collectBlobs({
        executor,
        blobs: store,
        graceMs: DAY,
        env: { ...systemEnv, now: () => server.clock.now },
        ...more,
      });
    /** Without rows, and older than the grace. */
    const sendAndForget = async () => {
      for (const bytes of [png, other]) await server.put("ada", bytes);
      server.clock.now += 2 * DAY;
    };
    const addDoc = async (of: BlobServer, bytes = png): Promise<string> => {
      const { json, text } = await of
        .client("ada")
        .push(mutation(1, "addDoc", { id: "d1", cover: tagged(refOf(bytes)) }));
      const result = json.results?.[0];
      return result === undefined ? text : (result.error?.code ?? result.status);
    };
    /** Every blob has its bytes, all bytes are known, and every ref of a row has its blob. */
    const expectConsistent = async () => {
      const keys = (await server.rowsOf("_plasma_blobs")).map((row) => String((row as { blob_key: string }).blob_key));
      for (const key of keys) expect(await store.head(key)).not.toBeNull();
      const loose = (await server.rowsOf("_plasma_blob_loose")).map((row) =>
        String((row as { blob_key: string }).blob_key),
      );
      for (const key of await server.keys()) expect([...keys, ...loose]).toContain(key);
      for (const row of await (await server.db()).select().from(docs))
        if (row.cover !== null) expect(await server.statusOf("ada", row.cover.hash)).toBe(200);
    };

    test("deletes what no row has referred to for the grace, and nothing else", async () => {
      for (const bytes of [png, other]) await server.put("ada", bytes);
      await addDoc(server);
      server.clock.now += DAY;
      expect(await collect()).toEqual({ deleted: 0, deletedBytes: 0, hasMore: false });
      server.clock.now += 1;
      expect(await collect()).toEqual({ deleted: 1, deletedBytes: 3000, hasMore: false });
      expect((await server.keys()).map((key) => key.slice(0, 64))).toEqual([hash]);
      expect(await server.rowsOf("_plasma_blob_loose")).toEqual([]);
      await expectConsistent();
      expect(await collect()).toMatchObject({ deleted: 0 });
    });

    test("the grace begins anew when the last ref goes, and when the bytes are sent again", async () => {
      await server.put("ada", png);
      await addDoc(server);
      server.clock.now += 9 * DAY;
      await server.client("ada").push(mutation(2, "delDoc", { id: "d1" }));
      expect(await collect()).toMatchObject({ deleted: 0 });
      server.clock.now += DAY;
      await server.put("grace", png);
      server.clock.now += DAY / 2;
      expect(await collect()).toMatchObject({ deleted: 0 });
      server.clock.now += DAY;
      expect(await collect()).toMatchObject({ deleted: 1 });
    });

    test("what was collected may be sent and used again; its old senders must send it anew", async () => {
      await sendAndForget();
      await collect();
      expect(await server.keys()).toEqual([]);
      expect(await addDoc(server)).toBe("blob/refused");
      expect((await server.put("ada", png)).status).toBe(204);
      const { json } = await server.client("ada").push(mutation(2, "addDoc", { id: "d2", cover: tagged(refOf(png)) }));
      expect(json.results[0]?.status).toBe("applied");
      expect(await server.statusOf("ada", hash)).toBe(200);
    });

    test("what a broken upload has left goes after a day, whatever the grace", async () => {
      const broken = { ...store, put: () => Promise.reject(new RangeError("cut")) };
      await new BlobServer(executor, broken).put("ada", png);
      const [row] = await server.rowsOf("_plasma_blob_loose");
      const key = String((row as { blob_key: string }).blob_key);
      await store.put(key, new Blob([png]).stream(), png.length);
      await collect({ graceMs: 0 });
      expect(await server.keys()).toEqual([key]);
      server.clock.now = NOW + DAY;
      await collect({ graceMs: 30 * DAY });
      expect(await server.keys()).toEqual([]);
      expect(await server.rowsOf("_plasma_blob_loose")).toEqual([]);
    });

    test.each([
      ["has deleted", async () => undefined],
      ["is about to delete", async () => Promise.reject(new RangeError("killed"))],
    ])("an upload that ends when a collection %s its bytes is answered 503", async (_, before) => {
      const cut: BlobStore = { ...store, delete: (keys) => before().then(() => store.delete(keys)) };
      const late: BlobStore = {
        ...store,
        put: async (...args) => {
          await store.put(...args);
          server.clock.now += 2 * DAY;
          await collect({ blobs: cut }).catch(() => undefined);
        },
      };
      const uploading = new BlobServer(executor, late);
      expect((await uploading.put("ada", png)).status).toBe(503);
      expect(await server.rowsOf("_plasma_blobs")).toEqual([]);
      await collect();
      expect(await server.keys()).toEqual([]);
    });

    test("a push in flight that refers to a blob commits, or the collection wins, at each of its steps", async () => {
      const outcomes = new Set<string>();
      for (let at = 1; at <= stepsMax; at++) {
        await sendAndForget();
        const steps = new Steps();
        const pushing = new BlobServer(steps.executor(executor), store);
        pushing.clock.now = server.clock.now;
        steps.before = async (step) => void (step === at && (await collect()));
        const outcome = await addDoc(pushing);
        outcomes.add(outcome);
        expect(["applied", "blob/refused"]).toContain(outcome);
        await expectConsistent();
        await (await server.db()).delete(docs).all();
        await executor.run({ text: "DELETE FROM _plasma_client_mutations", params: [] });
        if (steps.count < at) break;
      }
      expect([...outcomes].sort()).toEqual(["applied", "blob/refused"]);
    });

    test("an upload beside a collection keeps its bytes, at each step of either", async () => {
      for (let at = 1; at <= stepsMax; at++) {
        await sendAndForget();
        const steps = new Steps();
        const uploading = new BlobServer(steps.executor(executor), steps.store(store));
        uploading.clock.now = server.clock.now;
        steps.before = async (step) => void (step === at && (await collect()));
        expect((await uploading.put("ada", png)).status).toBe(204);
        await expectConsistent();
        expect(await addDoc(server)).toBe("applied");
        await expectConsistent();
        await (await server.db()).delete(docs).all();
        await executor.run({ text: "DELETE FROM _plasma_client_mutations", params: [] });
        if (steps.count < at) break;
      }
      for (let at = 1; at <= stepsMax; at++) {
        await sendAndForget();
        const steps = new Steps();
        steps.before = async (step) => void (step === at && (await server.put("ada", png)));
        await collect({ executor: steps.executor(executor), blobs: steps.store(store) });
        await expectConsistent();
        if (steps.count >= at) {
          const outcome = await addDoc(server);
          // Sent before the commit, the bytes are young; after it, they are new.
          expect(outcome).toBe("applied");
        }
        await expectConsistent();
        await (await server.db()).delete(docs).all();
        await executor.run({ text: "DELETE FROM _plasma_client_mutations", params: [] });
        if (steps.count < at) break;
      }
    });

    test("cut off at any step, the next run does the rest", async () => {
      for (let at = 1; at <= stepsMax; at++) {
        await sendAndForget();
        const steps = new Steps();
        steps.before = async (step) => {
          if (step === at) throw new RangeError("killed");
        };
        const cut = collect({ executor: steps.executor(executor), blobs: steps.store(store) });
        await cut.catch(() => undefined);
        await expectConsistent();
        await collect();
        expect(await server.keys()).toEqual([]);
        for (const internal of ["_plasma_blobs", "_plasma_blob_uploads", "_plasma_blob_loose"])
          expect(await server.rowsOf(internal)).toEqual([]);
        if (steps.count < at) break;
      }
    });

    test("pushes, uploads and collections at once leave every row with its file", async () => {
      await server.db();
      const contents = Array.from({ length: 4 }, (_, i) => bytesOf(500, i + 1));
      const person = async (n: number) => {
        const client = server.client(`user${n}`);
        for (let i = 1; i <= 8; i++) {
          const bytes = contents[(n + i) % contents.length]!;
          await server.put(`user${n}`, bytes);
          server.clock.now += DAY / 2;
          const { json } = await client.push(
            mutation(2 * i - 1, "addDoc", { id: `${n} ${i}`, cover: tagged(refOf(bytes)) }),
            mutation(2 * i, "delDoc", { id: `${n} ${i - 1}` }),
          );
          expect(["applied", "rejected"]).toContain(json.results[0]?.status);
        }
      };
      const collecting = async () => {
        for (let i = 0; i < 12; i++) await collect({ graceMs: 0 });
      };
      await Promise.all([person(1), person(2), collecting(), collecting()]);
      const rows = await (await server.db()).select().from(docs);
      for (const row of rows) expect(await server.statusOf(row.ownerId, row.cover!.hash)).toBe(200);
      server.clock.now += 2 * DAY;
      await (await server.db()).delete(docs).all();
      server.clock.now = Math.max(server.clock.now, Date.now() + 2 * DAY);
      await collect();
      expect(await server.keys()).toEqual([]);
    });

    test("goes on where the database allows no more statements in one request", async () => {
      await sendAndForget();
      expect(await collect({ executor: { ...executor, pushStatementsMax: 5 } })).toEqual({
        deleted: 0,
        deletedBytes: 0,
        hasMore: true,
      });
      expect(await collect({ executor: { ...executor, pushStatementsMax: 22 } })).toMatchObject({ deleted: 2 });
      await expect(collect({ graceMs: -1 })).rejects.toMatchObject({ code: "server/option" });
    });
  });
}
