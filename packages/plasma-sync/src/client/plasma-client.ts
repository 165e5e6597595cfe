// Owns: the public types of the client: its options, what it offers, and what `mutate` returns.

import type { AnyMutators, MutatorArgs, MutatorName } from "../core/mutation/mutator.ts";
import type { Env } from "../core/lib/env.ts";
import type { Db } from "../core/query/db.ts";
import type { FileRef, JsonValue } from "../core/schema/value.ts";
import type { PokePatch } from "../core/protocol/realtime.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { FileContent, FileState, ReadOptions } from "./blobs/file-content.ts";
import type { OnFileProgress } from "./blobs/file-progress.ts";
import type { ClientStatusStore } from "./sync/client-status.ts";
import type { SyncClientError } from "./sync/sync-error.ts";

/** How failed requests are repeated. */
export interface RetryOptions {
  /** Attempts in a row before waiting for the next poll or `online` event. Default 5. */
  readonly maxAttempts?: number;
  /** Milliseconds before the second attempt; doubled each time, jittered. Default 500. */
  readonly initialDelayMs?: number;
  /** Longest wait in milliseconds. Default 30 000. */
  readonly maxDelayMs?: number;
}

/** A hint that something has changed on the server. With a patch that begins at the client's cookie no pull is needed. */
export interface Poke {
  readonly patch?: PokePatch;
}

/** What `subscribe` is told of the client, and tells it. */
export interface SubscribeSession {
  readonly clientID: string;
  readonly clientGroupID: string;
  readonly replicaID: string;
  readonly schemaVersion: string;
  /** The cookie of the last pull, null before the first. */
  cookie(): string | null;
  /** The client's status: among others `online` and `cookie`, as they change. */
  readonly status: ClientStatusStore;
  /** Clock, timers and randomness of the client. */
  readonly env: Env;
  /** A connection has opened: requests that rest since they failed are made again. */
  connected(): void;
  /** Whether the login was refused here; "required" shows in `status.auth`. */
  setAuth(auth: "ok" | "required"): void;
  /** For `onError` and `status.lastError`. */
  report(error: SyncClientError): void;
}

export interface PlasmaClientOptions<S extends AnySchema, M extends AnyMutators> {
  readonly schema: S;
  readonly mutators: M;
  /** Names the local database, together with `clientGroupID`. */
  readonly dbName: string;
  /** URL of the sync server, absolute or relative to the page: "/sync". May be left out with `offline: true`. */
  readonly endpoint: string;
  /**
   * The app's name for this state of its schema; compared for equality only. The local database is opened in place whatever
   * version made it, and tabs of other versions stop writing. Guide: docs/guides/migrations.md.
   */
  readonly schemaVersion: string;
  /** Names the user, the same on all their devices. */
  readonly clientGroupID: string;
  /** The mutators' `ctx`. Awaited before each run, once per rebase. */
  readonly getContext: () => unknown;
  /** Milliseconds between pulls. Default 5000. */
  readonly pollIntervalMs?: number;
  readonly retry?: RetryOptions;
  /** Rows scanned per page. Default: the server's. */
  readonly pullPageSize?: number;
  /** Headers of every request. Asked once more after a 401. */
  readonly authHeaders?: (who: {
    readonly clientID: string;
    readonly clientGroupID: string;
  }) => HeadersInit | Promise<HeadersInit>;
  /** Default: the platform's `fetch`. */
  readonly fetcher?: (request: Request) => Promise<Response>;
  /**
   * Tells the client when to pull, so that changes arrive at once; polling goes on as a safety net. Called when this tab begins
   * to sync; returns unsubscribe. `createWebSocketSubscription` makes one. Guide: docs/guides/realtime.md.
   */
  readonly subscribe?: (onPoke: (poke?: Poke) => void, session: SubscribeSession) => () => void;
  readonly onError?: (error: SyncClientError) => void;
  /**
   * What to do when the server has another schema version and does not serve this one; asked once for each such version.
   * "stay", the default: work on as if offline and ask again with every poll. "reset": delete everything local.
   */
  readonly onSchemaMismatch?: () => "stay" | "reset" | Promise<"stay" | "reset">;
  /** Given the mutations that a reset throws away, and those of this page that go with a database that the browser deletes. */
  readonly onReset?: (pending: readonly PendingMutationInfo[]) => void;
  /**
   * True: there is no server (yet). No request, socket or timer; mutations gather in the outbox, and a client that is made
   * with false later, for the same `dbName` and `clientGroupID`, sends them. Default false. Guide: docs/guides/offline.md.
   */
  readonly offline?: boolean;
  /** Told of each step of a file: while it is hashed and stored here, and while it is uploaded. Guide: docs/guides/files.md. */
  readonly onFileProgress?: OnFileProgress;
  /**
   * Bytes of files that are kept on the device although the server has them too: the least recently used go first. Files that
   * only this device has are kept in any case. Default 512 MiB.
   */
  readonly fileCacheBytes?: number;
  /** "memory" keeps nothing. Default "indexeddb". */
  readonly storage?: "indexeddb" | "memory";
  /** "strict" also survives power loss, at a higher price per write. Default "relaxed", which survives a killed process. */
  readonly durability?: "relaxed" | "strict";
  /** Clock, timers and randomness. Default: the platform's. */
  readonly env?: Env;
}

