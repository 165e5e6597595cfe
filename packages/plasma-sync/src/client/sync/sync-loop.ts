// Owns: the sync loop: runs the machine's effects against replica, transport and timers, and feeds back what happened.
// Invariants:
//   1. After `stop` no answer reaches the replica: it may have been reset meanwhile, and an old page would then leave a hole.
//   2. An exception of the replica ends the loop (`onStopped`): this tab may no longer write.
//   3. No push or pull begins under a reign that is over, as far as a second ago.
//   4. A request that brings nothing forward counts as failed, whatever the server calls it: no answer makes the loop spin.

import { isPlasmaError } from "../../core/error.ts";
import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { parsePullResponse, type PullResponse } from "../../core/protocol/pull.ts";
import type { PokePatch } from "../../core/protocol/realtime.ts";
import type { Poke, RetryOptions } from "../plasma-client.ts";
import type { OutboxEntry } from "../store/store.ts";
import type { HttpFailure } from "../transport/http-exchange.ts";
import type { HttpTransport } from "../transport/http-transport.ts";
import { callApp } from "./app-callback.ts";
import type { SyncClientError } from "./sync-error.ts";
import {
  initialSyncState,
  stepSync,
  type MachineOptions,
  type SyncEffect,
  type SyncEvent,
  type SyncFailure,
  type LaneName,
  type SyncState,
  type TimerName,
} from "./sync-machine.ts";
import type { SyncReplica } from "./sync-replica.ts";

/** What a run of uploads came to. */
export interface UploadRun {
  /** Files of which it is known by now what becomes of them. */
  readonly count: number;
  /** Why it ended early. */
  readonly failed: { readonly hash: string; readonly failure: HttpFailure } | null;
}

export interface SyncLoopStatus {
  readonly online: boolean;
  readonly syncing: boolean;
  readonly auth: "ok" | "required";
}

export interface SyncLoopOptions {
  readonly replica: SyncReplica;
  readonly transport: HttpTransport;
  /** Uploads what the replica's entries wait for. */
  readonly upload: (signal: AbortSignal) => Promise<UploadRun>;
  readonly env: Env;
  readonly pollIntervalMs: number;
  readonly retry: Required<RetryOptions>;
  readonly online: boolean;
  readonly onError: (error: SyncClientError) => void;
  /** Called when one of them has changed, and once at the start. */
  readonly onStatus: (status: SyncLoopStatus) => void;
  /** A push or pull succeeded, and neither is failing now. */
  readonly onSuccess: () => void;
  /** The replica can go on no more; the loop has stopped. */
  readonly onStopped: (error: unknown) => void;
}

export interface SyncLoop {
  start(): void;
  stop(): void;
  setOnline(online: boolean): void;
  /** A socket beside the requests has opened: those that rest are made again. */
  connected(): void;
  /** What a socket beside the requests has heard of the login. */
  setSocketAuth(auth: "ok" | "required"): void;
  /** Something changed on the server: pull, unless the poke carries all of it. */
  poke(poke?: Poke): void;
  /** The outbox has grown, or an entry waits for a file no more: push. */
  localWork(): void;
  /** An entry waits for files: upload them. */
  filesWanted(): void;
  /** Resolves when a push of everything there is, begun after the call, has ended, also when it failed. */
  pushOnce(): Promise<void>;
  /** Resolves when a pull of all pages, begun after the call, has ended, also when it failed. */
  pullOnce(): Promise<void>;
  /** Resolves when a run of uploads, begun after the call, has ended, also when it failed. */
  uploadOnce(): Promise<void>;
  /** Whether no push or upload is under way: stopped now, it leaves nothing that another would do twice. */
  isQuiet(): boolean;
}

