// Owns: the decisions of syncing, as a pure function: (state, event) → state and effects. The loop runs the effects.
// Pushing and pulling are two lanes with the same states, so that one that fails does not keep the other from working:
//
//            wanted                   done
//   idle ────────────► busy ─────────────────────► idle
//    ▲  ▲               │ failed, up to maxAttempts in a row
//    │  └─retry timer── backoff ◄┤
//    │                           │ failed more often, or in a way that repeating at once would not change
//    └─poll, online, request── resting ◄┘
//
//   blocked: the server has another schema or protocol version; only `start` leaves it.
//
// Invariants:
//   1. At most one push and one pull are under way.
//   2. While running and online with something wanted, its lane is busy, waits for its retry timer, or rests until the poll.
//   3. A push that processed anything is followed by a pull that begins after it.

import type { RetryOptions } from "../plasma-client.ts";

export type LaneName = "push" | "pull";

export interface Lane {
  readonly phase: "idle" | "busy" | "backoff" | "resting";
  /** Met only by a request that begins after it arose. */
  readonly wanted: boolean;
  /** Failed requests in a row. */
  readonly failures: number;
}

export interface SyncState {
  readonly phase: "stopped" | "running" | "blocked";
  readonly online: boolean;
  readonly push: Lane;
  readonly pull: Lane;
  /** Mutations per push; halved when the server calls a push too large. */
  readonly batchMax: number;
}

export type SyncEvent =
  | { readonly type: "start" | "stop" | "online" | "offline" | "work" | "poke" | "poll" }
  | { readonly type: "retry"; readonly lane: LaneName }
  /** `pushOnce` or `pullOnce`: also ends a wait. */
  | { readonly type: "request"; readonly lane: LaneName }
  /** A push ended; `count` mutations were processed (0: nothing to push). */
  | { readonly type: "pushed"; readonly count: number }
  | { readonly type: "pulled"; readonly hasMore: boolean }
  | { readonly type: "failed"; readonly lane: LaneName; readonly failure: SyncFailure };

/** What a failed request asks for. */
export type SyncFailure =
  /** Try again after a while. */
  | { readonly kind: "transient"; readonly retryAfterMs: number | null }
  /** Something was put right (a gap, a cookie): try again at once. */
  | { readonly kind: "mended" }
  /** Push less at once. */
  | { readonly kind: "too-large" }
  /** Trying again at once would change nothing. */
  | { readonly kind: "refused" }
  /** The server has another schema or protocol version. */
  | { readonly kind: "mismatch" };

export type TimerName = "poll" | LaneName;

export type SyncEffect =
  | { readonly type: "push"; readonly countMax: number }
  | { readonly type: "pull" }
  | { readonly type: "timer"; readonly name: TimerName; readonly delayMs: number | null };

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

const idle: Lane = { phase: "idle", wanted: false, failures: 0 };

export const initialSyncState = (online: boolean, batchMax: number): SyncState => ({
  phase: "stopped",
  online,
  push: idle,
  pull: idle,
  batchMax,
});

/** Whether something is under way. */
export const isBusy = ({ push, pull }: SyncState): boolean => push.phase === "busy" || pull.phase === "busy";

/** Decides what to do about an event. */
export function stepSync(state: SyncState, event: SyncEvent, options: MachineOptions): SyncStep {
  switch (event.type) {
    case "start":
      return state.phase === "running" ? stay(state) : refresh({ ...state, phase: "running" }, options);
    case "stop":
      return { state: { ...state, phase: "stopped" }, effects: noTimers };
    case "offline":
      return { state: { ...state, online: false }, effects: noTimers };
    case "online":
      return refresh({ ...state, online: true }, options);
    case "poll":
      return refresh(state, options);
    case "work":
      return go(withLane(state, "push", { wanted: true }));
    case "poke":
      return go(withLane(state, "pull", { wanted: true }));
    case "request":
      return go(withLane(wake(state, event.lane), event.lane, { wanted: true }));
    case "retry":
      return go(wake(state, event.lane));
    case "pushed":
      return go(pushed(state, event.count, options));
    case "pulled":
      return go(withLane(state, "pull", { phase: "idle", failures: 0, wanted: state.pull.wanted || event.hasMore }));
    case "failed":
      return failed(state, event, options);
  }
}

