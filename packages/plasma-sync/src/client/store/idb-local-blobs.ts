// Owns: the bytes of files in IndexedDB, in the replica's own database, so that whoever deletes, resets or evicts that takes
// them along. Loaded by `import()`: apps without files never load it.
// Invariants (beside those of the contract):
//   1. Bytes are stored as ArrayBuffers (WebKit loses Blobs) in chunks (Chromium refuses values near 127 MiB), one transaction
//      each, so that a write of hours never keeps the outbox waiting.
//   2. A chunk belongs to a write record or to a blob record, which its transactions check: a write whose record is gone (it
//      stood still for too long, or the replica was reset) fails instead of leaving chunks that nobody owns.
//   3. `finish` is one small transaction that makes the blob record: chunks are not moved.

import { isPlasmaError } from "../../core/error.ts";
import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { BlobWrite, EvictOptions, LocalBlobInfo, LocalBlobs } from "../blobs/local-blobs.ts";
import { planEviction } from "../blobs/plan-eviction.ts";
import { IdbConnection, type IdbConnectionOptions } from "./idb-connection.ts";
import { resultOf } from "./idb-requests.ts";
import { IdbBlobWrite } from "./idb-blob-write.ts";
import type { OutboxEntry } from "./store.ts";
import { BLOB_STORES, type BlobRecord, type BlobWriteRecord } from "./layout.ts";

/** Makes a handle on the bytes in a replica's database; it is opened at the first use. */
export const createIdbLocalBlobs = (options: IdbConnectionOptions): LocalBlobs => new IdbLocalBlobs(options);

class IdbLocalBlobs implements LocalBlobs {
  readonly #env: Env;
  readonly #connection: IdbConnection;
  /** Whether leftovers of killed tabs were looked for: the first write does, since writes make them. */
  #hasSwept = false;

  constructor(options: IdbConnectionOptions) {
    this.#env = options.env;
    this.#connection = new IdbConnection(options);
  }

  write(): BlobWrite {
    if (!this.#hasSwept) void this.#sweep();
    return new IdbBlobWrite(this.#connection, this.#env);
  }

  async read(hash: string): Promise<Blob | null> {
    const found = await this.#get(hash);
    if (found === null) return null;
    const parts: Blob[] = [];
    for (let first = 0; first < found.chunkCount; first += READ_CHUNKS) {
      const chunks = await this.#readChunks(found, first);
      // Forgotten meanwhile.
      if (chunks === null) return null;
      // A Blob lies outside the page's heap: only these chunks are in it at a time.
      parts.push(new Blob(chunks));
    }
    if (this.#env.now() - found.usedAt > limits.blobUsedStepMs) await this.#noteUse(hash);
    return new Blob(parts);
  }

  async info(hash: string): Promise<LocalBlobInfo | null> {
    const found = await this.#get(hash);
    return found === null ? null : infoOf(found);
  }

  markUploaded(hash: string): Promise<void> {
    return this.#change(hash, (record) => ({ ...record, waitingSince: undefined }));
  }

  notUploaded(): Promise<readonly LocalBlobInfo[]> {
    return this.#connection.run({ stores: ["blobs"], mode: "readonly" }, async (tx) => {
      const records = await resultOf<BlobRecord[]>(tx.objectStore("blobs").index("byWaiting").getAll());
      return records.map(infoOf);
    });
  }

  forget(hash: string): Promise<void> {
    return this.#connection.run({ stores: BLOB_STORES, mode: "readwrite" }, async (tx) => {
      const found = await resultOf<BlobRecord | undefined>(tx.objectStore("blobs").get(hash));
      if (found !== undefined) drop(tx, found);
    });
  }

  evict(options: EvictOptions): Promise<readonly string[]> {
    return this.#connection.run({ stores: [...BLOB_STORES, "outbox"], mode: "readwrite" }, async (tx) => {
      const [records, outbox] = await Promise.all([
        resultOf<BlobRecord[]>(tx.objectStore("blobs").getAll()),
        resultOf<OutboxEntry[]>(tx.objectStore("outbox").getAll()),
      ]);
      // The caller may not have heard of another tab's mutations yet; the disk has.
      const pending = new Set(outbox.flatMap(({ files = [] }) => files));
      const isNeeded = (hash: string) => pending.has(hash) || options.isNeeded(hash);
      const stored = records.map((record) => ({ ...record, ...infoOf(record) }));
      const gone = new Set(planEviction(stored, { ...options, isNeeded, now: this.#env.now() }));
      for (const record of records) if (gone.has(record.hash)) drop(tx, record);
      return [...gone];
    });
  }

  close(): void {
    this.#connection.close();
  }

  async #get(hash: string): Promise<BlobRecord | null> {
    const found = await this.#connection.run({ stores: ["blobs"], mode: "readonly" }, (tx) =>
      resultOf<BlobRecord | undefined>(tx.objectStore("blobs").get(hash)),
    );
    return found ?? null;
  }

  /** Some chunks from `first` on; null when they are not all there. */
  async #readChunks({ writeID, chunkCount }: BlobRecord, first: number): Promise<ArrayBuffer[] | null> {
    const last = Math.min(first + READ_CHUNKS, chunkCount) - 1;
    const chunks = await this.#connection.run({ stores: ["blobChunks"], mode: "readonly" }, (tx) =>
      resultOf<ArrayBuffer[]>(
        tx.objectStore("blobChunks").getAll(IDBKeyRange.bound([writeID, first], [writeID, last])),
      ),
    );
    return chunks.length === last - first + 1 ? chunks : null;
  }

  #noteUse(hash: string): Promise<void> {
    return this.#change(hash, (record) => ({ ...record, usedAt: this.#env.now() }));
  }

  #change(hash: string, change: (record: BlobRecord) => BlobRecord): Promise<void> {
    return this.#connection.run({ stores: ["blobs"], mode: "readwrite" }, async (tx) => {
      const found = await resultOf<BlobRecord | undefined>(tx.objectStore("blobs").get(hash));
      if (found !== undefined) tx.objectStore("blobs").put(change(found));
    });
  }

  /** Drops writes that have stood still for long: their tabs are gone. One that is not will find out. */
  async #sweep(): Promise<void> {
    this.#hasSwept = true;
    try {
      await this.#connection.run({ stores: ["blobWrites", "blobChunks"], mode: "readwrite" }, async (tx) => {
        const writes = await resultOf<BlobWriteRecord[]>(tx.objectStore("blobWrites").getAll());
        for (const { writeID, touchedAt } of writes) {
          if (this.#env.now() - touchedAt <= limits.blobWriteStaleMs) continue;
          tx.objectStore("blobWrites").delete(writeID);
          tx.objectStore("blobChunks").delete(chunksOf(writeID));
        }
      });
    } catch (error) {
      // Whoever writes is told of a database that does not work; the leftovers wait for another time.
      if (!isPlasmaError(error)) throw error;
    }
  }
}

/** Chunks that one transaction reads: few enough that a frozen tab keeps nobody waiting with much in memory. */
const READ_CHUNKS = 8;

/** The keys of a write's chunks: every number lies between the two. */
const chunksOf = (writeID: string): IDBKeyRange => IDBKeyRange.bound([writeID], [writeID, []]);

function drop(tx: IDBTransaction, { hash, writeID }: BlobRecord): void {
  tx.objectStore("blobs").delete(hash);
  tx.objectStore("blobChunks").delete(chunksOf(writeID));
}

const infoOf = ({ hash, sizeBytes, waitingSince }: BlobRecord): LocalBlobInfo => ({
  hash,
  sizeBytes,
  uploaded: waitingSince === undefined,
});
