// Owns: RecentAuth: what `auth` said of the clients that pulled in this process lately, so that their sockets need not ask
// again: a client that is poked without a patch pulls, and the next poke carries one.
// Invariants:
//   1. Nothing is kept for longer than `limits.socketCtxMsMax`, nor for more clients than a hub has sockets.
//   2. It is found only by who `auth` said it was: the group is the login's, client and replica are of that group.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { Authorized } from "../authorized.ts";

export interface AuthorizedClient {
  readonly clientGroupID: string;
  readonly clientID: string | null;
  readonly replicaID: string | null;
}

interface Seen {
  readonly auth: Authorized;
  readonly at: number;
}

export class RecentAuth {
  readonly #env: Env;
  /** The oldest first. */
  readonly #seenByClient = new Map<string, Seen>();

  constructor(env: Env) {
    this.#env = env;
  }

  note(auth: Authorized, clientID: string, replicaID: string | null): void {
    const now = this.#env.now();
    const key = keyOf({ clientGroupID: auth.clientGroupID, clientID, replicaID });
    this.#seenByClient.delete(key);
    this.#seenByClient.set(key, { auth, at: now });
    for (const [oldest, { at }] of this.#seenByClient) {
      if (isFresh(at, now) && this.#seenByClient.size <= limits.hubSocketsMax) return;
      this.#seenByClient.delete(oldest);
    }
  }

  /** Null when it is not known, or for too long. */
  of(client: AuthorizedClient): Seen | null {
    const seen = this.#seenByClient.get(keyOf(client));
    return seen !== undefined && isFresh(seen.at, this.#env.now()) ? seen : null;
  }
}

/** A clock that was set back makes nothing fresh. */
const isFresh = (at: number, now: number): boolean => Math.abs(now - at) <= limits.socketCtxMsMax;

const keyOf = ({ clientGroupID, clientID, replicaID }: AuthorizedClient): string =>
  JSON.stringify([clientGroupID, clientID, replicaID]);
