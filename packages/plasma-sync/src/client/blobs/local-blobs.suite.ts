// Owns: what every LocalBlobs must do. `open` makes another handle on the same database, as a second tab would.

import { afterEach, describe, expect, test } from "vitest";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { codeOf } from "../store/store.suite.ts";
import type { LocalBlobs } from "./local-blobs.ts";

export type OpenLocalBlobs = (name: string, env: Env) => LocalBlobs;

/** Bytes that differ from place to place, so that swapped or lost chunks show. */
export function bytesOf(sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16) * 13 + seed) & 255;
  return bytes;
}

export const hashOf = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))]
    .map((b) => b.toString(16).padStart(2, "0"))
    .join("");

/** Writes `bytes` in pieces and returns their hash. */
export async function store(
  blobs: LocalBlobs,
  bytes: Uint8Array<ArrayBuffer>,
  { uploaded = false, pieceBytes = 300_000 } = {},
): Promise<string> {
  const hash = await hashOf(bytes);
  const write = blobs.write();
  for (let i = 0; i < bytes.length; i += pieceBytes) await write.append(bytes.subarray(i, i + pieceBytes));
  await write.finish(hash, { uploaded });
  return hash;
}

export async function readBack(blobs: LocalBlobs, hash: string): Promise<Uint8Array | null> {
  const blob = await blobs.read(hash);
  return blob === null ? null : new Uint8Array(await blob.arrayBuffer());
}

/** A clock that tests set. */
export function settableEnv(): Env & { ms: number } {
  const env = { ...systemEnv, ms: 1_000_000, now: () => env.ms };
  return env;
}

const nothingNeeded = () => false;