const stay = (state: SyncState): SyncStep => ({ state, effects: [] });

const withLane = (state: SyncState, lane: LaneName, change: Partial<Lane>): SyncState => ({ ...state, [lane]: { ...state[lane], ...change } });

const noTimers: readonly SyncEffect[] = [
  { type: "timer", name: "poll", delayMs: null },
  { type: "timer", name: "push", delayMs: null },
  { type: "timer", name: "pull", delayMs: null },
];

/** Ends a lane's wait; a request under way goes on. */
const wake = (state: SyncState, lane: LaneName): SyncState =>
  state[lane].phase === "backoff" || state[lane].phase === "resting" ? withLane(state, lane, { phase: "idle" }) : state;

/** Both lanes begin anew, and the poll timer too. */
function refresh(state: SyncState, { pollIntervalMs }: MachineOptions): SyncStep {
  if (state.phase !== "running" || !state.online) return stay(state);
  const anew = { wanted: true, failures: 0 };
  const { state: after, effects } = go(withLane(withLane(wake(wake(state, "push"), "pull"), "push", anew), "pull", anew));
  return { state: after, effects: [{ type: "timer", name: "poll", delayMs: pollIntervalMs }, ...effects] };
}

/** Starts what is wanted and may start. A pull waits for the push that is under way, since another would have to follow it. */
function go(state: SyncState): SyncStep {
  if (state.phase !== "running" || !state.online) return stay(state);
  const effects: SyncEffect[] = [];
  let after = state;
  if (after.push.phase === "idle" && after.push.wanted) {
    after = withLane(after, "push", { phase: "busy", wanted: false });
    effects.push({ type: "push", countMax: after.batchMax });
  }
  if (after.pull.phase === "idle" && after.pull.wanted && after.push.phase !== "busy") {
    after = withLane(after, "pull", { phase: "busy", wanted: false });
    effects.push({ type: "pull" });
  }
  return { state: after, effects };
}

function pushed(state: SyncState, count: number, options: MachineOptions): SyncState {
  if (count === 0) return withLane(state, "push", { phase: "idle" });
  const batchMax = Math.min(options.batchMax, state.batchMax * 2);
  const after = withLane(state, "push", { phase: "idle", failures: 0, wanted: true });
  return withLane({ ...after, batchMax }, "pull", { wanted: true });
}

function failed(state: SyncState, { lane, failure }: Extract<SyncEvent, { type: "failed" }>, options: MachineOptions): SyncStep {
  const failures = state[lane].failures + 1;
  const after = withLane(state, lane, { phase: "idle", wanted: true, failures });
  if (failure.kind === "mismatch") return { state: { ...after, phase: "blocked" }, effects: noTimers };
  if (failure.kind === "too-large" && state.batchMax > 1) return go({ ...after, batchMax: Math.floor(state.batchMax / 2) });
  const isSpent = failures >= options.retry.maxAttempts || failure.kind === "refused" || failure.kind === "too-large";
  if (isSpent) return go(withLane(after, lane, { phase: "resting" }));
  if (failure.kind === "mended") return go(after);
  const { state: waiting, effects } = go(withLane(after, lane, { phase: "backoff" }));
  const delayMs = failure.retryAfterMs ?? backoffMs(failures, options);
  return { state: waiting, effects: [{ type: "timer", name: lane, delayMs }, ...effects] };
}

/** Doubles with every failure, up to the longest wait; between half and all of that, so that clients spread out. */
function backoffMs(failures: number, { retry, random }: MachineOptions): number {
  const full = Math.min(retry.maxDelayMs, retry.initialDelayMs * 2 ** (failures - 1));
  return full * (0.5 + random() / 2);
}
