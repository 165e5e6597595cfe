// Owns: what every BlobStore owes: see blob-store.ts.

import { sha256 } from "@noble/hashes/sha2.js";
import { beforeEach, describe, expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import { toHex } from "../../core/lib/hex.ts";
import * as limits from "../../core/limits.ts";
import { createBlobKey } from "./blob-key.ts";
import type { BlobRange, BlobStore } from "./blob-store.ts";

export const hashOfBytes = (bytes: Uint8Array): string => toHex(sha256(bytes));
export const keyOf = (bytes: Uint8Array): string => createBlobKey(hashOfBytes(bytes), systemEnv);

/** Bytes that are not all alike; the same for the same arguments. */
export const bytesOf = (sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: sizeBytes }, (_, i) => ((i + seed) * 2_654_435_761) >>> 24);

/** In pieces of uneven sizes; then `end`. */
export function streamOfBytes(
  bytes: Uint8Array,
  end: (controller: ReadableStreamDefaultController<Uint8Array>) => void = (controller) => controller.close(),
): ReadableStream<Uint8Array> {
  let at = 0;
  let size = 1;
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (at >= bytes.length) return end(controller);
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
      size = size * 7 + 3;
    },
  });
}

export async function readAll(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body as BodyInit).arrayBuffer());
}

async function keysIn(store: BlobStore): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Awaited<ReturnType<BlobStore["list"]>> = await store.list(cursor ?? undefined);
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== null);
  return keys.sort();
}

