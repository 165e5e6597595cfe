// Owns: SyncCoordinator: the Durable Object that holds the sockets of one room, for sync servers whose database is elsewhere.
// Invariants:
//   1. Who a socket is comes by `expect`, which only Workers can call, or is nobody's word but the holder's of the shared token.
//   2. A ticket is good once and for a short time. One that is unknown lets nobody in.

import { DurableObject } from "cloudflare:workers";
import { systemEnv } from "../../core/lib/env.ts";
import { sha256 } from "../../core/lib/sha256.ts";
import * as limits from "../../core/limits.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import type { PushOrigin } from "../authorized.ts";
import type { CoordinatorStub } from "../realtime/coordinator.ts";
import type { SocketIdentity } from "../realtime/hub-socket.ts";
import { TICKET_HEADER } from "../realtime/namespace-coordinator.ts";
import { refusalOf, refusalResponse } from "../sync/answer.ts";
import { parseSocketRequest, type SocketRequest } from "../sync/socket-request.ts";
import { closedSocket } from "./closed-socket.ts";
import { answerPings, BROKEN_CLOSE, ObjectHub } from "./object-hub.ts";
import type { HibernatingSocket } from "./object-context.ts";

/** What the object reads of its Worker's environment. */
export interface CoordinatorEnv {
  /** Lets in whoever names it, for setups whose Worker passes requests on without asking who they are. Default: nobody. */
  readonly PLASMA_COORDINATOR_TOKEN?: string;
}

interface Expected {
  readonly identity: SocketIdentity;
  readonly until: number;
}

/**
 * The Durable Object that tells clients of changes and of each other, beside a Worker with D1 or Postgres. One object is
 * one room; its sockets hibernate. Give its namespace to `createSyncHandler` as `coordinator`: the handler asks `auth` and
 * `authorizeRoom`, then hands the socket over. Guide: docs/guides/realtime.md.
 *
 * @example
 * export { SyncCoordinator } from "plasma-sync/server/cloudflare";
 *
 * const handle = createSyncHandler({ …, coordinator: env.COORDINATOR, waitUntil: (promise) => ctx.waitUntil(promise) });
 */
export class SyncCoordinator extends DurableObject<CoordinatorEnv> implements CoordinatorStub {
  readonly #hub: ObjectHub;
  readonly #expected = new Map<string, Expected>();
  #willLook = false;

  constructor(...[ctx, env]: ConstructorParameters<typeof DurableObject<CoordinatorEnv>>) {
    super(ctx, env);
    answerPings(ctx);
    this.#hub = new ObjectHub(ctx, { env: systemEnv });
  }

  /** Called by the sync handler, before the request that carries the ticket. */
  async expect(ticket: string, identity: SocketIdentity): Promise<void> {
    const now = systemEnv.now();
    for (const [known, { until }] of this.#expected) if (until < now) this.#expected.delete(known);
    this.#expected.set(ticket, { identity, until: now + limits.socketTicketMsMax });
  }

  /** Tells all sockets that something has changed, but those of the push's origin. */
  async poke(origin: PushOrigin | null = null): Promise<void> {
    this.#hub.poke({ rooms: null, origin });
  }

  /** Opens a socket. */
  override async fetch(request: Request): Promise<Response> {
    const ticket = request.headers.get(TICKET_HEADER);
    return ticket === null ? this.#letInByToken(request) : this.#letInByTicket(ticket);
  }

  override async webSocketMessage(socket: HibernatingSocket, message: string | ArrayBuffer): Promise<void> {
    this.#hub.message(socket, message);
    await this.#lookLater();
  }

  /** Members that died without a word are found though nothing happens in the room. */
  override async alarm(): Promise<void> {
    this.#willLook = false;
    this.#hub.sweep();
    await this.#lookLater();
  }

  override webSocketClose(socket: HibernatingSocket, code: number): void {
    this.#hub.closed(socket, code);
  }

  override webSocketError(socket: HibernatingSocket): void {
    this.#hub.closed(socket, BROKEN_CLOSE);
  }

  /** An alarm, as a timer would keep the object in memory. Asked for once while it is in memory, not for each frame. */
  async #lookLater(): Promise<void> {
    if (this.#willLook || !this.#hub.hasMembers) return;
    this.#willLook = true;
    const { storage } = this.ctx;
    if ((await storage.getAlarm()) === null) await storage.setAlarm(systemEnv.now() + limits.socketSilenceMsMax);
  }

  #letInByTicket(ticket: string): Response {
    const expected = this.#expected.get(ticket);
    this.#expected.delete(ticket);
    // The object was restarted in between, or somebody made the ticket up: the client comes again and is asked again.
    if (expected === undefined || expected.until < systemEnv.now())
      return closedSocket(closeCodes.comeAgain, "auth/expired");
    return this.#hub.accept({ identity: expected.identity, auth: null, renew: null });
  }

  #letInByToken(request: Request): Response {
    try {
      const asked = parseSocketRequest(request);
      const token = this.env.PLASMA_COORDINATOR_TOKEN ?? "";
      if (token === "" || !isSame(asked.request.headers.get("authorization") ?? "", `Bearer ${token}`))
        return closedSocket(closeCodes.unauthorized, "auth/unauthorized");
      return this.#hub.accept({ identity: identityOf(asked), auth: null, renew: null });
    } catch (error) {
      return refusalResponse(refusalOf(error));
    }
  }
}

/** As it says of itself: whoever holds the token may say anything. */
const identityOf = (asked: SocketRequest): SocketIdentity => ({
  room: asked.room,
  clientGroupID: asked.clientGroupID ?? "",
  clientID: asked.clientID ?? null,
  replicaID: asked.replicaID ?? null,
  schemaVersion: asked.schemaVersion ?? null,
  wantsPresence: asked.wantsPresence,
});

/** Takes the same time wherever two texts differ: it compares their hashes. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => sha256(new TextEncoder().encode(text)));
  return left?.every((byte, i) => byte === right?.[i]) === true;
}
