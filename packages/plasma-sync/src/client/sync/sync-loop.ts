// Owns: the sync loop: runs the machine's effects against replica, transport and timers, and feeds back lane happened.
// Invariants:
//   1. LaneNameever ends after `stop` is dropped, except lane the replica made durable.
//   2. An exception of the replica ends the loop (`onStopped`): this tab may no longer write.

import type { Env, TimerHandle } from "../../core/lib/env.ts";
import { limits } from "../../core/limits.ts";
import type { RetryOptions } from "../plasma-client.ts";
import type { OutboxEntry } from "../store/store.ts";
import type { HttpFailure, HttpTransport } from "../transport/http-transport.ts";
import type { SyncClientError } from "./sync-error.ts";
import {
  initialSyncState,
  isBusy,
  stepSync,
  type LaneName,
  type MachineOptions,
  type SyncEffect,
  type SyncEvent,
  type SyncFailure,
  type SyncState,
  type TimerName,
} from "./sync-machine.ts";
import type { SyncReplica } from "./sync-replica.ts";

export interface SyncLoopOptions {
  readonly replica: SyncReplica;
  readonly transport: HttpTransport;
  readonly env: Env;
  readonly pollIntervalMs: number;
  readonly retry: Required<RetryOptions>;
  readonly online: boolean;
  readonly onError: (error: SyncClientError) => void;
  readonly onStatus: (status: { readonly online: boolean; readonly syncing: boolean; readonly auth: "ok" | "required" }) => void;
  /** A push or pull succeeded. */
  readonly onSuccess: () => void;
  /** The replica can go on no more; the loop has stopped. */
  readonly onStopped: (error: unknown) => void;
}

export interface SyncLoop {
  start(): void;
  stop(): void;
  setOnline(online: boolean): void;
  /** Something changed on the server: pull. */
  poke(): void;
  /** The outbox has grown: push. */
  localWork(): void;
  /** Resolves when a push that began after the call has ended, also when it failed. */
  pushOnce(): Promise<void>;
  pullOnce(): Promise<void>;
}

/** Makes a loop; it does nothing until `start`. */
export function createSyncLoop(options: SyncLoopOptions): SyncLoop {
  const runner = new SyncRunner(options);
  return {
    start: () => runner.dispatch({ type: "start" }),
    stop: () => runner.dispatch({ type: "stop" }),
    setOnline: (online) => runner.dispatch({ type: online ? "online" : "offline" }),
    poke: () => runner.dispatch({ type: "poke" }),
    localWork: () => runner.dispatch({ type: "work" }),
    pushOnce: () => runner.request("push"),
    pullOnce: () => runner.request("pull"),
  };
}

class SyncRunner {
  readonly #options: SyncLoopOptions;
  readonly #machine: MachineOptions;
  readonly #timers = new Map<string, TimerHandle>();
  #state: SyncState;
  #auth: "ok" | "required" = "ok";
  #waiting: { readonly lane: LaneName; readonly resolve: () => void }[] = [];

  constructor(options: SyncLoopOptions) {
    const { pollIntervalMs, retry, env, online } = options;
    this.#options = options;
    this.#machine = { pollIntervalMs, retry, batchMax: limits.pushMutationsMax, random: () => env.random() };
    this.#state = initialSyncState(online, limits.pushMutationsMax);
  }

