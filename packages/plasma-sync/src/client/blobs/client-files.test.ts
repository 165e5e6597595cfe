import { describe, expect, test } from "vitest";
import { PlasmaError } from "../../core/error.ts";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import * as limits from "../../core/limits.ts";
import { encodeTagged, type FileTag } from "../../core/protocol/tagged-json.ts";
import { id } from "../../core/schema/column.ts";
import { file } from "../../core/schema/file-column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { FileRef } from "../../core/schema/value.ts";
import { createQueryRuntime } from "../ivm/create-query-runtime.ts";
import type { PendingMutation } from "../replica/pending-mutation.ts";
import { createClientFiles } from "./client-files.ts";
import { bytesOf, store } from "./local-blobs.suite.ts";
import type { BlobWrite } from "./local-blobs.ts";
import { createMemoryLocalBlobs } from "./memory-local-blobs.ts";
import { Turns } from "../../core/lib/turns.ts";

const notes = table("notes", { id: id(), cover: file().nullable() });
const drafts = table("drafts", { id: id(), picture: file().nullable() }, { changeLogSuppressed: true });
const schema = defineSchema({ notes, drafts });

function open({
  cacheBytes = 1000,
  pending = [] as string[],
  whenCurrent = (): Promise<void> => Promise.resolve(),
} = {}) {
  const env = createVirtualEnv();
  const blobs = createMemoryLocalBlobs(env);
  const runtime = createQueryRuntime({ schema });
  const replica = { pending: pending.map((hash) => ({ entry: { files: [hash] } }) as unknown as PendingMutation) };
  const deps = { schema, blobs, env, cacheBytes, replica, runtime, whenCurrent, http: null, onProgress: undefined };
  const files = createClientFiles({ ...deps, post: () => undefined, report: () => undefined });
  /** As `mutate` does it. */
  const take = async (...given: Blob[]) => {
    const tags: FileTag[] = [];
    encodeTagged(given, "add", tags);
    return files.take(tags, "add", async () => tags.map(({ $file }) => $file as FileRef));
  };
  return { env, blobs, runtime, files, take };
}

const noRoom = () =>
  new PlasmaError("client/storage", { what: "no room" }, { cause: new DOMException("", "QuotaExceededError") });

