// Owns: the decisions of syncing, as a pure function: (state, event) → state and effects. The loop runs the effects.
//
//              work, poke, poll, request
//   idle ──────────────────────────────► pushing ──pushed──► idle ──► pulling ──pulled──► idle
//    ▲  ▲                                   │ failed                     │ failed
//    │  └──────retry timer────── backoff ◄──┴────────────────────────────┤ up to maxAttempts in a row
//    └───────poll, online, request── resting ◄───────────────────────────┤ after that, and after an answer that
//                                                                        │ repeating at once would not change
//                                  blocked ◄─────────────────────────────┘ another schema or protocol version
//
// Invariants:
//   1. At most one request is under way.
//   2. While started and online with something wanted, there is a request, a retry timer, or a poll timer to end the rest.
//   3. A push that processed anything is followed by a pull.

import type { RetryOptions } from "../plasma-client.ts";

export interface SyncState {
  readonly phase: "stopped" | "idle" | "pushing" | "pulling" | "backoff" | "resting" | "blocked";
  readonly online: boolean;
  readonly wantPush: boolean;
  readonly wantPull: boolean;
  /** Failed requests in a row. */
  readonly failures: number;
  /** Mutations per push; halved when the server calls a push too large. */
  readonly batchMax: number;
}

export type SyncEvent =
  | { readonly type: "start" | "stop" | "online" | "offline" | "work" | "poke" | "poll" | "retry" }
  /** `pushOnce` or `pullOnce`: also ends a wait. */
  | { readonly type: "request"; readonly what: "push" | "pull" }
  /** A push ended; `count` mutations were processed (0: nothing to push). */
  | { readonly type: "pushed"; readonly count: number; readonly hasMore: boolean }
  | { readonly type: "pulled"; readonly hasMore: boolean }
  | { readonly type: "failed"; readonly failure: SyncFailure };

/** What a failed request asks for. */
export type SyncFailure =
  /** Try again after a while. */
  | { readonly kind: "transient"; readonly retryAfterMs: number | null }
  /** Something was put right (a gap, a cookie, the batch size): try again at once. */
  | { readonly kind: "mended"; readonly shrink: boolean }
  /** Trying again at once would change nothing. */
  | { readonly kind: "refused" }
  /** The server has another schema or protocol version. */
  | { readonly kind: "mismatch" };

export type SyncEffect =
  | { readonly type: "push"; readonly countMax: number }
  | { readonly type: "pull" }
  | { readonly type: "timer"; readonly name: "poll" | "retry"; readonly delayMs: number | null };

export interface MachineOptions {
  readonly pollIntervalMs: number;
  readonly retry: Required<RetryOptions>;
  readonly batchMax: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export interface SyncStep {
  readonly state: SyncState;
  readonly effects: readonly SyncEffect[];
}

export const initialSyncState = (online: boolean, batchMax: number): SyncState => ({
  phase: "stopped",
  online,
  wantPush: false,
  wantPull: false,
  failures: 0,
  batchMax,
});

/** Decides what to do about an event. */
export function stepSync(state: SyncState, event: SyncEvent, options: MachineOptions): SyncStep {
  switch (event.type) {
    case "start":
      if (state.phase !== "stopped" && state.phase !== "blocked") return { state, effects: [] };
      return begin({ ...state, phase: "idle", failures: 0, wantPush: true, wantPull: true }, options);
    case "stop":
      return { state: { ...state, phase: "stopped" }, effects: noTimers };
    case "offline":
      return { state: { ...wake(state), online: false }, effects: noTimers };
    case "online":
      return begin({ ...wake(state), online: true, failures: 0, wantPush: true, wantPull: true }, options);
    case "work":
      return next({ ...state, wantPush: true });
    case "poke":
      return next({ ...state, wantPull: true });
    case "poll":
      return begin({ ...wake(state), failures: 0, wantPush: true, wantPull: true }, options);
    case "retry":
      return next(wake(state));
    case "request":
      return next(event.what === "push" ? { ...wake(state), wantPush: true } : { ...wake(state), wantPull: true });
    case "pushed":
      return pushed(state, event, options);
    case "pulled":
      if (state.phase !== "pulling") return { state, effects: [] };
      return next({ ...state, phase: "idle", failures: 0, wantPull: state.wantPull || event.hasMore });
    case "failed":
      return failed(state, event.failure, options);
  }
}

const noTimers: readonly SyncEffect[] = [
  { type: "timer", name: "poll", delayMs: null },
  { type: "timer", name: "retry", delayMs: null },
];

/** Ends a wait; a request under way goes on. */
const wake = (state: SyncState): SyncState =>
  state.phase === "backoff" || state.phase === "resting" ? { ...state, phase: "idle" } : state;

/** Goes on with the poll timer set anew. */
function begin(state: SyncState, options: MachineOptions): SyncStep {
  if (state.phase === "stopped" || state.phase === "blocked") return { state, effects: [] };
  const { state: after, effects } = next(state);
  return { state: after, effects: [{ type: "timer", name: "poll", delayMs: options.pollIntervalMs }, ...effects] };
}

/** Starts the next request, if one is wanted and may start. A want is met by a request that starts after it arose. */
function next(state: SyncState): SyncStep {
  if (state.phase !== "idle" || !state.online) return { state, effects: [] };
  if (state.wantPush) {
    return { state: { ...state, phase: "pushing", wantPush: false }, effects: [{ type: "push", countMax: state.batchMax }] };
  }
  if (state.wantPull) return { state: { ...state, phase: "pulling", wantPull: false }, effects: [{ type: "pull" }] };
  return { state, effects: [] };
}

function pushed(state: SyncState, { count, hasMore }: { count: number; hasMore: boolean }, options: MachineOptions): SyncStep {
  if (state.phase !== "pushing") return { state, effects: [] };
  const failures = count > 0 ? 0 : state.failures;
  const batchMax = count > 0 ? Math.min(options.batchMax, state.batchMax * 2) : state.batchMax;
  const wantPush = state.wantPush || hasMore;
  return next({ ...state, phase: "idle", failures, batchMax, wantPush, wantPull: state.wantPull || count > 0 });
}

function failed(state: SyncState, failure: SyncFailure, options: MachineOptions): SyncStep {
  if (state.phase !== "pushing" && state.phase !== "pulling") return { state, effects: [] };
  const again = state.phase === "pushing" ? { ...state, wantPush: true } : { ...state, wantPull: true };
  const after = { ...again, failures: state.failures + 1 };
  if (failure.kind === "mismatch") return { state: { ...after, phase: "blocked" }, effects: noTimers };
  const isSpent = after.failures >= options.retry.maxAttempts || failure.kind === "refused";
  const shrinks = failure.kind === "mended" && failure.shrink;
  if (shrinks && state.batchMax > 1) return next({ ...again, phase: "idle", batchMax: Math.floor(state.batchMax / 2) });
  if (isSpent) return { state: { ...after, phase: "resting" }, effects: [] };
  if (failure.kind === "mended" && !shrinks) return next({ ...after, phase: "idle" });
  const retryAfterMs = failure.kind === "transient" ? failure.retryAfterMs : null;
  const delayMs = retryAfterMs ?? backoffMs(after.failures, options);
  return { state: { ...after, phase: "backoff" }, effects: [{ type: "timer", name: "retry", delayMs }] };
}

/** Doubles with every failure, up to the longest wait; between half and all of that, so that clients spread out. */
function backoffMs(failures: number, { retry, random }: MachineOptions): number {
  const full = Math.min(retry.maxDelayMs, retry.initialDelayMs * 2 ** (failures - 1));
  return full * (0.5 + random() / 2);
}
