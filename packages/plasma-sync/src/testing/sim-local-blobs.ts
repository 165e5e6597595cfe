// Owns: simLocalBlobs: a tab's bytes of files on its device's disk, with the gates of sim-disk.ts before and behind each step at
// which a world lets time pass, fails or kills.

import { createMemoryLocalBlobs, type MemoryBlobDisk } from "../client/blobs/memory-local-blobs.ts";
import type { LocalBlobs } from "../client/blobs/local-blobs.ts";
import type { Env } from "../core/lib/env.ts";

export interface SimLocalBlobsOptions {
  readonly disk: MemoryBlobDisk;
  readonly env: Env;
  /** Passed before and behind each step; what it throws is the disk's failure. */
  readonly gate: (when: "before" | "after", operation: string) => Promise<void>;
}

/** A tab's handle on the disk. */
export function simLocalBlobs({ disk, env, gate }: SimLocalBlobsOptions): LocalBlobs {
  const inner = createMemoryLocalBlobs(env, disk);
  const pass = async <T>(operation: string, run: () => Promise<T>): Promise<T> => {
    await gate("before", operation);
    const result = await run();
    await gate("after", operation);
    return result;
  };
  return {
    write: () => {
      const write = inner.write();
      return {
        append: (bytes) => pass("bytes", () => write.append(bytes)),
        finish: (hash, state) => pass("file", () => write.finish(hash, state)),
        abort: () => write.abort(),
      };
    },
    read: (hash) => pass("read of a file", () => inner.read(hash)),
    info: (hash) => pass("look at a file", () => inner.info(hash)),
    markUploaded: (hash) => pass("mark of a file", () => inner.markUploaded(hash)),
    notUploaded: () => pass("list of files", () => inner.notUploaded()),
    forget: (hash) => pass("end of a file", () => inner.forget(hash)),
    evict: (options) => pass("eviction", () => inner.evict(options)),
    close: () => inner.close(),
  };
}
