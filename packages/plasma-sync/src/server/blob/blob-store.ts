// Owns: the seam between Plasma's server and where the bytes of files lie. blob-store.suite.ts holds every implementation to it.
//
// A key names one upload of one content: `<hash>.<generation>` (blob-key.ts). So nothing is ever written twice under one key
// by the server, and deleting the bytes of one upload cannot hit those of a later one. Which key holds a hash's bytes is known
// to the database alone (blob-records.ts).
//
// Invariants:
//   1. Bytes are visible under a key only when all of them have arrived and have the hash of the key. Whatever else happens to a
//      `put` (wrong hash, a stream that fails or is short, a killed process), `get`, `head` and `list` know nothing of the key.
//   2. `delete` takes away what an interrupted `put` of the key has left behind, too.
//   3. A store holds no row and no right: whoever may call it may read everything.

/** A part of a blob: `length` bytes from `offset` on, both within the blob. */
export interface BlobRange {
  readonly offset: number;
  readonly length: number;
}

export interface BlobContent {
  /** Whoever does not read it to its end cancels it: it may hold a file open. */
  readonly body: ReadableStream<Uint8Array>;
  /** Of the whole blob, whatever the range. */
  readonly sizeBytes: number;
}

export interface BlobPage {
  readonly keys: readonly string[];
  /** Asks for the page after this one; null when there is none. */
  readonly cursor: string | null;
}

/** Where bytes lie: `fromR2`, `fromDirectory`, `memoryBlobs`, or your own, which blob-store.suite.ts can test. */
export interface BlobStore {
  /**
   * Stores the bytes of `body`, of which there must be `sizeBytes`, and which must have the hash of the key. Whole or not at
   * all; durable when it resolves. Reads `body` as it writes, and holds a bounded part of it. A key that is there keeps its bytes.
   *
   * @throws PlasmaError `blob/hash-mismatch`, `blob/interrupted` for a body that is shorter or longer; what `body` throws; what
   * the platform throws.
   */
  put(key: string, body: ReadableStream<Uint8Array>, sizeBytes: number): Promise<void>;
  /** The bytes, or those of the range; null when there is nothing under the key. */
  get(key: string, range?: BlobRange): Promise<BlobContent | null>;
  /** Null when there is nothing under the key. */
  head(key: string): Promise<{ readonly sizeBytes: number } | null>;
  /** Any number of keys; those under which nothing is are passed over. Run again after a failure, it does the rest. */
  delete(keys: readonly string[]): Promise<void>;
  /** The keys, in any order, a bounded number at a time. */
  list(cursor?: string): Promise<BlobPage>;
}
