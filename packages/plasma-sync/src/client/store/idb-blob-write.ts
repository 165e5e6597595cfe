// Owns: IdbBlobWrite: one write of a file's bytes to IndexedDB, chunk by chunk (see idb-local-blobs.ts).
// Invariants:
//   1. One chunk is on its way to the disk while the next is gathered; no more are in memory.
//   2. After a failure nothing of the write is left, as far as the database lets us; what it does not, a later sweep takes.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { BlobWrite } from "../blobs/local-blobs.ts";
import type { IdbConnection } from "./idb-connection.ts";
import { resultOf, storageError } from "./idb-requests.ts";
import { BLOB_STORES, type BlobRecord, type BlobWriteRecord } from "./layout.ts";

export class IdbBlobWrite implements BlobWrite {
  readonly #connection: IdbConnection;
  readonly #env: Env;
  readonly #writeID: string;
  #gathered: Uint8Array<ArrayBuffer>;
  #gatheredBytes = 0;
  #chunkCount = 0;
  #sizeBytes = 0;
  #inFlight: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(connection: IdbConnection, env: Env) {
    this.#connection = connection;
    this.#env = env;
    this.#writeID = env.randomUUID();
    this.#gathered = new Uint8Array(0);
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      if (this.#gathered.length === 0) this.#gathered = new Uint8Array(limits.blobChunkBytes);
      const piece = bytes.subarray(from, from + limits.blobChunkBytes - this.#gatheredBytes);
      this.#gathered.set(piece, this.#gatheredBytes);
      this.#gatheredBytes += piece.length;
      this.#sizeBytes += piece.length;
      from += piece.length;
      if (this.#gatheredBytes === limits.blobChunkBytes) await this.#flush();
    }
  }

  async finish(hash: string, { uploaded }: { readonly uploaded: boolean }): Promise<void> {
    if (this.#gatheredBytes > 0) await this.#flush();
    await this.#guarded(this.#inFlight);
    await this.#guarded(
      this.#connection.run({ stores: BLOB_STORES, mode: "readwrite" }, async (tx) => {
        const blobs = tx.objectStore("blobs");
        const known = await resultOf<BlobRecord | undefined>(blobs.get(hash));
        // This very write, whose first commit held although its connection died; or it was finished before.
        if (known?.writeID === this.#writeID) return;
        if (this.#chunkCount > 0) await this.#mustHaveRecord(tx);
        blobs.put(this.#recordOf(hash, uploaded, known));
        tx.objectStore("blobWrites").delete(this.#writeID);
        if (known !== undefined) this.#dropChunks(tx);
      }),
    );
    this.#isOver = true;
  }

  async abort(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#gathered = new Uint8Array(0);
    await this.#inFlight.catch(() => undefined);
    if (this.#chunkCount === 0) return;
    await this.#connection.run({ stores: ["blobWrites", "blobChunks"], mode: "readwrite" }, async (tx) => {
      tx.objectStore("blobWrites").delete(this.#writeID);
      this.#dropChunks(tx);
    });
  }

  /** Begins to store what was gathered, once the chunk before is stored. */
  async #flush(): Promise<void> {
    const { buffer } = this.#gathered;
    const chunk = this.#gatheredBytes === buffer.byteLength ? buffer : buffer.slice(0, this.#gatheredBytes);
    this.#gathered = new Uint8Array(0);
    this.#gatheredBytes = 0;
    await this.#guarded(this.#inFlight);
    this.#inFlight = this.#storeChunk(this.#chunkCount++, chunk);
    // Told of by whoever comes next.
    this.#inFlight.catch(() => undefined);
  }

  #storeChunk(index: number, chunk: ArrayBuffer): Promise<void> {
    return this.#connection.run({ stores: ["blobWrites", "blobChunks"], mode: "readwrite" }, async (tx) => {
      if (index > 0) await this.#mustHaveRecord(tx);
      const record: BlobWriteRecord = { writeID: this.#writeID, touchedAt: this.#env.now() };
      tx.objectStore("blobWrites").put(record);
      tx.objectStore("blobChunks").put(chunk, [this.#writeID, index]);
    });
  }

  async #mustHaveRecord(tx: IDBTransaction): Promise<void> {
    if ((await resultOf(tx.objectStore("blobWrites").getKey(this.#writeID))) === undefined)
      throw storageError("the file's bytes were dropped while they were stored; pass the file again");
  }

  /** The record of bytes that are here from now on, or that somebody has stored before: then their chunks stay. */
  #recordOf(hash: string, uploaded: boolean, known: BlobRecord | undefined): BlobRecord {
    const now = this.#env.now();
    const own = { hash, writeID: this.#writeID, chunkCount: this.#chunkCount, sizeBytes: this.#sizeBytes };
    const { waitingSince, ...rest }: BlobRecord = {
      waitingSince: now,
      ...(known ?? own),
      writtenAt: now,
      usedAt: now,
    };
    const wasUploaded = known !== undefined && known.waitingSince === undefined;
    return uploaded || wasUploaded || waitingSince === undefined ? rest : { ...rest, waitingSince };
  }

  #dropChunks(tx: IDBTransaction): void {
    tx.objectStore("blobChunks").delete(IDBKeyRange.bound([this.#writeID], [this.#writeID, []]));
  }

  /** Passes a failure on when what is stored of this write has gone. */
  async #guarded<T>(step: Promise<T>): Promise<T> {
    try {
      return await step;
    } catch (error) {
      // The failure that counts is the first.
      await this.abort().catch(() => undefined);
      throw error;
    }
  }
}
