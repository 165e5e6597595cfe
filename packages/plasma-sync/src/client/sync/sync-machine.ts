// Owns: the decisions of syncing, as a pure function: (state, event) → state and effects. The loop runs the effects.
//
//   stopped ◄──stop, start──► running
//
//   While running there are three lanes (push, pull, upload) with the same states, so that one that fails does not keep the
//   others from working:
//
//                            wanted and online
//     idle ───────────────────────────────────────────────────► busy
//      ▲ ▲                                                        │
//      │ └──────────done, mended, batch too large─────────────────┤
//      ├──retry timer, online, request── backoff ◄──5xx, network──┤ up to maxAttempts in a row
//      ├──retry timer─────────────────── held ◄─────Retry-After───┤
//      └──poll, online, request, socket resting ◄──anything else──┘ attempts spent, 401, 409 (another schema or protocol
//                                                                   version), other 4xx, malformed
//
// Invariants:
//   1. At most one push, one pull and one run of uploads are under way.
//   2. A pull waits for the push that is under way, since another would have to follow it; but not for a second one.
//   3. A want is met only by a request that begins after it arose, and a push that processed anything wants a pull. An upload
//      waits for nothing; what it brings wants a push, as "work".
//   4. A poke's patch is taken only while nothing is pulled or to be pulled: whatever else it meets, a pull follows.
//   5. While running and online: an idle wanted pull waits for a push under way, a lane in backoff or held for its retry
//      timer, a resting one for the poll timer. So nothing is ever stuck, and nothing is sent faster than these allow.

import * as limits from "../../core/limits.ts";
import type { PokePatch } from "../../core/protocol/realtime.ts";
import type { RetryOptions } from "../plasma-client.ts";
import { backoffMs } from "../transport/backoff.ts";
import type { SyncClientError } from "./sync-error.ts";

export type LaneName = "push" | "pull" | "upload";

export interface Lane {
  readonly phase: "idle" | "busy" | "backoff" | "held" | "resting";
  readonly wanted: boolean;
  /** Failed requests in a row. */
  readonly failures: number;
  /** Failures in a row that were put right (a gap, a cookie). */
  readonly mends: number;
}

export interface SyncState {
  readonly phase: "stopped" | "running";
  readonly online: boolean;
  readonly auth: "ok" | "required";
  readonly push: Lane;
  readonly pull: Lane;
  readonly upload: Lane;
  /** A pull has waited for a whole push: it goes before the next one. */
  readonly pullWaited: boolean;
  /** Mutations per push; less while the server calls pushes too large. */
  readonly batchMax: number;
}

export type SyncEvent =
  | { readonly type: "start" | "stop" | "online" | "offline" | "work" | "poke" | "poll" }
  /** A socket has opened: the server is there. */
  | { readonly type: "connected" }
  /** A poke whose patch begins at the replica's cookie. */
  | { readonly type: "patch"; readonly patch: PokePatch }
  /** The patch is in the replica. */
  | { readonly type: "patched" }
  /** A mutation waits for files. */
  | { readonly type: "files" }
  | { readonly type: "retry"; readonly lane: LaneName }
  /** `pushOnce`, `pullOnce` or `flush`: also ends a wait, except one that the server asked for. */
  | { readonly type: "request"; readonly lane: LaneName }
  /** A push ended; `count` mutations were processed (0: there was nothing to push). */
  | { readonly type: "pushed"; readonly count: number }
  | { readonly type: "pulled"; readonly hasMore: boolean }
  /** A run of uploads ended; for `count` files it is known by now what becomes of them (0: there was nothing to upload). */
  | { readonly type: "uploaded"; readonly count: number }
  | {
      readonly type: "failed";
      readonly lane: LaneName;
      readonly failure: SyncFailure;
      readonly error: SyncClientError;
    };

/** LaneName a failed request asks for. */
export type SyncFailure =
  /** Try again after a while. */
  | { readonly kind: "transient"; readonly retryAfterMs: number | null }
  /** Something was put right (a gap, a cookie): try again at once. */
  | { readonly kind: "mended" }
  /** A push of `sent` mutations was too large. */
  | { readonly kind: "too-large"; readonly sent: number }
  /** Not who the server wants to see: new headers may help, later. */
  | { readonly kind: "auth" }
  /** Trying again soon would change nothing: not until a poll, so that a server that is deployed anew is found. */
  | { readonly kind: "refused" };

export type TimerName = "poll" | LaneName;