/** Makes a loop; it does nothing until `start`. */
export function createSyncLoop(options: SyncLoopOptions): SyncLoop {
  const runner = new SyncRunner(options);
  return {
    start: () => runner.dispatch({ type: "start" }),
    stop: () => runner.dispatch({ type: "stop" }),
    setOnline: (online) => runner.dispatch({ type: online ? "online" : "offline" }),
    connected: () => runner.dispatch({ type: "connected" }),
    setSocketAuth: (auth) => runner.setSocketAuth(auth),
    poke: (poke) => runner.poke(poke),
    localWork: () => runner.dispatch({ type: "work" }),
    filesWanted: () => runner.dispatch({ type: "files" }),
    pushOnce: () => runner.request("push"),
    pullOnce: () => runner.request("pull"),
    uploadOnce: () => runner.request("upload"),
    isQuiet: () => runner.isQuiet,
  };
}

class SyncRunner {
  readonly #options: SyncLoopOptions;
  readonly #machine: MachineOptions;
  readonly #timers = new Map<string, TimerHandle>();
  #state: SyncState;
  #status: SyncLoopStatus | null = null;
  #socketAuth: "ok" | "required" = "ok";
  /** A patch is being taken: the pull lane is busy without a request. */
  #isApplying = false;
  /** Gives up the requests that were begun since the last `cancel`. */
  #flights = new AbortController();
  #waiting: { readonly lane: LaneName; readonly resolve: () => void }[] = [];

  constructor(options: SyncLoopOptions) {
    const { pollIntervalMs, retry, env, online } = options;
    this.#options = options;
    this.#machine = { pollIntervalMs, retry, batchMax: limits.pushMutationsMax, random: () => env.random() };
    this.#state = initialSyncState(online, limits.pushMutationsMax);
  }

