// Owns: the seam to the bytes of files on this device, addressed by their hash. `store/idb-local-blobs.ts` and
// `memory-local-blobs.ts` implement it; local-blobs.suite.ts holds both to it. What bytes mean (name, MIME type) stands in
// the FileRef, not here.
// Invariants:
//   1. What has a hash is whole: it appears in one step, when its writing has ended, and only then does anything find it.
//   2. `finish` resolves when the bytes survive a killed process. A write that fails or is abandoned (a tab that was killed
//      in the middle, too) leaves nothing behind; what it had stored goes at a later opening.
//   3. The same bytes written twice, also by two tabs at once, are kept once, and count as uploaded if either was.
//   4. Bytes that are not known to be uploaded go only by `forget`, or when nothing needs them (see `evict`).
//   5. Memory: a write holds two chunks, a read one.

/** Bytes under one hash, as kept here. */
export interface LocalBlobInfo {
  readonly hash: string;
  readonly sizeBytes: number;
  /** Whether the server has told that it holds them. */
  readonly uploaded: boolean;
}

/** One write of bytes whose hash is known when they have all passed. */
export interface BlobWrite {
  /** Adds bytes; await it before the next. Rejects with `client/storage`, also for what an earlier call began. */
  append(bytes: Uint8Array): Promise<void>;
  /** Ends the write: from now on `hash` is found. The caller vouches that it is the hash of what was added. */
  finish(hash: string, state: { readonly uploaded: boolean }): Promise<void>;
  /** Drops what was added. After `finish` it does nothing. */
  abort(): Promise<void>;
}

export interface EvictOptions {
  /** Bytes that may stay, those that must stay included. */
  readonly budgetBytes: number;
  /**
   * Whether something on this device still refers to the bytes and could not get them from a server: a mutation in the outbox,
   * a row of a local-only table. Such bytes stay, whatever the budget. Where the outbox lies beside the bytes, it is asked too.
   */
  readonly isNeeded: (hash: string) => boolean;
}

export interface LocalBlobs {
  /** Begins a write. Nothing is stored before the first `append`. */
  write(): BlobWrite;
  /** The bytes as a Blob without type, or null when they are not here. Counts as a use. */
  read(hash: string): Promise<Blob | null>;
  info(hash: string): Promise<LocalBlobInfo | null>;
  /** The server holds the bytes; from now on they are a cache. Does nothing when they are not here. */
  markUploaded(hash: string): Promise<void>;
  /** Bytes that the server is not known to hold, oldest first. Not all of them need to go there: the outbox says which. */
  notUploaded(): Promise<readonly LocalBlobInfo[]>;
  /** Drops the bytes, uploaded or not. */
  forget(hash: string): Promise<void>;
  /**
   * Drops uploaded bytes that nothing needs, least recently used first, until at most `budgetBytes` remain; and bytes that were
   * never uploaded, nothing needs and nobody has written for `limits.blobOrphanMs` (their mutation failed, or was refused).
   * Resolves with the hashes that went.
   */
  evict(options: EvictOptions): Promise<readonly string[]>;
  /** Ends use; called twice, it does nothing the second time. Later calls reject with `client/closed`. */
  close(): void;
}