export type SyncEffect =
  | { readonly type: "push"; readonly countMax: number }
  | { readonly type: "pull" }
  /** Take it as a page of a pull. */
  | { readonly type: "apply"; readonly patch: PokePatch }
  /** Upload what mutations wait for, until nothing is left or something fails. */
  | { readonly type: "upload" }
  /** Give up the requests under way: what they bring is not to be used any more. */
  | { readonly type: "cancel" }
  /** Set anew (null: clear) the poll timer or a lane's retry timer. */
  | { readonly type: "timer"; readonly name: TimerName; readonly delayMs: number | null }
  | { readonly type: "report"; readonly error: SyncClientError };

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

const freshLane: Lane = { phase: "idle", wanted: false, failures: 0, mends: 0 };
const wantedLane: Lane = { ...freshLane, wanted: true };

/** A machine that waits for `start`. */
export const initialSyncState = (online: boolean, batchMax: number): SyncState => ({
  phase: "stopped",
  online,
  auth: "ok",
  push: freshLane,
  pull: freshLane,
  upload: freshLane,
  pullWaited: false,
  batchMax,
});

/** Decides what to do about an event. */
export function stepSync(state: SyncState, event: SyncEvent, options: MachineOptions): SyncStep {
  switch (event.type) {
    case "start":
      if (state.phase === "running") return stay(state);
      return begin({ ...eachLane(state, () => wantedLane), phase: "running", pullWaited: false }, options);
    case "stop":
      return {
        state: { ...eachLane(state, () => freshLane), phase: "stopped" },
        effects: [{ type: "cancel" }, ...noTimers],
      };
    case "offline":
      return { state: { ...state, online: false }, effects: [{ type: "timer", name: "poll", delayMs: null }] };
    case "online":
      return begin(
        eachLane({ ...state, online: true }, (lane) => ({ ...wake(lane), failures: 0, wanted: true })),
        options,
      );
    case "poll":
      return begin(
        eachLane(state, (lane) => ({ ...(lane.phase === "resting" ? wake(lane) : lane), wanted: true })),
        options,
      );
    case "connected":
      return go(eachLane(state, (lane) => (lane.phase === "resting" ? { ...wake(lane), wanted: true } : lane)));
    case "work":
      return go(withLane(state, "push", { wanted: true }));
    case "files":
      return go(withLane(state, "upload", { wanted: true }));
    case "poke":
      return go(withLane(state, "pull", { wanted: true }));
    case "patch":
      return mayApply(state) ? apply(state, event.patch) : go(withLane(state, "pull", { wanted: true }));
    case "patched":
      return state.pull.phase === "busy"
        ? go(withLane(state, "pull", { ...freshLane, wanted: state.pull.wanted }))
        : stay(state);
    case "request":
      return go(withLane(state, event.lane, { ...wake(state[event.lane]), wanted: true }));
    case "retry":
      return isWaiting(state[event.lane]) ? go(withLane(state, event.lane, { phase: "idle" })) : stay(state);
    case "pushed":
      return state.push.phase === "busy" ? go(pushed(state, event.count, options)) : stay(state);
    case "pulled":
      return state.pull.phase === "busy" ? go(pulled(state, event.hasMore)) : stay(state);
    case "uploaded":
      return state.upload.phase === "busy" ? go(uploaded(state, event.count)) : stay(state);
    case "failed":
      return state[event.lane].phase === "busy" ? failed(state, event, options) : stay(state);
  }
}

const stay = (state: SyncState): SyncStep => ({ state, effects: [] });

const noTimers = (["poll", "push", "pull", "upload"] as const).map(
  (name) => ({ type: "timer", name, delayMs: null }) as const,
);

const withLane = (state: SyncState, lane: LaneName, change: Partial<Lane>): SyncState => ({
  ...state,
  [lane]: { ...state[lane], ...change },
});

const eachLane = (state: SyncState, change: (lane: Lane) => Lane): SyncState => ({
  ...state,
  push: change(state.push),
  pull: change(state.pull),
  upload: change(state.upload),
});

const isReady = ({ phase, wanted }: Lane): boolean => phase === "idle" && wanted;

const isWaiting = ({ phase }: Lane): boolean => phase === "backoff" || phase === "held";

const mayApply = ({ phase, online, pull }: SyncState): boolean =>
  phase === "running" && online && pull.phase === "idle" && !pull.wanted;

const apply = (state: SyncState, patch: PokePatch): SyncStep => ({
  state: withLane(state, "pull", { phase: "busy" }),
  effects: [{ type: "apply", patch }],
});