/** `open` gives an empty store; `leftovers` names what lies in it that no key tells of. */
export function blobStoreSuite(
  name: string,
  open: () => Promise<{ readonly store: BlobStore; readonly leftovers?: () => Promise<readonly string[]> }>,
): void {
  describe(`blob store: ${name}`, () => {
    let store: BlobStore;
    let leftovers: () => Promise<readonly string[]>;
    beforeEach(async () => {
      const opened = await open();
      store = opened.store;
      leftovers = opened.leftovers ?? (async () => []);
    });

    const stored = async (bytes: Uint8Array): Promise<string> => {
      const key = keyOf(bytes);
      await store.put(key, streamOfBytes(bytes), bytes.length);
      return key;
    };
    const expectNothing = async (key: string) => {
      expect(await store.head(key)).toBeNull();
      expect(await store.get(key)).toBeNull();
      expect(await store.get(key, { offset: 0, length: 1 })).toBeNull();
      expect(await keysIn(store)).toEqual([]);
      expect(await leftovers()).toEqual([]);
    };

    test.each([0, 1, 65_536, 300_000])("gives back %i bytes as they were", async (sizeBytes) => {
      const bytes = bytesOf(sizeBytes);
      const key = await stored(bytes);
      expect(await store.head(key)).toEqual({ sizeBytes });
      const content = await store.get(key);
      expect(content?.sizeBytes).toBe(sizeBytes);
      expect(hashOfBytes(await readAll(content!.body))).toBe(hashOfBytes(bytes));
      expect(await leftovers()).toEqual([]);
    });

    test.each<readonly [string, BlobRange]>([
      ["the first byte", { offset: 0, length: 1 }],
      ["a prefix", { offset: 0, length: 100_000 }],
      ["the middle", { offset: 70_000, length: 80_001 }],
      ["a suffix", { offset: 199_990, length: 10 }],
      ["the whole", { offset: 0, length: 200_000 }],
      ["nothing", { offset: 5, length: 0 }],
    ])("gives a part: %s", async (_, range) => {
      const bytes = bytesOf(200_000);
      const content = await store.get(await stored(bytes), range);
      expect(content?.sizeBytes).toBe(200_000);
      const part = await readAll(content!.body);
      expect(part.length).toBe(range.length);
      expect(hashOfBytes(part)).toBe(hashOfBytes(bytes.slice(range.offset, range.offset + range.length)));
    });

    test("gives an empty part of an empty blob", async () => {
      const content = await store.get(await stored(new Uint8Array()), { offset: 0, length: 0 });
      expect((await readAll(content!.body)).length).toBe(0);
    });

    test("refuses bytes that have another hash, and keeps nothing", async () => {
      const key = keyOf(bytesOf(1000));
      await expect(store.put(key, streamOfBytes(bytesOf(1000, 2)), 1000)).rejects.toMatchObject({
        code: "blob/hash-mismatch",
      });
      await expectNothing(key);
    });

    test.each([
      ["shorter", 999],
      ["longer", 1001],
      ["empty", 0],
    ])("refuses a body that is %s than it should be, and keeps nothing", async (_, sizeBytes) => {
      const key = keyOf(bytesOf(1000));
      await expect(store.put(key, streamOfBytes(bytesOf(sizeBytes)), 1000)).rejects.toMatchObject({
        code: "blob/interrupted",
      });
      await expectNothing(key);
    });

    test("a body that fails in the middle leaves nothing, and its error is thrown on", async () => {
      const bytes = bytesOf(200_000);
      const key = keyOf(bytes);
      const failure = new RangeError("the line is cut");
      const body = streamOfBytes(bytes.slice(0, 150_000), (controller) => controller.error(failure));
      await expect(store.put(key, body, bytes.length)).rejects.toThrow("the line is cut");
      await expectNothing(key);
    });

    test("nothing is visible while bytes arrive", async () => {
      const bytes = bytesOf(100_000);
      const key = keyOf(bytes);
      const gate = Promise.withResolvers<void>();
      const half = Promise.withResolvers<void>();
      let isSecond = false;
      const body = new ReadableStream<Uint8Array>(
        {
          pull: async (controller) => {
            if (!isSecond) {
              isSecond = true;
              return controller.enqueue(bytes.slice(0, 50_000));
            }
            half.resolve();
            await gate.promise;
            controller.enqueue(bytes.slice(50_000));
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const put = store.put(key, body, bytes.length);
      await half.promise;
      expect(await store.head(key)).toBeNull();
      expect(await store.get(key)).toBeNull();
      expect(await keysIn(store)).toEqual([]);
      gate.resolve();
      await put;
      expect(await keysIn(store)).toEqual([key]);
    });

    test("the same key may be put many times at once, and again", async () => {
      const bytes = bytesOf(70_000);
      const key = keyOf(bytes);
      await Promise.all(Array.from({ length: 5 }, () => store.put(key, streamOfBytes(bytes), bytes.length)));
      await store.put(key, streamOfBytes(bytes), bytes.length);
      expect(await keysIn(store)).toEqual([key]);
      expect(hashOfBytes(await readAll((await store.get(key))!.body))).toBe(hashOfBytes(bytes));
      expect(await leftovers()).toEqual([]);
    });

    test("a put with the wrong bytes leaves those that are there", async () => {
      const key = await stored(bytesOf(1000));
      await expect(store.put(key, streamOfBytes(bytesOf(1000, 2)), 1000)).rejects.toMatchObject({
        code: "blob/hash-mismatch",
      });
      expect(hashOfBytes(await readAll((await store.get(key))!.body))).toBe(hashOfBytes(bytesOf(1000)));
    });

    test("two uploads of one content are two blobs: deleting one leaves the other", async () => {
      const first = await stored(bytesOf(1000));
      const second = await stored(bytesOf(1000));
      await store.delete([first]);
      expect(await keysIn(store)).toEqual([second]);
      expect(await store.head(first)).toBeNull();
      expect(await store.head(second)).toEqual({ sizeBytes: 1000 });
    });

    test("a key may be stored again after it was deleted", async () => {
      const bytes = bytesOf(1000);
      const key = await stored(bytes);
      await store.delete([key]);
      await expectNothing(key);
      await store.put(key, streamOfBytes(bytes), bytes.length);
      expect(await store.head(key)).toEqual({ sizeBytes: 1000 });
    });

    test("a reader who stops in the middle disturbs nobody", async () => {
      const key = await stored(bytesOf(300_000));
      const reader = (await store.get(key))!.body.getReader();
      await reader.read();
      await reader.cancel();
      await (await store.get(key))!.body.cancel();
      await store.delete([key]);
      await expectNothing(key);
    });

    test("lists and deletes more blobs than R2 takes in one call", async () => {
      const many = limits.blobListKeysMax + 1;
      const contents = Array.from({ length: many }, (_, i) => new TextEncoder().encode(`blob ${i}`));
      const keys: string[] = [];
      for (let i = 0; i < many; i += 50) keys.push(...(await Promise.all(contents.slice(i, i + 50).map(stored))));
      expect(await keysIn(store)).toEqual(keys.sort());
      await store.delete([...keys, keyOf(bytesOf(3))]);
      expect(await keysIn(store)).toEqual([]);
      await store.delete([]);
    }, 60_000);
  });
}
