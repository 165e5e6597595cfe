// Owns: bytes of files in memory: for `storage: "memory"`, tests and the simulator, whose tabs share one MemoryBlobDisk.

import { PlasmaError } from "../../core/error.ts";
import type { Env } from "../../core/lib/env.ts";
import { planEviction, type StoredBlob } from "./plan-eviction.ts";
import type { BlobWrite, EvictOptions, LocalBlobInfo, LocalBlobs } from "./local-blobs.ts";

interface MemoryBlob extends StoredBlob {
  readonly blob: Blob;
}

/** What tabs of one database share. */
export class MemoryBlobDisk {
  readonly blobs = new Map<string, MemoryBlob>();
}

/** Makes a handle on `disk`. */
export const createMemoryLocalBlobs = (env: Env, disk: MemoryBlobDisk = new MemoryBlobDisk()): LocalBlobs =>
  new MemoryLocalBlobs(env, disk);

class MemoryLocalBlobs implements LocalBlobs {
  readonly #env: Env;
  readonly #disk: MemoryBlobDisk;
  #isClosed = false;

  constructor(env: Env, disk: MemoryBlobDisk) {
    this.#env = env;
    this.#disk = disk;
  }

  write(): BlobWrite {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let isOver = false;
    return {
      append: async (bytes) => {
        this.#assertOpen();
        parts.push(bytes.slice());
      },
      finish: async (hash, { uploaded }) => {
        this.#assertOpen();
        if (isOver) return;
        isOver = true;
        const known = this.#disk.blobs.get(hash);
        const now = this.#env.now();
        const blob = known?.blob ?? new Blob(parts);
        this.#disk.blobs.set(hash, {
          hash,
          blob,
          sizeBytes: blob.size,
          uploaded: uploaded || known?.uploaded === true,
          writtenAt: now,
          usedAt: now,
        });
      },
      abort: async () => {
        isOver = true;
        parts.length = 0;
      },
    };
  }

  async read(hash: string): Promise<Blob | null> {
    this.#assertOpen();
    const found = this.#disk.blobs.get(hash);
    if (found === undefined) return null;
    this.#disk.blobs.set(hash, { ...found, usedAt: this.#env.now() });
    return found.blob;
  }

  async info(hash: string): Promise<LocalBlobInfo | null> {
    this.#assertOpen();
    const found = this.#disk.blobs.get(hash);
    return found === undefined ? null : infoOf(found);
  }

  async markUploaded(hash: string): Promise<void> {
    this.#assertOpen();
    const found = this.#disk.blobs.get(hash);
    if (found !== undefined) this.#disk.blobs.set(hash, { ...found, uploaded: true });
  }

  async notUploaded(): Promise<readonly LocalBlobInfo[]> {
    this.#assertOpen();
    const waiting = [...this.#disk.blobs.values()].filter(({ uploaded }) => !uploaded);
    return waiting.sort((a, b) => a.writtenAt - b.writtenAt).map(infoOf);
  }

  async forget(hash: string): Promise<void> {
    this.#assertOpen();
    this.#disk.blobs.delete(hash);
  }

  async evict(options: EvictOptions): Promise<readonly string[]> {
    this.#assertOpen();
    const gone = planEviction([...this.#disk.blobs.values()], { ...options, now: this.#env.now() });
    for (const hash of gone) this.#disk.blobs.delete(hash);
    return gone;
  }

  close(): void {
    this.#isClosed = true;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new PlasmaError("client/closed", {});
  }
}

const infoOf = ({ hash, sizeBytes, uploaded }: StoredBlob): LocalBlobInfo => ({ hash, sizeBytes, uploaded });
