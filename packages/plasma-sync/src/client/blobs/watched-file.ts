// Owns: WatchedFile: the state of one file for all who watch it, kept current: read once, moved on by news of its upload, asked
// for again in a while when it did not come.
// Invariants:
//   1. Its timer and its download end when the last listener goes.
//   2. It never stays "pending" while nothing is under way: a local database that fails is told and asked again, too.

import { messageOf, PlasmaError } from "../../core/error.ts";
import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { FileRef } from "../../core/schema/value.ts";
import { callApp } from "../sync/app-callback.ts";
import { backoffMs } from "../transport/backoff.ts";
import type { FileContent, FileState, ReadOptions, TransferProgress } from "./file-content.ts";

export interface WatchedFileDeps {
  readonly ref: FileRef;
  readonly env: Env;
  readonly read: (options: ReadOptions) => Promise<FileContent>;
  /** How far its upload is, if it is on its way. */
  readonly upload: () => TransferProgress | null;
  /** Nobody watches it any more. */
  readonly onIdle: () => void;
}

export class WatchedFile {
  readonly #deps: WatchedFileDeps;
  readonly #listeners = new Set<(state: FileState) => void>();
  #state: FileState = { status: "pending", progress: null };
  #reading: AbortController | null = null;
  /** The server has been said to have it since the read began. */
  #hasArrived = false;
  #failures = 0;
  #timer: TimerHandle | null = null;

  constructor(deps: WatchedFileDeps) {
    this.#deps = deps;
  }

  get hash(): string {
    return this.#deps.ref.hash;
  }

  /** Returns remove. */
  add(listener: (state: FileState) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#read();
    else callApp(() => listener(this.#state));
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.close();
    };
  }

  uploadChanged(progress: TransferProgress | null, uploaded: boolean): void {
    const state = this.#state;
    if (this.#reading !== null && uploaded) this.#hasArrived = true;
    if (state.status === "local" || state.status === "uploading" || state.status === "ready") {
      if (progress !== null) this.#show({ ...state, status: "uploading", progress });
      else if (uploaded) this.#show({ ...state, status: "ready", progress: null });
      else if (state.status === "uploading") this.#show({ ...state, status: "local", progress: null });
    } else if (this.#reading === null) {
      // Somebody has it here now.
      this.retry();
    }
  }

  /** Asks again for what is not here. */
  retry(): void {
    const { status } = this.#state;
    if ((status === "error" || status === "missing") && this.#reading === null) this.#read();
  }

  close(): void {
    this.#listeners.clear();
    this.#reading?.abort();
    this.#reading = null;
    this.#clearTimer();
    this.#deps.onIdle();
  }

  #read(): void {
    this.#clearTimer();
    const reading = new AbortController();
    this.#reading = reading;
    this.#hasArrived = false;
    const onProgress = (progress: TransferProgress) => {
      if (this.#reading === reading) this.#show({ status: "pending", progress });
    };
    this.#deps.read({ signal: reading.signal, onProgress }).then(
      (content) => {
        if (this.#reading !== reading) return;
        this.#reading = null;
        this.#found(content);
      },
      (cause: unknown) => {
        // Given up, or the client is closed: nobody watches any more.
        if (this.#reading !== reading) return;
        this.#reading = null;
        const why = messageOf(cause);
        const error = new PlasmaError("client/download", { hash: this.hash, why }, { cause });
        this.#found({ status: "error", error });
      },
    );
  }

  #found(content: FileContent): void {
    if (content.status === "error") {
      const { env } = this.#deps;
      this.#failures += 1;
      const waitMs = backoffMs(this.#failures, limits.downloadRetry, env.random());
      this.#timer = env.setTimeout(() => this.#read(), waitMs);
      return this.#show(content);
    }
    this.#failures = 0;
    if (content.status === "missing") return this.#show(content);
    const progress = this.#deps.upload();
    this.#show({ ...content, status: progress === null ? this.#statusNow(content.status) : "uploading", progress });
  }

  /** Of what is not on its way now: what the read saw may be of the past. */
  #statusNow(status: "local" | "uploading" | "ready"): "local" | "ready" {
    return this.#hasArrived || status === "ready" ? "ready" : "local";
  }

  #show(state: FileState): void {
    this.#state = state;
    for (const listener of this.#listeners) callApp(() => listener(state));
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#deps.env.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
