// Owns: downloadFile: fetches a file's bytes, checks that they are those of the hash, and keeps them in the cache on the way.
// Invariants:
//   1. Nobody sees a byte before all of them have come and had the hash.
//   2. Where the disk takes no more they are kept in memory for whoever asked: a full disk hides no picture.

import { sha256 } from "@noble/hashes/sha2.js";
import { isPlasmaError } from "../../core/error.ts";
import { toHex } from "../../core/lib/hex.ts";
import type { FileRef } from "../../core/schema/value.ts";
import type { BlobTransport } from "../transport/blob-transport.ts";
import type { LocalBlobs } from "./local-blobs.ts";

/** The bytes, without a type; or that this user may not see them, or nobody has them; or why they did not come. */
export type Download =
  | { readonly status: "here"; readonly bytes: Blob }
  | { readonly status: "missing" }
  | { readonly status: "failed"; readonly why: string; readonly cause: unknown };

export interface DownloadDeps {
  readonly blobs: LocalBlobs;
  readonly transport: BlobTransport;
  readonly onProgress: (loadedBytes: number) => void;
}

/** Where the bytes go while they come. */
interface Sink {
  add(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  finish(): Promise<Blob | null>;
  abort(): Promise<void>;
}

/** Downloads a file. `signal` gives it up. */
export async function downloadFile(deps: DownloadDeps, ref: FileRef, signal: AbortSignal): Promise<Download> {
  const stored = await downloadInto(cacheSink(deps.blobs, ref.hash), deps, { ref, signal });
  const isFull = stored.status === "failed" && isPlasmaError(stored.cause, "client/storage");
  return isFull && !signal.aborted ? downloadInto(memorySink(), deps, { ref, signal }) : stored;
}

async function downloadInto(
  sink: Sink,
  { transport, onProgress }: DownloadDeps,
  { ref, signal }: { readonly ref: FileRef; readonly signal: AbortSignal },
): Promise<Download> {
  const hasher = sha256.create();
  let sizeBytes = 0;
  let failure: { readonly error: unknown } | null = null;
  const onBytes = async (bytes: Uint8Array<ArrayBuffer>) => {
    sizeBytes += bytes.length;
    hasher.update(bytes);
    await sink.add(bytes).catch((error: unknown) => {
      failure = { error };
      throw error;
    });
    onProgress(sizeBytes);
  };
  try {
    const answer = await transport.get({ hash: ref.hash, sizeBytesMax: ref.size, onBytes }, signal);
    if (failure !== null) return failed((failure as { readonly error: unknown }).error);
    if (!answer.ok) {
      const { failure: why } = answer;
      return why.kind === "http" && why.status === 404
        ? { status: "missing" }
        : { status: "failed", why: why.message, cause: undefined };
    }
    if (toHex(hasher.digest()) !== ref.hash)
      return { status: "failed", why: "the bytes that came are others", cause: undefined };
    const bytes = await sink.finish();
    return bytes === null ? failed(undefined) : { status: "here", bytes };
  } catch (error) {
    return failed(error);
  } finally {
    // Does nothing behind `finish`.
    await sink.abort().catch(() => undefined);
  }
}

const failed = (cause: unknown): Download => ({
  status: "failed",
  why: cause instanceof Error ? cause.message : "it was dropped meanwhile",
  cause,
});

function cacheSink(blobs: LocalBlobs, hash: string): Sink {
  const write = blobs.write();
  return {
    add: (bytes) => write.append(bytes),
    finish: async () => {
      await write.finish(hash, { uploaded: true });
      return blobs.read(hash);
    },
    abort: () => write.abort(),
  };
}

function memorySink(): Sink {
  const parts: Blob[] = [];
  return {
    add: async (bytes) => void parts.push(new Blob([bytes])),
    finish: async () => new Blob(parts),
    abort: async () => undefined,
  };
}
