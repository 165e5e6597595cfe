// Owns: the socket of the tab that syncs: what it says of this client, and what its frames mean. Loaded when one opens.
// Invariants:
//   1. Each opening is followed by a pull: whatever was missed while no connection was open is in it, and a change after that
//      pull has read the database finds the connection open.
//   2. The server knows the client's cookie, as far as the connection carries it: after hello, each change of it is told.

import { isPlasmaError } from "../../core/error.ts";
import { parseServerFrame, type ClientFrame, type ServerFrame } from "../../core/protocol/realtime.ts";
import type { Poke, SubscribeSession } from "../plasma-client.ts";
import { PresenceMembers } from "../presence/presence-members.ts";
import { callApp } from "../sync/app-callback.ts";
import { watchWake } from "./page-wake.ts";
import { ReconnectingSocket, type SocketStatus } from "./reconnecting-socket.ts";
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
  /** What the server was told last. */
  #toldCookie: string | null = null;
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
      onUrlFailed: (error) => this.#urlFailed(error),
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
    return socketUrl({ url, room, token }, who);
  }

  #opened(): void {
    const { userInfo } = this.#options;
    const cookie = this.#session.cookie();
    this.#toldCookie = cookie;
    this.#send({
      type: "hello",
      ...(cookie === null ? {} : { cookie }),
      ...(userInfo === undefined ? {} : { userInfo }),
    });
    this.#onPoke();
  }

  #received(frame: ServerFrame | null): void {
    if (frame?.type === "poke") this.#onPoke(frame);
    const { onPresence } = this.#options;
    if (frame === null || onPresence === undefined || !this.#members.take(frame)) return;
    const { entries } = this.#members;
    callApp(() => onPresence(entries));
  }

  #clientChanged(): void {
    const { online, cookie } = this.#session.status.get();
    this.#socket.setOnline(online);
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
    if (status.auth === "required" && before.auth === "ok") {
      const message = "The socket's login was refused, also with a new token. It is tried again.";
      this.#session.report({ kind: "socket-refused", room, code: "auth/unauthorized", message });
    }
    if (status.phase === "refused") {
      const message = `The server lets this client not into the room "${room}": changes arrive by polling.`;
      this.#session.report({ kind: "socket-refused", room, code: "auth/room", message });
    }
  }

  #urlFailed(error: unknown): void {
    const message = isPlasmaError(error) ? error.message : `The socket's token could not be had: ${messageOf(error)}`;
    this.#session.report({ kind: "network", phase: "socket", message });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
