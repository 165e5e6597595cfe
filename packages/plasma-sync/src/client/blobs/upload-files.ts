// Owns: runUploads: sends the files that mutations wait for, a few at once, those of the first mutations first.
// Invariants:
//   1. A file counts as uploaded when the server has said so and this device has noted it, in this order: what is not noted is
//      sent again, which costs time and nothing else.
//   2. Only a file that was never known to be uploaded is refused here, with the mutations that wait for it: they cannot have
//      been sent. About any other the server decides when it gets the mutation.
//   3. After `signal` has aborted nothing is told any more.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { UploadRun } from "../sync/sync-loop.ts";
import type { FileToUpload, SyncReplica } from "../sync/sync-replica.ts";
import type { BlobTransport } from "../transport/blob-transport.ts";
import type { HttpFailure } from "../transport/http-exchange.ts";
import type { TransferProgress } from "./file-content.ts";
import { findFileRef } from "./find-file-ref.ts";
import type { LocalBlobs } from "./local-blobs.ts";

export interface UploadDeps {
  readonly replica: Pick<SyncReplica, "filesToUpload" | "fileUploaded" | "fileLetGo" | "fileRefused">;
  readonly blobs: LocalBlobs;
  readonly transport: BlobTransport;
  readonly env: Env;
  /** Mutations that waited for it may go out. `isUploaded`: the server is known to have it. */
  readonly onReleased: (hash: string, isUploaded: boolean) => void;
  /** Null: it is not on its way any more. */
  readonly onProgress: (hash: string, progress: TransferProgress | null) => void;
  /** The server will not take it. */
  readonly onRefused: (hash: string, message: string) => void;
}

/** Uploads until nothing is left or something fails. `signal` gives up the requests. */
export async function runUploads(deps: UploadDeps, signal: AbortSignal): Promise<UploadRun> {
  const run: Run = { ...deps, signal, taken: new Set(), count: 0, failed: null };
  await Promise.all(Array.from({ length: limits.uploadsMax }, () => runLine(run)));
  return { count: run.count, failed: run.failed };
}

interface Run extends UploadDeps {
  readonly signal: AbortSignal;
  /** Each file once per run. */
  readonly taken: Set<string>;
  count: number;
  failed: UploadRun["failed"];
}

/** One file after another. */
async function runLine(run: Run): Promise<void> {
  while (!run.signal.aborted && run.failed === null) {
    const file = run.replica.filesToUpload().find(({ hash }) => !run.taken.has(hash));
    if (file === undefined) return;
    run.taken.add(file.hash);
    const failure = await settleFile(run, file);
    if (run.signal.aborted) return;
    if (failure === null) run.count += 1;
    else run.failed ??= { hash: file.hash, failure };
  }
}

/** Null: it is known by now what becomes of it. */
async function settleFile(run: Run, file: FileToUpload): Promise<HttpFailure | null> {
  const { blobs, transport, signal } = run;
  const { hash } = file;
  const info = await blobs.info(hash);
  // Not of this device (a ref out of a row, that another one has uploaded), or gone: the server knows.
  if (info === null) return release(run, hash, { isUploaded: false });
  if (info.uploaded) {
    const there = await transport.head(hash, signal);
    if (there.ok) return release(run, hash, { isUploaded: true });
    if (!isFinal(there.failure)) return there.failure;
  }
  const bytes = await blobs.read(hash);
  if (bytes === null) return release(run, hash, { isUploaded: false });
  const failure = await send(run, file, bytes);
  if (signal.aborted) return null;
  if (failure === null) {
    await blobs.markUploaded(hash);
    return release(run, hash, { isUploaded: true });
  }
  if (!isFinal(failure)) return failure;
  if (!info.uploaded) {
    run.onRefused(hash, failure.message);
    await run.replica.fileRefused(hash, failure.message);
  }
  // Those that may have been sent: the server decides.
  return release(run, hash, { isUploaded: false });
}

async function send(run: Run, { hash, args }: FileToUpload, bytes: Blob): Promise<HttpFailure | null> {
  const { transport, signal, onProgress } = run;
  const tell = (loadedBytes: number) => {
    if (!signal.aborted) onProgress(hash, { loadedBytes: Math.min(loadedBytes, bytes.size), totalBytes: bytes.size });
  };
  tell(0);
  const mime = findFileRef(args, hash)?.mime ?? "application/octet-stream";
  const answer = await transport.put({ hash, bytes, mime, onProgress: tell }, signal);
  // Of one that has arrived, `release` tells when it is noted.
  if (!answer.ok || signal.aborted) onProgress(hash, null);
  return answer.ok ? null : answer.failure;
}

function release(
  { replica, env, signal, onReleased }: Run,
  hash: string,
  { isUploaded }: { readonly isUploaded: boolean },
): null {
  if (signal.aborted) return null;
  if (isUploaded) replica.fileUploaded(hash, env.now());
  else replica.fileLetGo(hash);
  onReleased(hash, isUploaded);
  return null;
}

/** Whether sending it again would end the same way. */
const isFinal = (failure: HttpFailure): boolean =>
  failure.kind === "http" &&
  failure.status >= 400 &&
  failure.status < 500 &&
  ![401, 408, 425, 429].includes(failure.status) &&
  failure.body.code !== "blob/interrupted";