  dispatch(event: SyncEvent): void {
    const { state, effects } = stepSync(this.#state, event, this.#machine);
    this.#state = state;
    this.#options.onStatus({ online: state.online, syncing: isBusy(state), auth: this.#auth });
    for (const effect of effects) this.#run(effect);
    this.#wake();
  }

  request(lane: LaneName): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ lane, resolve });
      this.dispatch({ type: "request", lane });
    });
  }

  #wake(): void {
    const over = this.#waiting.filter(({ lane }) => this.#isOver(lane));
    this.#waiting = this.#waiting.filter(({ lane }) => !over.some((other) => other.lane === lane));
    for (const { resolve } of over) resolve();
  }

  /** Whether a request of the lane has ended, or cannot begin now. */
  #isOver(lane: LaneName): boolean {
    const { phase, online } = this.#state;
    const { phase: lanePhase, wanted } = this.#state[lane];
    if (phase !== "running" || !online) return lanePhase !== "busy";
    return lanePhase === "backoff" || lanePhase === "resting" || (lanePhase === "idle" && !wanted);
  }

  #run(effect: SyncEffect): void {
    if (effect.type === "timer") return this.#setTimer(effect.name, effect.delayMs);
    const run = effect.type === "push" ? this.#push(effect.countMax) : this.#pull();
    run.then(
      (event) => this.dispatch(event),
      (error: unknown) => {
        this.dispatch({ type: "stop" });
        this.#options.onStopped(error);
      },
    );
  }

  #setTimer(name: TimerName, delayMs: number | null): void {
    const { env } = this.#options;
    const old = this.#timers.get(name);
    if (old !== undefined) env.clearTimeout(old);
    this.#timers.delete(name);
    if (delayMs === null) return;
    const fire = () => {
      this.#timers.delete(name);
      this.dispatch(name === "poll" ? { type: "poll" } : { type: "retry", lane: name });
    };
    this.#timers.set(name, env.setTimeout(fire, delayMs));
  }

  async #push(countMax: number): Promise<SyncEvent> {
    const { replica, transport } = this.#options;
    const batch = replica.nextPush(countMax, limits.pushBytesMax);
    if (batch.length === 0) return { type: "pushed", count: 0 };
    const answer = await transport.push(batch);
    if (!answer.ok) return { type: "failed", lane: "push", failure: await this.#pushFailed(batch, answer.failure) };
    this.#succeeded();
    await replica.pushed(answer.value.results);
    const count = answer.value.results.length;
    if (count === 0) return { type: "failed", lane: "push", failure: { kind: "transient", retryAfterMs: null } };
    return { type: "pushed", count };
  }

  async #pull(): Promise<SyncEvent> {
    const { replica, transport } = this.#options;
    const answer = await transport.pull(replica.pullCookie());
    if (!answer.ok) return { type: "failed", lane: "pull", failure: await this.#pullFailed(answer.failure) };
    this.#succeeded();
    await replica.pulled(answer.value);
    return { type: "pulled", hasMore: answer.value.hasMore === true };
  }

  #succeeded(): void {
    this.#auth = "ok";
    this.#options.onSuccess();
  }

  async #pushFailed(batch: readonly OutboxEntry[], failure: HttpFailure): Promise<SyncFailure> {
    const { replica } = this.#options;
    replica.pushFailed(batch, failure.message);
    if (failure.kind === "http" && failure.status === 413) {
      if (batch.length === 1) this.#report("push", failure);
      return { kind: "too-large" };
    }
    const { clientID, lastMutationID } = failure.body;
    if (failure.body.code === "push/gap" && clientID !== undefined && lastMutationID !== undefined) {
      await replica.pushGap(clientID, lastMutationID);
      return { kind: "mended" };
    }
    return this.#plainFailure("push", failure);
  }

  async #pullFailed(failure: HttpFailure): Promise<SyncFailure> {
    const { replica } = this.#options;
    if (failure.body.code === "pull/cookie") {
      await replica.forgetCookie();
      return { kind: "mended" };
    }
    return this.#plainFailure("pull", failure);
  }

  #plainFailure(phase: LaneName, failure: HttpFailure): SyncFailure {
    this.#report(phase, failure);
    if (failure.kind === "network") return { kind: "transient", retryAfterMs: null };
    if (failure.status === 401) this.#auth = "required";
    if (isMismatch(failure)) return { kind: "mismatch" };
    const isTransient = failure.status >= 500 || failure.status === 429;
    return isTransient ? { kind: "transient", retryAfterMs: failure.retryAfterMs } : { kind: "refused" };
  }

  #report(phase: LaneName, failure: HttpFailure): void {
    const { message, body } = failure;
    if (failure.kind === "network") return this.#options.onError({ kind: "network", phase, message });
    if (isMismatch(failure)) {
      return this.#options.onError({ kind: "schema-mismatch", phase, expected: body.expected ?? "", message });
    }
    this.#options.onError({ kind: `${phase}-http`, status: failure.status, url: failure.url, code: body.code, message });
  }
}

const isMismatch = ({ body }: HttpFailure): boolean => body.code === "schema/mismatch" || body.code === "protocol/mismatch";