/** The options of a client without a server: it needs no endpoint. */
export type OfflineClientOptions<S extends AnySchema, M extends AnyMutators> = Omit<
  PlasmaClientOptions<S, M>,
  "endpoint"
> & { readonly endpoint?: string; readonly offline: true };

/** A mutation that the server has not confirmed. */
export interface PendingMutationInfo {
  readonly clientID: string;
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
  /** Ms since the epoch at the call. */
  readonly timestamp: number;
  readonly state: "queued" | "held" | "sent" | "applied";
  readonly attempts: number;
  readonly lastError?: string;
}

/** Resolves when the mutation is in the view and durable on the device. */
export interface MutationPromise extends Promise<void> {
  /**
   * Resolves when the server has applied it; rejects with MutationRejectedError when it refused. Ignoring it is fine: it
   * never raises `unhandledrejection`.
   */
  readonly server: Promise<{ clientID: string; id: number }>;
}

/** A mutator's args as `mutate` takes them: a File or Blob wherever the mutator gets a FileRef. */
export type WithFiles<A> = [JsonValue] extends [A]
  ? A
  : A extends FileRef
    ? A | Blob
    : A extends string | number | bigint | boolean | null | undefined | Uint8Array
      ? A
      : { [K in keyof A]: WithFiles<A[K]> };

export type ArgsList<A> = unknown extends A ? [args?: unknown] : undefined extends A ? [args?: A] : [args: A];

/**
 * `mutate(name, args)` and `mutate.name(args)`. Files in the args are hashed and stored first, so such a mutation is made, and
 * takes its place in the order, a while after the call: calls that come later may overtake it. Await it where that matters.
 */
export type Mutate<M extends AnyMutators> = {
  readonly [N in MutatorName<M>]: (...args: ArgsList<WithFiles<MutatorArgs<M, N>>>) => MutationPromise;
} & (<N extends MutatorName<M>>(name: N, ...args: ArgsList<WithFiles<MutatorArgs<M, N>>>) => MutationPromise);

export interface PlasmaClient<S extends AnySchema = AnySchema, M extends AnyMutators = AnyMutators> {
  readonly schema: S;
  /** Reads and live queries. Writing through it throws `client/write-outside-mutator`. */
  readonly db: Db;
  readonly clientID: string;
  readonly clientGroupID: string;
  /** Runs a mutator: at once on the local view, later on the server. */
  readonly mutate: Mutate<M>;
  /** A random id. */
  newId(): string;
  /** Pulls now; resolves when that attempt has ended, also when it failed (see `status` and `onError`), at once when offline. */
  pullOnce(): Promise<void>;
  /** Pushes now; resolves when that attempt has ended, also when it failed, at once when offline. */
  pushOnce(): Promise<void>;
  /** Begins to sync. A new client has begun already. */
  start(): void;
  /** Ends syncing; queries and mutations go on locally. */
  stop(): void;
  /** Resolves when every mutation is durable, and its files, one push and one pull have been tried (offline: none). */
  flush(): Promise<void>;
  /**
   * Deletes everything local, pending mutations included, and syncs anew.
   *
   * @throws PlasmaError `client/offline` with `offline: true`.
   */
  resetLocalState(): Promise<void>;
  readonly status: ClientStatusStore;
  pending(): Promise<readonly PendingMutationInfo[]>;
  /**
   * The bytes of a file, from this device or, where it has none, from the server; they are kept for the next time. Resolves
   * also when there are none. `signal` gives a download up. Guide: docs/guides/files.md.
   *
   * @throws the signal's reason; PlasmaError `client/closed`, `client/storage`, `client/option` for what is no FileRef.
   * @example
   * const file = await client.readFile(note.image);
   * if ("bytes" in file) image.src = URL.createObjectURL(file.bytes);
   */
  readFile(ref: FileRef, options?: ReadOptions): Promise<FileContent>;
  /**
   * Calls `listener` with a file's state, soon and whenever it changes: while it comes, while it is uploaded by whichever tab,
   * when it is there. What did not come is asked for again in a while. Returns unwatch.
   */
  watchFile(ref: FileRef, listener: (state: FileState) => void): () => void;
  /** Ends use of the client; the local database stays. */
  close(): Promise<void>;
  /** For type inference only. */
  readonly $mutators?: M;
}