describe("the cache of files", () => {
  test("is trimmed a while after files have come, once for many, and not where nothing could come back", async () => {
    const { env, blobs, files, take } = open();
    await store(blobs, bytesOf(900, 1), { uploaded: true });
    const recent = await store(blobs, bytesOf(900, 2), { uploaded: true });
    await env.advance(1);
    await blobs.read(recent);
    for (let i = 0; i < 3; i++) await take(new Blob([bytesOf(10, 50 + i)]));
    expect(env.timerCount).toBe(1);
    await env.advance(limits.blobEvictDelayMs);
    expect((await blobs.info(recent))?.sizeBytes).toBe(900);
    expect(await blobs.evict({ budgetBytes: 1000, isNeeded: () => false })).toEqual([]);
    expect(env.timerCount).toBe(0);
    files.close();

    const offline = open({ cacheBytes: Infinity });
    await offline.take(new Blob([bytesOf(10)]));
    expect(offline.env.timerCount).toBe(0);
  });

  test("keeps files of pending mutations and of rows of local-only tables; those of synced rows come back", async () => {
    const bytes = [bytesOf(900, 1), bytesOf(900, 2), bytesOf(900, 3)] as const;
    const probe = open();
    const [waiting] = await probe.take(new Blob([bytes[0]]));
    const { env, blobs, runtime, files } = open({ cacheBytes: 1, pending: [waiting!.hash] });
    const hashes: string[] = [];
    for (const each of bytes) hashes.push(await store(blobs, each, { uploaded: true }));
    const refOf = (i: number) => ({ hash: hashes[i]!, size: 900, mime: "image/png" });
    runtime.fill("drafts", [
      { id: "d", picture: refOf(1) },
      { id: "e", picture: null },
    ]);
    runtime.fill("notes", [{ id: "n", cover: refOf(2) }]);
    files.touched();
    await env.advance(limits.blobEvictDelayMs);
    expect(await Promise.all(hashes.map(async (hash) => (await blobs.info(hash)) !== null))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("stays while the outbox is not read yet, and for good in a tab that no longer follows it", async () => {
    const read = Promise.withResolvers<void>();
    const early = open({ cacheBytes: 1, whenCurrent: () => read.promise });
    const outdated = open({ cacheBytes: 1, whenCurrent: () => Promise.reject(new Error("outdated")) });
    const hashes: string[] = [];
    for (const { blobs, env } of [early, outdated]) {
      hashes.push(await store(blobs, bytesOf(900), { uploaded: true }));
      await env.advance(limits.blobEvictDelayMs);
      expect(await blobs.info(hashes[0]!)).not.toBe(null);
    }
    read.resolve();
    await early.env.advance(0);
    expect([await early.blobs.info(hashes[0]!), (await outdated.blobs.info(hashes[0]!))?.sizeBytes]).toEqual([
      null,
      900,
    ]);
  });

  test("makes way, as a whole, for a file that finds no room; one that finds none even so is refused", async () => {
    const { blobs, take } = open({ cacheBytes: 1_000_000 });
    const cached = await store(blobs, bytesOf(900), { uploaded: true });
    const { write } = blobs;
    let attempts = 0;
    let isFull = async () => (await blobs.info(cached)) !== null;
    blobs.write = (): BlobWrite => {
      const inner = write.call(blobs);
      return {
        ...inner,
        finish: async (hash, state) => {
          attempts += 1;
          if (await isFull()) throw noRoom();
          return inner.finish(hash, state);
        },
      };
    };
    const [ref] = await take(new Blob([bytesOf(10, 7)]));
    expect([attempts, await blobs.info(cached), (await blobs.info(ref!.hash))?.sizeBytes]).toEqual([2, null, 10]);
    isFull = async () => true;
    await expect(take(new Blob([bytesOf(10, 8)]))).rejects.toMatchObject({ code: "client/storage" });
    expect([attempts, (await blobs.notUploaded()).length]).toEqual([3, 1]);
  });
});

describe("a file that was here before, uploaded, and is given again", () => {
  test("stays while its mutation is being made", async () => {
    const { env, blobs, files } = open({ cacheBytes: 1 });
    const bytes = bytesOf(900);
    const hash = await store(blobs, bytes, { uploaded: true });
    const tags: FileTag[] = [];
    encodeTagged(new Blob([bytes]), "add", tags);
    await files.take(tags, "add", async () => {
      await env.advance(limits.blobEvictDelayMs);
      expect(await blobs.info(hash)).toMatchObject({ uploaded: true });
    });
    files.touched();
    await env.advance(limits.blobEvictDelayMs);
    expect(await blobs.info(hash)).toBe(null);
  });

  test("stays when the cache makes way for another file of the same mutation", async () => {
    const { blobs, take } = open({ cacheBytes: 1_000_000 });
    const cached = await store(blobs, bytesOf(900, 1), { uploaded: true });
    const again = await store(blobs, bytesOf(900, 2), { uploaded: true });
    const { write } = blobs;
    blobs.write = () => {
      const inner = write.call(blobs);
      const finish: BlobWrite["finish"] = async (hash, state) => {
        if (hash !== again && (await blobs.info(cached)) !== null) throw noRoom();
        return inner.finish(hash, state);
      };
      return { ...inner, finish };
    };
    await take(new Blob([bytesOf(900, 2)]), new Blob([bytesOf(10, 7)]));
    expect([await blobs.info(cached), (await blobs.info(again))?.sizeBytes]).toEqual([null, 900]);
  });
});

describe("many files at once", () => {
  test("are taken in a few at a time, in their order, and all of them when one fails", async () => {
    const { blobs, take } = open();
    let atOnce = 0;
    let atOnceMax = 0;
    const { write } = blobs;
    blobs.write = () => {
      atOnceMax = Math.max(atOnceMax, ++atOnce);
      const inner = write.call(blobs);
      const end = <A extends unknown[]>(step: (...args: A) => Promise<void>) => {
        return async (...args: A) => {
          await step(...args);
          atOnce -= 1;
        };
      };
      return { ...inner, finish: end(inner.finish) };
    };
    const given = Array.from({ length: 100 }, (_, i) => new Blob([bytesOf(20, i)]));
    expect((await take(...given)).map(({ size }) => size)).toEqual(given.map(() => 20));
    expect(atOnceMax).toBe(limits.filesTakenInMax);
    expect(await blobs.notUploaded()).toHaveLength(100);

    const gone = new Blob(["gone"]);
    gone.slice = () => {
      throw new DOMException("It has gone.", "NotFoundError");
    };
    const others = [new Blob([bytesOf(21)]), gone, new Blob([bytesOf(22)])];
    await expect(take(...others)).rejects.toMatchObject({ code: "client/file" });
    expect(await blobs.notUploaded()).toHaveLength(102);
  });

  test("a turn passes on when a task fails", async () => {
    const turns = new Turns(1);
    const order: string[] = [];
    const run = (name: string, fail = false) =>
      turns
        .run(async () => {
          order.push(name);
          if (fail) throw new Error(name);
        })
        .catch(() => order.push(`${name} failed`));
    await Promise.all([run("a", true), run("b"), run("c", true), run("d")]);
    await run("e");
    expect(order.filter((step) => !step.endsWith("failed"))).toEqual(["a", "b", "c", "d", "e"]);
  });
});