  /** LaneName the app hears comes last: it may call back. */
  dispatch(event: SyncEvent): void {
    const { state, effects } = stepSync(this.#state, event, this.#machine);
    this.#state = state;
    for (const effect of effects) if (effect.type !== "report") this.#run(effect);
    this.#settleRequests();
    this.#tellStatus();
    for (const effect of effects) if (effect.type === "report") callApp(() => this.#options.onError(effect.error));
    const isSuccess = event.type === "pulled" || ("count" in event && event.count > 0);
    const failures = state.push.failures + state.pull.failures + state.upload.failures;
    if (isSuccess && failures === 0) callApp(this.#options.onSuccess);
  }

  get isQuiet(): boolean {
    const { push, upload } = this.#state;
    return push.phase !== "busy" && upload.phase !== "busy";
  }

  setSocketAuth(auth: "ok" | "required"): void {
    const isBack = auth === "ok" && this.#socketAuth === "required";
    this.#socketAuth = auth;
    // The login that the socket took will do for requests that rest since theirs was refused.
    if (isBack) this.dispatch({ type: "poll" });
    else this.#tellStatus();
  }

  poke(poke: Poke | undefined): void {
    const { replica } = this.#options;
    const patch = poke?.patch;
    if (patch !== undefined && patch.cookie === replica.cookie()) return;
    const isNext = patch !== undefined && patch.from === replica.patchableCookie();
    this.dispatch(isNext ? { type: "patch", patch } : { type: "poke" });
  }

  request(lane: LaneName): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ lane, resolve });
      this.dispatch({ type: "request", lane });
    });
  }

  #settleRequests(): void {
    const over = this.#waiting.filter(({ lane }) => this.#isOver(lane));
    this.#waiting = this.#waiting.filter((waiting) => !over.includes(waiting));
    for (const { resolve } of over) resolve();
  }

  /** Whether nothing of the lane is under way, nor about to be. */
  #isOver(lane: LaneName): boolean {
    const { phase, online } = this.#state;
    const { phase: lanePhase, wanted } = this.#state[lane];
    if (lanePhase === "busy") return false;
    return phase !== "running" || !online || lanePhase !== "idle" || !wanted;
  }

  #tellStatus(): void {
    const { online, push, pull, upload } = this.#state;
    const auth = this.#state.auth === "ok" ? this.#socketAuth : "required";
    const requests = this.#isApplying ? [push, upload] : [push, pull, upload];
    const syncing = requests.some(({ phase }) => phase === "busy");
    const last = this.#status;
    if (last?.online === online && last.syncing === syncing && last.auth === auth) return;
    const status = (this.#status = { online, syncing, auth });
    callApp(() => this.#options.onStatus(status));
  }

  #run(effect: Exclude<SyncEffect, { type: "report" }>): void {
    switch (effect.type) {
      case "push":
        return this.#send((signal) => this.#push(effect.countMax, signal));
      case "pull":
        return this.#send((signal) => this.#pull(signal));
      case "apply":
        return this.#send(() => this.#apply(effect.patch));
      case "upload":
        return this.#send((signal) => this.#upload(signal));
      case "cancel":
        return this.#cancel();
      case "timer":
        return this.#setTimer(effect.name, effect.delayMs);
    }
  }

  #cancel(): void {
    this.#flights.abort();
    this.#flights = new AbortController();
  }

  #setTimer(name: TimerName, delayMs: number | null): void {
    const { env } = this.#options;
    const old = this.#timers.get(name);
    if (old !== undefined) env.clearTimeout(old);
    this.#timers.delete(name);
    if (delayMs === null) return;
    const event: SyncEvent = name === "poll" ? { type: "poll" } : { type: "retry", lane: name };
    this.#timers.set(
      name,
      env.setTimeout(() => this.dispatch(event), delayMs),
    );
  }

  #send(request: (signal: AbortSignal) => Promise<SyncEvent | null>): void {
    const { signal } = this.#flights;
    request(signal).then(
      (event) => {
        if (event !== null && !signal.aborted) this.dispatch(event);
      },
      (error: unknown) => {
        if (signal.aborted) return;
        this.dispatch({ type: "stop" });
        this.#options.onStopped(error);
      },
    );
  }

  /** LaneName a push came to; null when nobody waits for it any more. */
  async #push(countMax: number, signal: AbortSignal): Promise<SyncEvent | null> {
    const { replica, transport } = this.#options;
    await replica.confirmReign();
    if (signal.aborted) return null;
    const batch = replica.nextPush(countMax, limits.pushBytesMax);
    if (batch.length === 0) return { type: "pushed", count: 0 };
    const answer = await transport.push(batch, signal);
    if (signal.aborted) return null;
    if (!answer.ok) return this.#pushFailed(batch, answer.failure);
    const sent = new Set(batch.map(keyOf));
    const results = answer.value.results.filter((result) => sent.has(keyOf(result)));
    if (results.length > 0) {
      await replica.pushed(results);
      return { type: "pushed", count: results.length };
    }
    const failed = malformed("push", answer.url, "it has no result of what was pushed");
    replica.pushFailed(batch, failed.error.message);
    return failed;
  }

  async #pull(signal: AbortSignal): Promise<SyncEvent | null> {
    const { replica, transport } = this.#options;
    await replica.confirmReign();
    if (signal.aborted) return null;
    const cookie = replica.pullCookie();
    const answer = await transport.pull(cookie, signal);
    if (signal.aborted) return null;
    if (!answer.ok) return this.#pullFailed(answer.failure);
    const { value: page, url } = answer;
    const hasMore = page.hasMore === true;
    if (hasMore && page.cookie === cookie)
      return malformed("pull", url, "it has more, but its cookie is the one that was sent");
    const misfit = await this.#take(() => page);
    return misfit === null ? { type: "pulled", hasMore } : malformed("pull", url, misfit);
  }

  /** A patch that the replica cannot take is none: the pull that follows says what is wrong. */
  async #apply({ cookie, patch, lastMutationIDs }: PokePatch): Promise<SyncEvent> {
    this.#isApplying = true;
    const misfit = await this.#take(() => parsePullResponse({ cookie, patch, lastMutationIDs })).finally(() => {
      this.#isApplying = false;
    });
    if (misfit === null) return { type: "patched" };
    return { ...malformed("pull", "", misfit), failure: { kind: "mended" } };
  }

  /** What in the page does not fit the schema; null when the replica has taken it. */
  async #take(read: () => PullResponse): Promise<string | null> {
    const { replica } = this.#options;
    try {
      await replica.pulled(read());
      return null;
    } catch (error) {
      if (!isPlasmaError(error, "protocol/field")) throw error;
      replica.abandonPull();
      return error.text;
    }
  }

  async #upload(signal: AbortSignal): Promise<SyncEvent | null> {
    const { replica, upload } = this.#options;
    if (replica.filesToUpload().length === 0) return { type: "uploaded", count: 0 };
    const { count, failed: why } = await upload(signal);
    if (signal.aborted) return null;
    if (why === null || count > 0) return { type: "uploaded", count };
    const { hash, failure } = why;
    const error: SyncClientError =
      failure.kind === "network"
        ? networkError("upload", failure.message)
        : { kind: "blob-upload-failed", hash, message: failure.message, willRetry: true };
    return { type: "failed", lane: "upload", failure: classify(failure), error };
  }

  async #pushFailed(batch: readonly OutboxEntry[], failure: HttpFailure): Promise<SyncEvent> {
    const { replica } = this.#options;
    replica.pushFailed(batch, failure.message);
    const error = errorOf("push", failure);
    if (failure.kind === "http" && failure.status === 413) {
      return { type: "failed", lane: "push", failure: { kind: "too-large", sent: batch.length }, error };
    }
    const { code, clientID, lastMutationID } = failure.body;
    if (code === "schema/mismatch" && replica.versionRefused(batch))
      return { type: "failed", lane: "push", failure: { kind: "mended" }, error };
    if (code !== "push/gap" || clientID === undefined || lastMutationID === undefined) return failed("push", failure);
    await replica.pushGap(clientID, lastMutationID);
    return { type: "failed", lane: "push", failure: { kind: "mended" }, error };
  }

  async #pullFailed(failure: HttpFailure): Promise<SyncEvent> {
    if (failure.body.code !== "pull/cookie") return failed("pull", failure);
    await this.#options.replica.forgetCookie();
    return { type: "failed", lane: "pull", failure: { kind: "mended" }, error: errorOf("pull", failure) };
  }
}

