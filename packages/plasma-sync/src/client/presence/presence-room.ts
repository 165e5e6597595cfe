// Owns: PresenceRoom: one socket to one room, and what all who look at the room in this tab share: its state, and what this tab
// shows of itself. A socket of its own, beside the one that syncs: every tab is somebody, but one tab syncs for all.
// Invariants:
//   1. A change of what this tab shows goes out at once, the next no sooner than `presenceTickMs` later, and always the last one.
//   2. Each opening says all of it again: the server knows nothing of an old connection.
//   3. `state` keeps its identity until something in it has changed.

import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { parseServerFrame, type ClientFrame } from "../../core/protocol/realtime.ts";
import { sameValue } from "../../core/lib/deep-equal.ts";
import { callApp } from "../sync/app-callback.ts";
import { watchNetwork } from "../transport/network-state.ts";
import { watchWake } from "../transport/page-wake.ts";
import { ReconnectingSocket, type SocketStatus } from "../transport/reconnecting-socket.ts";
import type { SocketConstructor } from "../transport/socket-like.ts";
import { refusalOf, tokenFailure } from "../transport/socket-refusal.ts";
import { socketUrl, type SocketAddress, type SocketIdentity } from "../transport/socket-url.ts";
import { PresenceMembers } from "./presence-members.ts";
import { NOBODY, type PresenceState } from "./presence-state.ts";

export interface PresenceRoomOptions {
  readonly address: SocketAddress;
  readonly who: SocketIdentity;
  readonly backoff: { readonly initialDelayMs: number; readonly maxDelayMs: number };
  readonly env: Env;
  readonly WebSocketImpl: SocketConstructor | undefined;
}

export class PresenceRoom {
  readonly #options: PresenceRoomOptions;
  readonly #socket: ReconnectingSocket;
  readonly #members = new PresenceMembers();
  readonly #listeners = new Set<() => void>();
  readonly #ends: readonly (() => void)[];
  #state = NOBODY;
  /** What this tab shows; undefined: nothing, it only looks on. */
  #userInfo: unknown = undefined;
  /** It has changed since it was sent last. */
  #isUnsent = false;
  #sendTimer: TimerHandle | null = null;
  #staleTimer: TimerHandle | null = null;

  constructor(options: PresenceRoomOptions) {
    const { address, who, backoff, env, WebSocketImpl } = options;
    this.#options = options;
    const network = watchNetwork((online) => this.#socket.setOnline(online));
    this.#socket = new ReconnectingSocket({
      makeUrl: () => socketUrl(address, who),
      backoff,
      env,
      online: network.online(),
      WebSocketImpl,
      onOpen: () => this.#opened(),
      onText: (text) => this.#received(text),
      onStatus: (status) => this.#statusChanged(status),
      onUrlFailed: (error) => this.#show({ error: tokenFailure(error) }),
    });
    this.#ends = [() => network.close(), watchWake(() => this.#socket.wake())];
    this.#socket.start();
  }

  get state(): PresenceState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Shows this of the tab from now on. */
  update(userInfo: unknown): void {
    if (sameValue(userInfo, this.#userInfo)) return;
    this.#userInfo = userInfo;
    this.#isUnsent = true;
    if (this.#sendTimer === null) this.#send();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#socket.close();
    this.#stop(this.#sendTimer);
    this.#stop(this.#staleTimer);
    this.#listeners.clear();
  }

  #opened(): void {
    this.#isUnsent = false;
    const userInfo = this.#userInfo;
    const hello: ClientFrame = { type: "hello", ...(userInfo === undefined ? {} : { userInfo }) };
    this.#socket.send(JSON.stringify(hello));
  }

  /** Now, or when the network has taken what waits; at each opening anyway. */
  #send(): void {
    const frame: ClientFrame = { type: "presence", userInfo: this.#userInfo ?? null };
    if (this.#isUnsent && this.#socket.send(JSON.stringify(frame))) this.#isUnsent = false;
    else if (!this.#isUnsent || this.#state.connecting || this.#state.error !== null) return;
    this.#sendTimer = this.#options.env.setTimeout(() => {
      this.#sendTimer = null;
      this.#send();
    }, limits.presenceTickMs);
  }

  #received(text: string): void {
    const frame = parseServerFrame(text);
    if (frame === null) return;
    const isNews = this.#members.take(frame);
    if (frame.type !== "presence") return isNews ? this.#show(this.#shown()) : undefined;
    this.#show({ ...this.#shown(), connecting: false, error: null });
    if (this.#sendTimer === null) this.#send();
  }

  #statusChanged({ phase, auth }: SocketStatus): void {
    this.#stop(this.#staleTimer);
    this.#staleTimer = null;
    if (phase === "open") return;
    const refusal = refusalOf(this.#options.address.room, { phase, auth });
    this.#show({ connecting: phase !== "refused", error: refusal ?? this.#state.error });
    if (phase === "refused") this.#forget();
    else this.#staleTimer = this.#options.env.setTimeout(() => this.#forget(), limits.presenceStaleMs);
  }

  /** Who was there may have left long ago. */
  #forget(): void {
    this.#staleTimer = null;
    if (this.#members.clear()) this.#show(this.#shown());
  }

  #stop(timer: TimerHandle | null): void {
    if (timer !== null) this.#options.env.clearTimeout(timer);
  }

  #shown(): Pick<PresenceState, "all" | "peers" | "me"> {
    const { entries: all } = this.#members;
    if (all === this.#state.all) return { all, peers: this.#state.peers, me: this.#state.me };
    const { clientID } = this.#options.who;
    const peers = all.filter((entry) => entry.clientID !== clientID);
    const isSame = peers.length === this.#state.peers.length && peers.every((peer, i) => peer === this.#state.peers[i]);
    const me = all.find((entry) => entry.clientID === clientID) ?? null;
    return { all, peers: isSame ? this.#state.peers : peers, me };
  }

  #show(change: Partial<PresenceState>): void {
    const { all, peers, me, connecting, error } = { ...this.#state, ...change };
    const next: PresenceState = { all, peers, me, connecting, error };
    const isNews = (Object.keys(next) as (keyof PresenceState)[]).some((key) => next[key] !== this.#state[key]);
    if (!isNews) return;
    this.#state = next;
    for (const listener of this.#listeners) callApp(listener);
  }
}
