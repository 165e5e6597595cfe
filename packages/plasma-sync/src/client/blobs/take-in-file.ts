// Owns: taking a file in: reading, hashing and storing it in one pass, so that what is stored is what was hashed.
// Invariants:
//   1. Memory: a few pieces, whatever the file's size; files up to `limits.fileDigestBytesMax` are whole in memory once.
//   2. No task on the page's thread does more than copy and hand over one piece, or, where no worker hashes, hash a small one.
//   3. When it fails or is aborted, nothing is left in the store.

import { sha256 } from "@noble/hashes/sha2.js";
import { PlasmaError } from "../../core/error.ts";
import type { Env } from "../../core/lib/env.ts";
import { toHex } from "../../core/lib/hex.ts";
import * as limits from "../../core/limits.ts";
import type { BlobWrite, LocalBlobs } from "./local-blobs.ts";
import { openPieceHasher } from "./piece-hasher.ts";

export interface TakeInOptions {
  /** What hashes small files, where it has something for that. */
  readonly env?: Pick<Env, "sha256">;
  readonly signal?: AbortSignal;
  /** Told after each piece. */
  readonly onLoaded?: (loadedBytes: number) => void;
  /** Told the hash before anything can find the bytes by it. */
  readonly onHash?: (hash: string) => void;
}

/**
 * Stores the file's bytes as not uploaded and resolves with their SHA-256 in lower-case hex, when they are durable.
 *
 * @throws PlasmaError `client/file` when it cannot be read, `client/storage` when it cannot be stored; the signal's reason.
 */
export async function takeInFile(blobs: LocalBlobs, file: Blob, options: TakeInOptions = {}): Promise<string> {
  const write = blobs.write();
  try {
    const isSmall = file.size <= limits.fileDigestBytesMax && hasDigest();
    const hash = await (isSmall ? storeWhole(write, file, options) : storePieces(write, file, options));
    options.signal?.throwIfAborted();
    options.onHash?.(hash);
    await write.finish(hash, { uploaded: false });
    return hash;
  } catch (error) {
    // The failure that counts is the first; what cannot be dropped now is swept later.
    await write.abort().catch(() => undefined);
    throw error;
  }
}

/** The SHA-256 of bytes in lower-case hex, made off the page's thread where the platform can. */
export async function hashOf(bytes: Uint8Array<ArrayBuffer>, env: Pick<Env, "sha256"> = {}): Promise<string> {
  if (env.sha256 !== undefined) return toHex(env.sha256(bytes));
  return toHex(hasDigest() ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : sha256(bytes));
}

/** Pages that were not loaded over HTTPS (nor from localhost) have no `crypto.subtle`. */
const hasDigest = (): boolean => (crypto as { subtle?: SubtleCrypto }).subtle !== undefined;

async function storeWhole(write: BlobWrite, file: Blob, { signal, onLoaded, env }: TakeInOptions): Promise<string> {
  const bytes = await readBytes(file, 0, file.size);
  signal?.throwIfAborted();
  const [hash] = await Promise.all([hashOf(bytes, env), write.append(bytes)]);
  onLoaded?.(file.size);
  return hash;
}

async function storePieces(write: BlobWrite, file: Blob, { signal, onLoaded }: TakeInOptions): Promise<string> {
  const hasher = await openPieceHasher();
  try {
    const pieceAt = (from: number) => readBytes(file, from, Math.min(from + hasher.pieceBytes, file.size));
    let next = file.size > 0 ? pieceAt(0) : null;
    for (let from = 0; next !== null;) {
      signal?.throwIfAborted();
      const bytes: Uint8Array<ArrayBuffer> = await next;
      from += bytes.length;
      // Read while this piece is hashed and stored. Its failure is told when its turn comes, if it does.
      next = from < file.size ? pieceAt(from) : null;
      next?.catch(() => undefined);
      await Promise.all([hasher.update(bytes), write.append(bytes)]);
      onLoaded?.(from);
    }
    return await hasher.digest();
  } finally {
    hasher.close();
  }
}

/** Throws `client/file` when the file is not what it was. */
export async function readBytes(file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  let buffer: ArrayBuffer;
  try {
    buffer = await file.slice(from, to).arrayBuffer();
  } catch (error) {
    throw unreadable(file, error instanceof Error ? `${error.name}: ${error.message}` : String(error), error);
  }
  if (buffer.byteLength !== to - from) throw unreadable(file, "it has become shorter");
  return new Uint8Array(buffer);
}

const unreadable = (file: Blob, what: string, cause?: unknown): PlasmaError =>
  new PlasmaError("client/file", { name: (file as Partial<File>).name ?? "", what }, { cause });
