// Owns: memoryBlobs: a BlobStore in memory, for tests and trials.

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../core/lib/hex.ts";
import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";
import { hashOfKey } from "./blob-key.ts";
import type { BlobStore } from "./blob-store.ts";

/**
 * Keeps the bytes of files in memory: they end with the process.
 *
 * @example
 * const handle = createSyncHandler({ schema, mutators, executor, schemaVersion: "1", auth, blobs: { default: memoryBlobs() } });
 */
export function memoryBlobs(): BlobStore {
  const bytesByKey = new Map<string, Uint8Array>();
  return {
    put: async (key, body, sizeBytes) => {
      const bytes = await readWhole(body, sizeBytes);
      if (toHex(sha256(bytes)) !== hashOfKey(key)) throw serverError("blob/hash-mismatch", {});
      if (!bytesByKey.has(key)) bytesByKey.set(key, bytes);
    },
    get: async (key, range) => {
      const bytes = bytesByKey.get(key);
      if (bytes === undefined) return null;
      const part = range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length);
      return { body: streamOf(part), sizeBytes: bytes.length };
    },
    head: async (key) => {
      const bytes = bytesByKey.get(key);
      return bytes === undefined ? null : { sizeBytes: bytes.length };
    },
    delete: async (keys) => {
      for (const key of keys) bytesByKey.delete(key);
    },
    list: async (cursor = "") => {
      const after = [...bytesByKey.keys()].filter((key) => key > cursor).sort();
      const keys = after.slice(0, limits.blobListKeysMax);
      return { keys, cursor: after.length > keys.length ? (keys.at(-1) ?? null) : null };
    },
  };
}

async function readWhole(body: ReadableStream<Uint8Array>, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  // A loop that is left early cancels the stream.
  for await (const chunk of body) {
    if (at + chunk.length > sizeBytes) throw serverError("blob/interrupted", {});
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at < sizeBytes) throw serverError("blob/interrupted", {});
  return bytes;
}

/** In pieces, so that a slow reader does not get all of it at once. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const chunk = bytes.slice(at, at + limits.blobReadBytes);
        at += chunk.length;
        if (chunk.length > 0) controller.enqueue(chunk);
        if (at >= bytes.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
