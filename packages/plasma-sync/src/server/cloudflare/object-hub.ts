// Owns: the hub of one Durable Object, on its hibernating sockets.
// Invariants:
//   1. The object may be evicted at any moment while sockets stay open: what is known of a socket is its attachment, and a
//      hub that starts takes up all sockets that are open.
//   2. Nothing keeps the object awake but a room that has news, or a member that may come back: the platform answers pings,
//      and dead sockets are looked for when something happens.

import type { Env } from "../../core/lib/env.ts";
import { PING, PONG } from "../../core/protocol/realtime.ts";
import type { Coordinator, PokeTarget } from "../realtime/coordinator.ts";
import { Hub } from "../realtime/hub.ts";
import type { HubSocket, SocketRecord } from "../realtime/hub-socket.ts";
import type { Admission, Listener } from "../realtime/listener.ts";
import { closedSocket, openSocket } from "./closed-socket.ts";
import type { HibernatingSocket, ObjectContext } from "./object-context.ts";

declare const WebSocketRequestResponsePair: new (request: string, response: string) => object;

const NORMAL_CLOSE = 1000;
/** The code of a socket that just ended. */
export const BROKEN_CLOSE = 1006;

export interface ObjectHubOptions {
  readonly env: Env;
  readonly deliver?: (listeners: readonly Listener[]) => void;
  readonly pulled?: NonNullable<Coordinator["pulled"]>;
}

export class ObjectHub implements Coordinator {
  readonly defaultRooms = null;
  readonly refuse = closedSocket;
  readonly pulled: NonNullable<Coordinator["pulled"]>;
  readonly #ctx: ObjectContext;
  readonly #hub: Hub;
  /** The platform hands out one object per socket for as long as this one is in memory. */
  readonly #sockets = new WeakMap<HibernatingSocket, HubSocket>();

  constructor(ctx: ObjectContext, options: ObjectHubOptions) {
    this.#ctx = ctx;
    this.pulled = options.pulled ?? (() => undefined);
    this.#hub = new Hub({ ...options, sweepMs: null });
    this.#hub.wake(ctx.getWebSockets().map((socket) => this.#seamOf(socket)));
  }

  get size(): number {
    return this.#hub.size;
  }

  get hasMembers(): boolean {
    return this.#hub.hasMembers;
  }

  /** Closes dead sockets of members. */
  sweep(): void {
    this.#hub.sweep();
  }

  accept(admission: Admission): Response {
    const { ours, answer } = openSocket();
    this.#ctx.acceptWebSocket(ours);
    this.#hub.join(this.#seamOf(ours), admission);
    return answer;
  }

  poke(target: PokeTarget): void {
    this.#hub.poke(target);
  }

  message(socket: HibernatingSocket, data: string | ArrayBuffer): void {
    this.#hub.receive(this.#seamOf(socket), data);
  }

  /** The platform tells of the end of a socket; without an answer to its close the client would wait for a timeout. */
  closed(socket: HibernatingSocket, code: number): void {
    this.#hub.leave(this.#seamOf(socket), code);
    // Codes such as 1006 say what happened and may not be sent.
    end(socket, code >= 3000 && code <= 4999 ? code : NORMAL_CLOSE, "");
  }

  #seamOf(socket: HibernatingSocket): HubSocket {
    let seam = this.#sockets.get(socket);
    if (seam === undefined) this.#sockets.set(socket, (seam = seamOf(this.#ctx, socket)));
    return seam;
  }
}

/** Has the runtime answer pings itself, so that they do not wake the object. */
export function answerPings(ctx: ObjectContext): void {
  ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
}

const seamOf = (ctx: ObjectContext, socket: HibernatingSocket): HubSocket => ({
  send: (text) => socket.send(text),
  close: (code, reason) => end(socket, code, reason),
  // workerd keeps what waits for a slow consumer outside of the object, and does not tell how much it is.
  bufferedBytes: () => null,
  lastPingAt: () => ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? null,
  keep: (record) => socket.serializeAttachment(record),
  kept: () => (socket.deserializeAttachment() as SocketRecord | undefined) ?? null,
});

function end(socket: HibernatingSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
    return;
  }
}
