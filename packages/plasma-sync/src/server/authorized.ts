// Owns: who a request is from, as the app's `auth` says, and whose push it was.

/** Who is asking, as the app's `auth` says. */
export interface Authorized<Ctx = unknown> {
  readonly ok: true;
  /** Names the user: the same on all their devices. Must equal the request's. */
  readonly clientGroupID: string;
  /** When given, it must equal the request's top-level clientID. */
  readonly clientID?: string;
  /** Handed to mutators and to the `auth` rules of tables. */
  readonly ctx: Ctx;
  /** Names what `ctx` lets its person see: when it changes, the client syncs anew. */
  readonly ctxKey?: string;
}
export type AuthResult<Ctx = unknown> = Authorized<Ctx> | { readonly ok: false; readonly reason: string };

/** Whose push it was: its replica will pull without being poked. */
export interface PushOrigin {
  readonly clientID: string;
  /** Null when it named none. */
  readonly replicaID: string | null;
}
