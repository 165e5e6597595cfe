// Owns: the socket of the tab that syncs: what it says of this client, and what its frames mean. Loaded when one opens.
// Invariants:
//   1. Each opening is followed by a pull: whatever was missed while no connection was open is in it, and a change after that
//      pull has read the database finds the connection open.
//   2. The server knows the client's cookie, as far as the connection carries it: after hello, each change of it is told, but
//      for those that came in a patch: the server knows them, and is further by the time that it hears.

import { parseServerFrame, type ClientFrame, type PokeFrame, type ServerFrame } from "../../core/protocol/realtime.ts";
import type { Poke, SubscribeSession } from "../plasma-client.ts";
import { PresenceMembers } from "../presence/presence-members.ts";
import { callApp } from "../sync/app-callback.ts";
import { watchWake } from "./page-wake.ts";
import { ReconnectingSocket, type SocketStatus } from "./reconnecting-socket.ts";
import { refusalOf, tokenFailure } from "./socket-refusal.ts";
import { socketUrl } from "./socket-url.ts";
import type { ResolvedSubscriptionOptions } from "./subscription-options.ts";

/** Opens it; returns how to close it. */
export function openSyncSocket(
  options: ResolvedSubscriptionOptions,
  onPoke: (poke?: Poke) => void,
  session: SubscribeSession,
): () => void {
  const socket = new SyncSocket(options, onPoke, session);
  return () => socket.close();
}

class SyncSocket {
  readonly #options: ResolvedSubscriptionOptions;
  readonly #onPoke: (poke?: Poke) => void;
  readonly #session: SubscribeSession;
  readonly #socket: ReconnectingSocket;
  readonly #members = new PresenceMembers();
  readonly #ends: readonly (() => void)[];
  /** What the server was told last, or told this client. */
  #toldCookie: string | null = null;
  /** The client's own, as it was last seen. */
  #ownCookie: string | null = null;
  #status: SocketStatus = { phase: "connecting", auth: "ok" };

  constructor(options: ResolvedSubscriptionOptions, onPoke: (poke?: Poke) => void, session: SubscribeSession) {
    const { initialReconnectDelayMs, maxReconnectDelayMs, WebSocketImpl } = options;
    this.#options = options;
    this.#onPoke = onPoke;
    this.#session = session;
    this.#socket = new ReconnectingSocket({
      makeUrl: () => this.#makeUrl(),
      backoff: { initialDelayMs: initialReconnectDelayMs, maxDelayMs: maxReconnectDelayMs },
      env: session.env,
      online: session.status.get().online,
      WebSocketImpl,
      onOpen: () => this.#opened(),
      onText: (text) => this.#received(parseServerFrame(text)),
      onStatus: (status) => this.#statusChanged(status),
      onUrlFailed: (error) => session.report(tokenFailure(error)),
    });
    this.#ends = [session.status.subscribe(() => this.#clientChanged()), watchWake(() => this.#socket.wake())];
    this.#socket.start();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#socket.close();
  }

  #makeUrl(): Promise<string> {
    const { url, room, token, clientID } = this.#options;
    const { clientGroupID, replicaID, schemaVersion } = this.#session;
    const who = { clientID: clientID ?? this.#session.clientID, clientGroupID, replicaID, schemaVersion };
    const presence = this.#options.onPresence === undefined ? "none" : undefined;
    return socketUrl({ url, room, token }, { ...who, presence });
  }

  #opened(): void {
    const { userInfo } = this.#options;
    const cookie = this.#session.cookie();
    this.#toldCookie = this.#ownCookie = cookie;
    this.#send({
      type: "hello",
      ...(cookie === null ? {} : { cookie }),
      ...(userInfo === undefined ? {} : { userInfo }),
    });
    this.#session.connected();
    this.#onPoke();
  }

  #received(frame: ServerFrame | null): void {
    if (frame?.type === "poke") this.#poked(frame);
    const { onPresence } = this.#options;
    if (frame === null || onPresence === undefined || !this.#members.take(frame)) return;
    const { entries } = this.#members;
    callApp(() => onPresence(entries));
  }

  #poked(poke: PokeFrame): void {
    // The server goes on from there. If the patch is not taken, a pull follows, and says otherwise.
    if (poke.patch !== undefined) this.#toldCookie = poke.patch.cookie;
    this.#onPoke(poke);
  }

  #clientChanged(): void {
    const { online, cookie } = this.#session.status.get();
    this.#socket.setOnline(online);
    if (cookie === this.#ownCookie) return;
    this.#ownCookie = cookie;
    if (cookie === null || cookie === this.#toldCookie) return;
    this.#toldCookie = cookie;
    this.#send({ type: "cookie", cookie });
  }

  #send(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #statusChanged(status: SocketStatus): void {
    const before = this.#status;
    this.#status = status;
    const { room } = this.#options;
    if (status.auth !== before.auth) this.#session.setAuth(status.auth);
    const refusal = refusalOf(room, status);
    if (refusal !== null && refusal.code !== refusalOf(room, before)?.code) this.#session.report(refusal);
  }
}