/** Ends a wait of our own: one that the server asked for lasts, and a request under way goes on. */
const wake = (lane: Lane): Lane =>
  lane.phase === "backoff" || lane.phase === "resting" ? { ...lane, phase: "idle" } : lane;

/** Goes on with the poll timer set anew. */
function begin(state: SyncState, { pollIntervalMs }: MachineOptions): SyncStep {
  if (state.phase !== "running" || !state.online) return stay(state);
  const { state: after, effects } = go(state);
  return { state: after, effects: [{ type: "timer", name: "poll", delayMs: pollIntervalMs }, ...effects] };
}

/** Starts what is wanted and may start. */
function go(state: SyncState): SyncStep {
  if (state.phase !== "running" || !state.online) return stay(state);
  const effects: SyncEffect[] = [];
  let after = state;
  const pushes = isReady(state.push);
  if (isReady(state.pull) && state.push.phase !== "busy" && (!pushes || state.pullWaited)) {
    after = { ...withLane(after, "pull", { phase: "busy", wanted: false }), pullWaited: false };
    effects.push({ type: "pull" });
  }
  if (pushes) {
    after = withLane(after, "push", { phase: "busy", wanted: false });
    effects.push({ type: "push", countMax: state.batchMax });
  }
  if (isReady(state.upload)) {
    after = withLane(after, "upload", { phase: "busy", wanted: false });
    effects.push({ type: "upload" });
  }
  return { state: after, effects };
}

/** Notes, when a push has ended, whether a pull has waited for it. */
const afterPush = (state: SyncState): SyncState => ({ ...state, pullWaited: isReady(state.pull) });

function pushed(state: SyncState, count: number, { batchMax }: MachineOptions): SyncState {
  // Nothing was sent: what was too large together is gone, and nothing is known of auth.
  if (count === 0) return { ...afterPush(state), push: { ...freshLane, wanted: state.push.wanted }, batchMax };
  return withLane({ ...afterPush(state), auth: "ok", push: wantedLane }, "pull", { wanted: true });
}

const pulled = (state: SyncState, hasMore: boolean): SyncState => ({
  ...state,
  auth: "ok",
  pull: { ...freshLane, wanted: state.pull.wanted || hasMore },
});

/** Another run after one that brought something: what it left aside may work now, and new files have come. */
function uploaded(state: SyncState, count: number): SyncState {
  if (count === 0) return { ...state, upload: { ...freshLane, wanted: state.upload.wanted } };
  return { ...state, auth: "ok", upload: wantedLane };
}

type Failed = Extract<SyncEvent, { readonly type: "failed" }>;

function failed(before: SyncState, { lane, failure, error }: Failed, options: MachineOptions): SyncStep {
  const ended = lane === "push" ? afterPush(before) : before;
  const again = withLane(ended, lane, { phase: "idle", wanted: true });
  const report: SyncEffect = { type: "report", error };
  const { mends } = before[lane];
  if (failure.kind === "too-large" && failure.sent > 1) return go({ ...again, batchMax: Math.floor(failure.sent / 2) });
  if (failure.kind === "mended" && mends < limits.syncMendsMax) return go(withLane(again, lane, { mends: mends + 1 }));
  const { change, effects } = waitAfter(lane, before[lane].failures + 1, failure, options);
  const auth = failure.kind === "auth" ? "required" : before.auth;
  const step = go(withLane({ ...again, auth }, lane, change));
  return { state: step.state, effects: [...effects, ...step.effects, report] };
}

interface Wait {
  readonly change: Partial<Lane>;
  readonly effects: readonly SyncEffect[];
}

/** How a lane waits after so many failures in a row. */
function waitAfter(lane: LaneName, failures: number, failure: SyncFailure, options: MachineOptions): Wait {
  const retryAfterMs = failure.kind === "transient" ? failure.retryAfterMs : null;
  const isTransient = failure.kind === "transient" || failure.kind === "mended";
  const isSpent = retryAfterMs === null && failures >= options.retry.maxAttempts;
  if (!isTransient || isSpent) return { change: { phase: "resting", failures }, effects: [] };
  // A Retry-After lengthens our own wait, it never shortens it.
  const delayMs = Math.max(retryAfterMs ?? 0, backoffMs(failures, options.retry, options.random()));
  const phase = retryAfterMs === null ? "backoff" : "held";
  return { change: { phase, failures }, effects: [{ type: "timer", name: lane, delayMs }] };
}