const keyOf = ({ clientID, id }: { readonly clientID: string; readonly id: number }): string => `${id}:${clientID}`;

type Failed = Extract<SyncEvent, { type: "failed" }>;

/** The lanes of which a request is a push or a pull. */
type Exchange = Exclude<LaneName, "upload">;

const failed = (lane: Exchange, failure: HttpFailure): Failed => ({
  type: "failed",
  lane,
  failure: classify(failure),
  error: errorOf(lane, failure),
});

function malformed(lane: Exchange, url: string, why: string): Failed {
  const message = `The server's answer is malformed: ${why}.`;
  const error: SyncClientError = { kind: `${lane}-http`, status: 200, url, code: "", message };
  return { type: "failed", lane, failure: { kind: "refused" }, error };
}

function classify(failure: HttpFailure): SyncFailure {
  if (failure.kind === "network") return { kind: "transient", retryAfterMs: null };
  if (failure.status === 401) return { kind: "auth" };
  const isTransient = failure.status >= 500 || failure.status === 429;
  return isTransient ? { kind: "transient", retryAfterMs: failure.retryAfterMs } : { kind: "refused" };
}

function errorOf(phase: Exchange, failure: HttpFailure): SyncClientError {
  const { message, body } = failure;
  if (failure.kind === "network") return networkError(phase, message);
  if (isMismatch(failure)) return { kind: "schema-mismatch", phase, expected: body.expected ?? "", message };
  return { kind: `${phase}-http`, status: failure.status, url: failure.url, code: body.code, message };
}

const networkError = (phase: LaneName, message: string): SyncClientError => ({ kind: "network", phase, message });

const isMismatch = ({ body }: HttpFailure): boolean =>
  body.code === "schema/mismatch" || body.code === "protocol/mismatch";
