// Owns: the seam between the sync handler and what holds the sockets: a hub in the same process, or a Durable Object.

import type { Authorized, PushOrigin } from "../authorized.ts";
import type { SocketIdentity } from "./hub-socket.ts";
import type { Admission } from "./listener.ts";

/** Whom a poke is for. */
export interface PokeTarget {
  /** Null: all of them. */
  readonly rooms: readonly string[] | null;
  /** Left out, as it pulls by itself. */
  readonly origin: PushOrigin | null;
  /** Without a patch, and also if the database has nothing new: rights may have changed elsewhere. */
  readonly isPlain?: boolean;
}

/** What holds the sockets. */
export interface Coordinator {
  /** The rooms of a push whose app names none; null: all that this one has. */
  readonly defaultRooms: readonly string[] | null;
  /** Tells sockets that something has changed. */
  poke(target: PokeTarget): void | Promise<void>;
  /** A client has pulled, and `auth` let it. */
  pulled?(auth: Authorized, clientID: string, replicaID: string | null): void;
  /** Opens the socket of a request that was let in. Absent where sockets are no answers to requests (Node). */
  accept?(admission: Admission): Response | Promise<Response>;
  /** Opens one and closes it, so that a page can read why. */
  refuse?(code: number, reason: string): Response;
}

/** A namespace of `SyncCoordinator` objects: `env.COORDINATOR`. */
export interface CoordinatorNamespace {
  // oxlint-disable-next-line typescript/no-explicit-any -- as each version of Cloudflare's types declares it
  idFromName(name: string): any;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  get(id: any): { fetch(request: Request): Promise<Response> };
}

/** What a `SyncCoordinator` answers to Workers, and to no request from outside. */
export interface CoordinatorStub {
  fetch(request: Request): Promise<Response>;
  /** Announces a socket: the request with this ticket is its. */
  expect(ticket: string, identity: SocketIdentity): Promise<void>;
  poke(origin: PushOrigin | null): Promise<void>;
}

/** The object of a room. */
export const stubOf = (namespace: CoordinatorNamespace, room: string): CoordinatorStub =>
  namespace.get(namespace.idFromName(room)) as unknown as CoordinatorStub;
