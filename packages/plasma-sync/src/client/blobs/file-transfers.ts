// Owns: FileTransfers: files between this device and the server: uploads for the leading tab, downloads for whoever reads, and
// what watchers are told of both, whichever tab does it.
// Loaded by `import()` when the first file is to be read or sent.
// Invariants:
//   1. One download per file and tab, whoever waits for it; it is given up when nobody does any more.
//   2. An offline client (no transport) answers from what is here.

import { PlasmaError } from "../../core/error.ts";
import { fromBase64 } from "../../core/lib/base64.ts";
import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { fileRules } from "../../core/schema/file-policy.ts";
import type { FileRef } from "../../core/schema/value.ts";
import { callApp } from "../sync/app-callback.ts";
import type { SyncClientError } from "../sync/sync-error.ts";
import type { UploadRun } from "../sync/sync-loop.ts";
import type { SyncReplica } from "../sync/sync-replica.ts";
import type { BlobTransport } from "../transport/blob-transport.ts";
import { downloadFile, type Download } from "./download-file.ts";
import type { FileContent, FileState, ReadOptions, TransferProgress, UploadNews } from "./file-content.ts";
import type { OnFileProgress } from "./file-progress.ts";
import type { LocalBlobs } from "./local-blobs.ts";
import { createPace } from "./pace.ts";
import { Turns } from "../../core/lib/turns.ts";
import { runUploads } from "./upload-files.ts";
import { WatchedFile } from "./watched-file.ts";

export interface FileTransfersDeps {
  readonly files: {
    readonly blobs: LocalBlobs;
    /** Bytes have come into the cache. */
    touched(): void;
  };
  /** Null in an offline client. */
  readonly transport: BlobTransport | null;
  readonly env: Env;
  readonly onProgress: OnFileProgress | undefined;
  readonly post: (news: UploadNews) => void;
  readonly report: (error: SyncClientError) => void;
}

interface RunningDownload {
  readonly result: Promise<Download>;
  readonly abort: AbortController;
  readonly listeners: Set<(loadedBytes: number) => void>;
  waiting: number;
}

export class FileTransfers {
  readonly #deps: FileTransfersDeps;
  readonly #uploads = new Map<string, TransferProgress>();
  readonly #downloads = new Map<string, RunningDownload>();
  readonly #turns = new Turns(limits.downloadsMax);
  readonly #watched = new Map<string, WatchedFile>();
  /** Ends of uploads in other tabs of which nothing more is heard. */
  readonly #silences = new Map<string, TimerHandle>();
  /** When other tabs were told of a file's progress last. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(deps: FileTransfersDeps) {
    this.#deps = deps;
  }

  /** Sends what the replica's entries wait for; see `runUploads`. */
  async upload(
    replica: SyncReplica,
    { signal, onReleased }: { readonly signal: AbortSignal; readonly onReleased: () => void },
  ): Promise<UploadRun> {
    const { files, transport, env, report } = this.#deps;
    if (transport === null) return { count: 0, failed: null };
    const pace = createPace(env, limits.uploadPushMs, () => {
      if (!signal.aborted) onReleased();
    });
    try {
      return await runUploads(
        {
          replica,
          blobs: files.blobs,
          transport,
          env,
          onReleased: (hash, isUploaded) => {
            this.#tell({ hash, progress: null, uploaded: isUploaded });
            pace.ask();
          },
          onProgress: (hash, progress) => this.#tell({ hash, progress, uploaded: false }),
          onRefused: (hash, message) => report({ kind: "blob-upload-failed", hash, message, willRetry: false }),
        },
        signal,
      );
    } finally {
      pace.end();
    }
  }

