// Owns: the WebSockets of one Durable Object: who may open one, and telling them that something has changed.
// Invariants:
//   1. The object may be evicted at any moment while sockets stay open: what is known of a socket stands in its attachment,
//      nothing in memory.
//   2. No socket is accepted before `auth` and `authorizeRoom` have said yes.
//   3. A poke says that something has changed, never what. The replica that pushed pulls by itself and is left out.

import { isPlasmaError } from "../../core/error.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import type { Authorized, PushOrigin, SyncHandlerOptions } from "../handler-options.ts";
import { refusalOf, refusalResponse } from "../sync/answer.ts";
import { authorize, checkIdentity } from "../sync/authorize.ts";
import { HandlerHooks } from "../sync/handler-hooks.ts";
import { parseSocketRequest, type SocketRequest } from "../sync/socket-request.ts";
import type { HibernatingSocket, ObjectContext } from "./object-context.ts";

// What workerd alone has, beside its module: the two ends of a socket, an answer that carries one, and a pair of messages.
declare const WebSocketPair: new () => { readonly 0: WebSocket; readonly 1: HibernatingSocket & { accept(): void } };
declare const WebSocketRequestResponsePair: new (request: string, response: string) => object;
interface UpgradeInit extends ResponseInit {
  readonly webSocket: WebSocket;
}

/** What sockets take of the object's options. */
export interface SocketOptions<Ctx = unknown> extends SyncHandlerOptions<Ctx> {
  /** Asked for each socket, after `auth`; false closes it. Default: whoever `auth` lets in may listen. */
  readonly authorizeRoom?: (input: { readonly ctx: Ctx; readonly room: string }) => boolean | Promise<boolean>;
}

/** Of a socket's other end. */
interface SocketOwner {
  readonly clientID: string | null;
  readonly replicaID: string | null;
}

const NORMAL_CLOSE = 1000;
const POKE = JSON.stringify({ type: "poke" });

export class ObjectSockets {
  readonly #ctx: ObjectContext;
  readonly #options: SocketOptions;
  readonly #hooks: HandlerHooks;

  constructor(ctx: ObjectContext, options: SocketOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#hooks = new HandlerHooks(options);
  }

  /** Answers a request for a socket. */
  async upgrade(request: Request): Promise<Response> {
    try {
      const asked = parseSocketRequest(request);
      const auth = await authorize(this.#options, asked.request);
      checkIdentity(auth, asked);
      if (!(await this.#mayListen(auth, asked))) return closedSocket(closeCodes.room, "auth/room");
      return this.#accept(auth, asked);
    } catch (error) {
      const refusal = refusalOf(error);
      this.#hooks.refused(refusal, error);
      // A page cannot read the status of an upgrade; the code of a close it can.
      if (isPlasmaError(error, "auth/unauthorized")) return closedSocket(closeCodes.unauthorized, error.code);
      return refusalResponse(refusal);
    }
  }

  /** Tells all sockets but those of `origin` that something has changed. */
  poke(origin: PushOrigin | null): void {
    for (const socket of this.#ctx.getWebSockets()) {
      if (origin !== null && isOf(origin, socket.deserializeAttachment() as SocketOwner)) continue;
      try {
        socket.send(POKE);
      } catch {
        // It is closing. Its client pulls when it is back.
        continue;
      }
    }
  }

  async #mayListen({ ctx }: Authorized, { room }: SocketRequest): Promise<boolean> {
    const { authorizeRoom } = this.#options;
    return authorizeRoom === undefined || (await authorizeRoom({ ctx, room })) === true;
  }

  #accept(auth: Authorized, { clientID, replicaID }: SocketRequest): Response {
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.#ctx.acceptWebSocket(ours);
    const owner: SocketOwner = { clientID: auth.clientID ?? clientID ?? null, replicaID: replicaID ?? null };
    ours.serializeAttachment(owner);
    return switchTo(theirs);
  }
}

/** Has the runtime answer pings itself, so that they do not wake the object. */
export function answerPings(ctx: ObjectContext): void {
  ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
}

/** The object's half of the closing handshake, without which the client would wait for a timeout. */
export function endClose(socket: HibernatingSocket, code: number): void {
  // Codes such as 1006 say what happened and may not be sent.
  socket.close(code >= 3000 && code <= 4999 ? code : NORMAL_CLOSE);
}

const isOf = (origin: PushOrigin, owner: SocketOwner): boolean =>
  owner.clientID === origin.clientID || (owner.replicaID !== null && owner.replicaID === origin.replicaID);

function closedSocket(code: number, reason: string): Response {
  const { 0: theirs, 1: ours } = new WebSocketPair();
  ours.accept();
  ours.close(code, reason);
  return switchTo(theirs);
}

const switchTo = (webSocket: WebSocket): Response =>
  new Response(null, { status: 101, webSocket } satisfies UpgradeInit as ResponseInit);
