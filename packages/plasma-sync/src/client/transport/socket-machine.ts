// Owns: the decisions of a socket that comes back, as a pure function: (state, event) → state and effects.
//
//   stopped ──start──► connecting ──opened──► open ──closed, silent──► waiting ──due, online, woken──► connecting
//                        │ ▲                   │
//                        │ └─ login refused ───┤ (the first time in a row: at once, with a new token)
//                        └── closed, too long, room refused ─┴─► waiting
//
// Invariants:
//   1. At most one connection, and one timer: it is due in connecting (too long), open (ping, then silence) and waiting.
//   2. A connection counts as proven once the server has sent something over it: a server can let in, and close at once.
//      So nothing makes attempts follow each other without waits that grow.
//   3. Every connection that dies is noticed: by its close, or by a ping without an answer.
//   4. A room that is closed to us is tried again after waits of its own, which grow to minutes: it opens when the document that
//      this client has just made reaches the server, or when its person is let in.
//   5. Waiting ends by its timer, the network's return, or the page's waking; offline there is no timer.

import * as limits from "../../core/limits.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import { backoffMs, type BackoffOptions } from "./backoff.ts";

export interface SocketState {
  readonly phase: "stopped" | "connecting" | "open" | "waiting";
  readonly online: boolean;
  /** The server has sent something over this connection. */
  readonly isProven: boolean;
  /** A ping has no answer yet. */
  readonly isPinging: boolean;
  /** Attempts in a row that came to nothing. */
  readonly failures: number;
  /** Times in a row that the login was refused. */
  readonly loginRefusals: number;
  /** Times in a row that the room was closed to us. */
  readonly roomRefusals: number;
}

export type SocketEvent =
  | { readonly type: "start" | "stop" | "online" | "offline" | "wake" | "opened" | "received" | "due" }
  /** The connection ended, or could not be made. */
  | { readonly type: "closed"; readonly code: number };

export type SocketEffect =
  /** Make a connection: ask for the URL first. */
  | { readonly type: "connect" }
  /** Forget the connection, and whatever it still brings. */
  | { readonly type: "drop" }
  | { readonly type: "ping" }
  /** Set the one timer anew; null: none. */
  | { readonly type: "timer"; readonly delayMs: number | null };

export interface SocketStep {
  readonly state: SocketState;
  readonly effects: readonly SocketEffect[];
}

export interface SocketMachineOptions extends BackoffOptions {
  /** A number in [0, 1). */
  readonly random: () => number;
}

export const initialSocketState = (online: boolean): SocketState => ({
  phase: "stopped",
  online,
  isProven: false,
  isPinging: false,
  failures: 0,
  loginRefusals: 0,
  roomRefusals: 0,
});

/** Decides what to do about an event. */
export function stepSocket(state: SocketState, event: SocketEvent, options: SocketMachineOptions): SocketStep {
  const { phase } = state;
  switch (event.type) {
    case "start":
      return phase === "stopped" ? connect(state, options) : stay(state);
    case "stop":
      return { state: initialSocketState(state.online), effects: [{ type: "drop" }, { type: "timer", delayMs: null }] };
    case "offline":
      return offline({ ...state, online: false });
    case "online":
      return woken({ ...state, online: true, failures: 0 }, options);
    case "wake":
      return woken(state, options);
    case "opened":
      return phase === "connecting" ? ping({ ...state, phase: "open" }) : stay(state);
    case "received":
      return phase === "open" ? received(state) : stay(state);
    case "closed":
      return phase === "connecting" || phase === "open" ? closed(state, event.code, options) : stay(state);
    case "due":
      return due(state, options);
  }
}

const stay = (state: SocketState): SocketStep => ({ state, effects: [] });

/** Offline there is nothing to wait for but the network. What is open may still work. */
function offline(state: SocketState): SocketStep {
  return state.phase === "waiting" ? { state, effects: [{ type: "timer", delayMs: null }] } : stay(state);
}

/** The network or the page is back: a connection from before may be dead without a word. */
function woken(state: SocketState, options: SocketMachineOptions): SocketStep {
  if (state.phase === "waiting" && state.online) return connect(state, options);
  return state.phase === "open" && !state.isPinging ? ping(state) : stay(state);
}

function connect(state: SocketState, options: SocketMachineOptions): SocketStep {
  if (!state.online) return wait(state, options);
  return {
    state: { ...state, phase: "connecting", isProven: false, isPinging: false },
    effects: [{ type: "timer", delayMs: limits.socketOpenMsMax }, { type: "connect" }],
  };
}

const ping = (state: SocketState): SocketStep => ({
  state: { ...state, isPinging: true },
  effects: [{ type: "ping" }, { type: "timer", delayMs: limits.socketPongMsMax }],
});

/** Anything that comes is a sign of life. */
function received(state: SocketState): SocketStep {
  const counts = { failures: 0, loginRefusals: 0, roomRefusals: 0 };
  const proven: SocketState = { ...state, ...counts, isProven: true, isPinging: false };
  return { state: proven, effects: state.isPinging ? [{ type: "timer", delayMs: limits.socketPingMs }] : [] };
}

function due(state: SocketState, options: SocketMachineOptions): SocketStep {
  const { phase, isPinging } = state;
  if (phase === "waiting") return connect(state, options);
  if (phase === "open" && !isPinging) return ping(state);
  return phase === "open" || phase === "connecting" ? failed(state, options) : stay(state);
}

function closed(state: SocketState, code: number, options: SocketMachineOptions): SocketStep {
  if (code === closeCodes.room) return failed({ ...state, roomRefusals: state.roomRefusals + 1 }, options);
  if (code !== closeCodes.unauthorized) return failed(state, options);
  const refused = { ...state, loginRefusals: state.loginRefusals + 1 };
  if (refused.loginRefusals > 1) return failed(refused, options);
  const { state: next, effects } = connect(refused, options);
  return { state: next, effects: [{ type: "drop" }, ...effects] };
}

function failed(state: SocketState, options: SocketMachineOptions): SocketStep {
  const { state: next, effects } = wait({ ...state, failures: state.failures + 1 }, options);
  return { state: next, effects: [{ type: "drop" }, ...effects] };
}

function wait(state: SocketState, options: SocketMachineOptions): SocketStep {
  const { online, failures, roomRefusals } = state;
  const backoff = roomRefusals > 0 ? limits.roomRetry : options;
  const delayMs = online ? backoffMs(Math.max(1, failures), backoff, options.random()) : null;
  return {
    state: { ...state, phase: "waiting", isProven: false, isPinging: false },
    effects: [{ type: "timer", delayMs }],
  };
}
