// Owns: SimBlobStore: where the bytes of files lie on the side of a simulated server: it outlives the server's processes, and
// each call passes a gate before and behind it, at which time passes, the store fails or the process dies.

import type { BlobStore } from "../server/blob/blob-store.ts";
import { memoryBlobs } from "../server/blob/memory-blobs.ts";
import type { StatementGate } from "./sim-executor.ts";

export class SimBlobStore {
  readonly #inner = memoryBlobs();
  /** Deleted, and kept: a database that is put back may refer to them, as the backup of a bucket would hold them. */
  readonly #deleted = new Set<string>();

  /** As one process sees it. */
  behind(gate: StatementGate): BlobStore {
    const { raw } = this;
    const pass = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
      await gate("before", what);
      const result = await run();
      await gate("after", what);
      return result;
    };
    return {
      put: (key, body, sizeBytes) => pass("put of a blob", () => raw.put(key, body, sizeBytes)),
      get: (key, range) => pass("get of a blob", () => raw.get(key, range)),
      head: (key) => pass("head of a blob", () => raw.head(key)),
      delete: (keys) => pass("delete of blobs", () => raw.delete(keys)),
      list: (cursor) => pass("list of blobs", () => raw.list(cursor)),
    };
  }

  /** Beside every fault. */
  get raw(): BlobStore {
    const inner = this.#inner;
    const deleted = this.#deleted;
    const isThere = (key: string) => !deleted.has(key);
    return {
      put: async (key, body, sizeBytes) => {
        await inner.put(key, body, sizeBytes);
        deleted.delete(key);
      },
      get: async (key, range) => (isThere(key) ? inner.get(key, range) : null),
      head: async (key) => (isThere(key) ? inner.head(key) : null),
      delete: async (keys) => {
        for (const key of keys) deleted.add(key);
      },
      list: async (cursor) => {
        const page = await inner.list(cursor);
        return { ...page, keys: page.keys.filter(isThere) };
      },
    };
  }

  /** What was deleted is there again. */
  restore(): void {
    this.#deleted.clear();
  }
}