export function localBlobsSuite(kind: string, openLocalBlobs: OpenLocalBlobs): void {
  const opened: LocalBlobs[] = [];
  afterEach(() => {
    for (const blobs of opened.splice(0)) blobs.close();
  });
  const openOn = (name: string, env: Env) => {
    const blobs = openLocalBlobs(name, env);
    opened.push(blobs);
    return blobs;
  };
  const open = (name: string = systemEnv.randomUUID(), env: Env = systemEnv) => openOn(name, env);

  describe(`local blobs on ${kind}: bytes`, () => {
    const CHUNK = limits.blobChunkBytes;
    test.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])("%i bytes come back as they were", async (size) => {
      const blobs = open();
      const bytes = bytesOf(size);
      const hash = await store(blobs, bytes);
      const read = await readBack(blobs, hash);
      expect(read?.length).toBe(size);
      expect(await hashOf(read as Uint8Array<ArrayBuffer>)).toBe(hash);
      expect(await blobs.info(hash)).toEqual({ hash, sizeBytes: size, uploaded: false });
    });

    test.each([1, 77_777, CHUNK, 2 * CHUNK + 3])("pieces of %i bytes make the same whole", async (pieceBytes) => {
      const blobs = open();
      const bytes = bytesOf(pieceBytes === 1 ? 100 : 2 * CHUNK + 3);
      const hash = await store(blobs, bytes, { pieceBytes });
      expect(await hashOf((await readBack(blobs, hash)) as Uint8Array<ArrayBuffer>)).toBe(hash);
    });

    test("what the caller does to its buffer after append does not reach the store", async () => {
      const blobs = open();
      const piece = bytesOf(CHUNK);
      const write = blobs.write();
      await write.append(piece);
      piece.fill(0);
      await write.finish("a".repeat(64), { uploaded: false });
      expect((await readBack(blobs, "a".repeat(64)))?.slice(0, 9)).toEqual(bytesOf(9));
    });

    test("an unknown hash is null, and marking or forgetting it does nothing", async () => {
      const blobs = open();
      const hash = "0".repeat(64);
      await blobs.markUploaded(hash);
      await blobs.forget(hash);
      expect([await blobs.read(hash), await blobs.info(hash), await blobs.notUploaded()]).toEqual([null, null, []]);
    });
  });

  describe(`local blobs on ${kind}: writes`, () => {
    test("a write that has not ended is not found, and an aborted one never is", async () => {
      const name = systemEnv.randomUUID();
      const blobs = open(name);
      const bytes = bytesOf(limits.blobChunkBytes + 1);
      const hash = await hashOf(bytes);
      const write = blobs.write();
      await write.append(bytes);
      expect(await open(name).read(hash)).toBe(null);
      await write.abort();
      expect([await blobs.read(hash), await blobs.notUploaded()]).toEqual([null, []]);
    });

    test("two tabs that store the same bytes at once keep them once, and abort after finish drops nothing", async () => {
      const name = systemEnv.randomUUID();
      const [one, two] = [open(name), open(name)];
      const bytes = bytesOf(limits.blobChunkBytes + 7);
      const hash = await hashOf(bytes);
      const writes = [one.write(), two.write()];
      for (const write of writes) await write.append(bytes);
      await Promise.all(writes.map((write) => write.finish(hash, { uploaded: false })));
      for (const write of writes) await write.abort();
      expect(await one.notUploaded()).toEqual([{ hash, sizeBytes: bytes.length, uploaded: false }]);
      expect(await hashOf((await readBack(two, hash)) as Uint8Array<ArrayBuffer>)).toBe(hash);
    });

    test("bytes that the server holds stay uploaded when they are written again", async () => {
      const blobs = open();
      const hash = await store(blobs, bytesOf(10), { uploaded: true });
      await store(blobs, bytesOf(10), { uploaded: false });
      expect(await blobs.info(hash)).toMatchObject({ uploaded: true });
    });

    test("a second tab finds what the first has stored, marks it and forgets it", async () => {
      const name = systemEnv.randomUUID();
      const [one, two] = [open(name), open(name)];
      const hash = await store(one, bytesOf(10));
      expect(await two.info(hash)).toMatchObject({ uploaded: false });
      await two.markUploaded(hash);
      expect([await one.info(hash), await one.notUploaded()]).toEqual([{ hash, sizeBytes: 10, uploaded: true }, []]);
      await one.forget(hash);
      expect(await two.read(hash)).toBe(null);
    });

    test("what waits for its upload is listed oldest first", async () => {
      const env = settableEnv();
      const blobs = open(systemEnv.randomUUID(), env);
      const hashes: string[] = [];
      for (const seed of [3, 1, 2]) {
        env.ms += 1;
        hashes.push(await store(blobs, bytesOf(10, seed)));
      }
      await store(blobs, bytesOf(10, 9), { uploaded: true });
      expect((await blobs.notUploaded()).map(({ hash }) => hash)).toEqual(hashes);
    });
  });

  describe(`local blobs on ${kind}: eviction`, () => {
    async function filled(env: Env & { ms: number }, sizes: readonly number[], uploaded = true) {
      const name = systemEnv.randomUUID();
      const blobs = open(name, env);
      const hashes: string[] = [];
      for (const [i, size] of sizes.entries()) {
        env.ms += 1;
        hashes.push(await store(blobs, bytesOf(size, i), { uploaded }));
      }
      return { name, blobs, hashes };
    }

    test("the least recently used go first, and no more than must", async () => {
      const env = settableEnv();
      const { blobs, hashes } = await filled(env, [100, 100, 100, 100]);
      env.ms += 2 * limits.blobUsedStepMs;
      await blobs.read(hashes[0]!);
      expect(await blobs.evict({ budgetBytes: 250, isNeeded: nothingNeeded })).toEqual([hashes[1], hashes[2]]);
      expect(await blobs.read(hashes[1]!)).toBe(null);
      expect((await readBack(blobs, hashes[0]!))?.length).toBe(100);
      expect(await blobs.evict({ budgetBytes: 250, isNeeded: nothingNeeded })).toEqual([]);
    });

    test("what is needed, and what is not uploaded, stays under every budget", async () => {
      const env = settableEnv();
      const { blobs, hashes } = await filled(env, [100, 100]);
      const waiting = await store(blobs, bytesOf(100, 77));
      expect(await blobs.evict({ budgetBytes: 0, isNeeded: (hash) => hash === hashes[0] })).toEqual([hashes[1]]);
      expect(await blobs.info(hashes[0]!)).not.toBe(null);
      expect(await blobs.info(waiting)).not.toBe(null);
    });

    test("bytes that were never uploaded and that nothing needs go after a day without anybody writing them again", async () => {
      const env = settableEnv();
      const { blobs, hashes } = await filled(env, [100, 100, 100], false);
      const [orphan, needed, again] = hashes as [string, string, string];
      env.ms += limits.blobOrphanMs - 10;
      await store(blobs, bytesOf(100, 2));
      const options = { budgetBytes: 1e9, isNeeded: (hash: string) => hash === needed };
      expect(await blobs.evict(options)).toEqual([]);
      env.ms += 20;
      expect(await blobs.evict(options)).toEqual([orphan]);
      expect((await blobs.notUploaded()).map(({ hash }) => hash)).toEqual([needed, again]);
    });
  });

  test(`local blobs on ${kind}: a closed handle refuses`, async () => {
    const blobs = open();
    const hash = await store(blobs, bytesOf(10));
    const write = blobs.write();
    blobs.close();
    blobs.close();
    const codes = [
      codeOf(write.append(bytesOf(limits.blobChunkBytes)).then(() => write.finish(hash, { uploaded: true }))),
      codeOf(blobs.read(hash)),
      codeOf(blobs.info(hash)),
      codeOf(blobs.evict({ budgetBytes: 0, isNeeded: nothingNeeded })),
    ];
    expect(await Promise.all(codes)).toEqual(codes.map(() => "client/closed"));
  });
}