  /**
   * The file, from here or from the server. Throws only the signal's reason, what the local database throws, and
   * `client/option` for what is no FileRef.
   */
  async read(ref: FileRef, options: ReadOptions = {}): Promise<FileContent> {
    assertFileRef(ref, "client.readFile");
    const { blobs } = this.#deps.files;
    const inline = ref.inline === undefined ? null : fromBase64(ref.inline);
    if (inline !== null) return found(ref, "ready", new Blob([inline]));
    const bytes = await blobs.read(ref.hash);
    if (bytes === null) return this.#download(ref, options);
    if (this.#uploads.has(ref.hash)) return found(ref, "uploading", bytes);
    const info = await blobs.info(ref.hash);
    return found(ref, info?.uploaded === false ? "local" : "ready", bytes);
  }

  /** Calls `listener` with the file's state, soon and whenever it changes; returns unwatch. */
  watch(ref: FileRef, listener: (state: FileState) => void): () => void {
    assertFileRef(ref, "client.watchFile");
    const key = `${ref.hash} ${ref.mime}`;
    const watched =
      this.#watched.get(key) ??
      new WatchedFile({
        ref,
        env: this.#deps.env,
        read: (options) => this.read(ref, options),
        upload: () => this.#uploads.get(ref.hash) ?? null,
        onIdle: () => this.#watched.delete(key),
      });
    this.#watched.set(key, watched);
    return watched.add(listener);
  }

  /** News of an upload in another tab. */
  receive(news: UploadNews): void {
    const { hash, progress } = news;
    if (progress !== null) callApp(() => this.#deps.onProgress?.({ phase: "uploading", hash, ...progress }));
    this.#note(news);
    if (progress === null) return;
    // A tab that dies over an upload says nothing more.
    const timer = this.#deps.env.setTimeout(
      () => this.#note({ hash, progress: null, uploaded: false }),
      limits.fileSilenceMs,
    );
    this.#silences.set(hash, timer);
  }

  /** There is a network again. */
  retry(): void {
    for (const watched of this.#watched.values()) watched.retry();
  }

  close(): void {
    for (const watched of this.#watched.values()) watched.close();
    for (const { abort } of this.#downloads.values()) abort.abort();
    for (const timer of this.#silences.values()) this.#deps.env.clearTimeout(timer);
  }

  #tell(news: UploadNews): void {
    const { post, env, onProgress } = this.#deps;
    const { hash, progress } = news;
    if (progress !== null) callApp(() => onProgress?.({ phase: "uploading", hash, ...progress }));
    const isNews = progress === null || progress.loadedBytes === 0 || progress.loadedBytes === progress.totalBytes;
    if (isNews || env.now() - (this.#toldAtMs.get(hash) ?? 0) >= limits.fileProgressMs) {
      this.#toldAtMs.set(hash, env.now());
      post(news);
    }
    if (progress === null) this.#toldAtMs.delete(hash);
    this.#note(news);
  }

  #note({ hash, progress, uploaded }: UploadNews): void {
    const silence = this.#silences.get(hash);
    if (silence !== undefined) this.#deps.env.clearTimeout(silence);
    this.#silences.delete(hash);
    if (progress === null) this.#uploads.delete(hash);
    else this.#uploads.set(hash, progress);
    for (const watched of this.#watched.values()) if (watched.hash === hash) watched.uploadChanged(progress, uploaded);
  }

  async #download(ref: FileRef, { signal, onProgress }: ReadOptions): Promise<FileContent> {
    const { transport } = this.#deps;
    signal?.throwIfAborted();
    if (transport === null) return { status: "missing" };
    const running = this.#downloads.get(ref.hash) ?? this.#begin(ref, transport);
    const listener = (loadedBytes: number) => onProgress?.({ loadedBytes, totalBytes: ref.size });
    running.listeners.add(listener);
    running.waiting += 1;
    try {
      const result = await Promise.race([running.result, aborted(signal)]);
      if (result.status === "missing") return result;
      if (result.status === "here") return found(ref, "ready", result.bytes);
      const { why, cause } = result;
      return { status: "error", error: new PlasmaError("client/download", { hash: ref.hash, why }, { cause }) };
    } finally {
      running.listeners.delete(listener);
      running.waiting -= 1;
      if (running.waiting === 0) running.abort.abort();
    }
  }

  #begin(ref: FileRef, transport: BlobTransport): RunningDownload {
    const { files } = this.#deps;
    const abort = new AbortController();
    const listeners = new Set<(loadedBytes: number) => void>();
    const onProgress = (loadedBytes: number) => {
      for (const listener of listeners) callApp(() => listener(loadedBytes));
    };
    const deps = { blobs: files.blobs, transport, onProgress };
    const result = this.#turns
      .run(() => downloadFile(deps, ref, abort.signal))
      .finally(() => {
        if (this.#downloads.get(ref.hash) === running) this.#downloads.delete(ref.hash);
        files.touched();
      });
    const running: RunningDownload = { result, abort, listeners, waiting: 0 };
    // Whoever waits is told; when nobody does, nobody is.
    result.catch(() => undefined);
    abort.signal.addEventListener("abort", () => {
      if (this.#downloads.get(ref.hash) === running) this.#downloads.delete(ref.hash);
    });
    this.#downloads.set(ref.hash, running);
    return running;
  }
}

/** What comes untyped (a File, a hash, a row) would otherwise fail deep within. */
function assertFileRef(ref: unknown, caller: string): void {
  const expected = fileRules.expectation(ref);
  if (expected === null) return;
  const why = `is not what a row's file() column holds: { hash, size, mime }. It takes ${expected}`;
  throw new PlasmaError("client/option", { of: caller, option: "ref", why });
}

const found = ({ mime, name }: FileRef, status: "local" | "uploading" | "ready", bytes: Blob): FileContent => ({
  status,
  bytes: new Blob([bytes], { type: mime }),
  mime,
  ...(name === undefined ? {} : { name }),
});

/** Rejects with the signal's reason; never resolves. */
const aborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
