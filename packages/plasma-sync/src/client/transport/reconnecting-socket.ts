// Owns: a WebSocket that comes back: runs the machine's effects against the platform, and feeds back what happened. Why not a
// library: docs/decisions/0009.
// Invariants:
//   1. Nothing is queued: what is sent while no connection is open is refused. Whoever sends says at each opening what counts then.
//   2. What an old connection still brings reaches nobody.

import { isPlasmaError } from "../../core/error.ts";
import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { PING, PONG } from "../../core/protocol/realtime.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { SocketConstructor, SocketLike } from "./socket-like.ts";
import {
  initialSocketState,
  stepSocket,
  type SocketEffect,
  type SocketEvent,
  type SocketState,
} from "./socket-machine.ts";

export interface SocketStatus {
  /** "open" once the server has sent something; "refused" while the room is closed to us. It goes on trying. */
  readonly phase: "connecting" | "open" | "refused";
  /** "required": the login was refused, and so was the next one with a new token. It goes on trying. */
  readonly auth: "ok" | "required";
}

export interface ReconnectingSocketOptions {
  /** Asked before each attempt. */
  readonly makeUrl: () => Promise<string>;
  readonly backoff: BackoffOptions;
  readonly env: Env;
  readonly online: boolean;
  /** Default: the platform's WebSocket. */
  readonly WebSocketImpl: SocketConstructor | undefined;
  /** A connection is open: say hello. */
  readonly onOpen: () => void;
  /** A frame that is no answer to a ping. */
  readonly onText: (text: string) => void;
  /** Called when one of them has changed. */
  readonly onStatus: (status: SocketStatus) => void;
  /** The URL could not be made, so there was no attempt: what `makeUrl` threw. */
  readonly onUrlFailed: (error: unknown) => void;
}

/** Ready state of a socket that takes messages. */
const OPEN = 1;
/** What is seen of a connection that broke. */
const ABNORMAL_CLOSE = 1006;

export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  #state: SocketState;
  #status: SocketStatus = { phase: "connecting", auth: "ok" };
  #socket: SocketLike | null = null;
  /** Counts attempts, so that what an old one brings can be told. */
  #attempt = 0;
  #timer: TimerHandle | null = null;

  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
    this.#state = initialSocketState(options.online);
  }

  start(): void {
    this.#dispatch({ type: "start" });
  }

  close(): void {
    this.#dispatch({ type: "stop" });
  }

  setOnline(online: boolean): void {
    if (online !== this.#state.online) this.#dispatch({ type: online ? "online" : "offline" });
  }

  /** The page is shown again: look at once whether the connection is alive. */
  wake(): void {
    this.#dispatch({ type: "wake" });
  }

  /** Whether it was taken: not while no connection is open, nor while more waits than a slow network carries soon. */
  send(text: string): boolean {
    const socket = this.#socket;
    if (socket?.readyState !== OPEN || socket.bufferedAmount > limits.socketUnsentBytesMax) return false;
    socket.send(text);
    return true;
  }

  #dispatch(event: SocketEvent): void {
    const { env, backoff } = this.#options;
    const { state, effects } = stepSocket(this.#state, event, { ...backoff, random: () => env.random() });
    this.#state = state;
    for (const effect of effects) this.#run(effect);
    this.#tellStatus();
  }

  #tellStatus(): void {
    const { isProven, loginRefusals, roomRefusals } = this.#state;
    const phase = isProven ? "open" : roomRefusals > 0 ? "refused" : "connecting";
    const auth = loginRefusals > 1 ? "required" : "ok";
    if (phase === this.#status.phase && auth === this.#status.auth) return;
    this.#status = { phase, auth };
    this.#options.onStatus(this.#status);
  }

  #run(effect: SocketEffect): void {
    switch (effect.type) {
      case "connect":
        return void this.#connect((this.#attempt += 1));
      case "drop":
        return this.#drop();
      case "ping":
        return void this.send(PING);
      case "timer":
        return this.#setTimer(effect.delayMs);
    }
  }

  #setTimer(delayMs: number | null): void {
    const { env } = this.#options;
    if (this.#timer !== null) env.clearTimeout(this.#timer);
    this.#timer = delayMs === null ? null : env.setTimeout(() => this.#dispatch({ type: "due" }), delayMs);
  }

  #drop(): void {
    this.#attempt += 1;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  async #connect(attempt: number): Promise<void> {
    const { makeUrl, onUrlFailed, WebSocketImpl } = this.#options;
    try {
      const url = await makeUrl();
      if (attempt !== this.#attempt) return;
      this.#listen(new (WebSocketImpl ?? WebSocket)(url), attempt);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      onUrlFailed(error);
      // Another attempt would throw the same.
      const isFinal = isPlasmaError(error, "client/option");
      this.#dispatch(isFinal ? { type: "stop" } : { type: "closed", code: ABNORMAL_CLOSE });
    }
  }

  #listen(socket: SocketLike, attempt: number): void {
    this.#socket = socket;
    const on = (type: "open" | "message" | "close" | "error", listener: (event: SocketLikeEvent) => void) =>
      socket.addEventListener(type, (event: SocketLikeEvent) => {
        if (attempt === this.#attempt) listener(event);
      });
    on("open", () => {
      // Hello goes first.
      this.#options.onOpen();
      this.#dispatch({ type: "opened" });
    });
    on("message", ({ data }) => {
      this.#dispatch({ type: "received" });
      if (typeof data === "string" && data !== PONG) this.#options.onText(data);
    });
    on("close", ({ code }) => this.#dispatch({ type: "closed", code: code ?? ABNORMAL_CLOSE }));
    // A close follows. Node's `ws` throws an error that nobody listens to.
    on("error", () => undefined);
  }
}

/** What events of a socket have, as far as they have it. */
interface SocketLikeEvent {
  readonly data?: unknown;
  readonly code?: number;
}
