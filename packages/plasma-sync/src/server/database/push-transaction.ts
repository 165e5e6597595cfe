// Owns: the seam between the push logic (server/sync) and the two ways to commit a push: interactive (SQLite on Node,
// Postgres) and buffered (D1, Durable Objects). `withPushTransaction` picks by `executor.interactive`.
// Invariants:
//   1. Everything of one push commits together with its clients' advances and outcomes, or not at all.
//   2. A mutation that throws leaves no write behind; earlier mutations of the push stay.
//   3. What `clients` says still holds at the commit (serializable transaction, or guard): else `fn` runs again from the
//      start, at most `limits.pushGuardRetriesMax` times, then `server/retry`. So `fn` has no effect outside `tx`.
//   4. A database error that is not the mutation's own fault (class "retry"/"conflict"), even one that the mutator caught,
//      ends the push with `server/retry`: nothing commits. One that is its fault refuses the mutation, caught or not.
//   5. `fn` asks `isFull` before each mutation that it would run, and stops there: what it returns covers a prefix. A buffered
//      transaction is full when its batch is, or when an earlier commit of this push broke a constraint: the mutations are
//      then halved until the culprit stands alone; if it fails again with the guard holding, `mutation` throws its error.
//   6. No error of an engine leaves unclassified: they are PlasmaErrors with the engine's error as `cause`.

import type { MutationStore } from "../../core/mutation/mutation-store.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "./sql-executor.ts";

/** What the server remembers of a client. */
export interface ClientRecord {
  readonly clientID: string;
  readonly clientGroupID: string;
  /** Null when the client never sent one. */
  readonly replicaID: string | null;
  readonly lastMutationID: number;
}

export interface RecordedRefusal {
  readonly clientID: string;
  readonly id: number;
  readonly error: { readonly code: string; readonly message: string };
}

/** Who makes the changes, for the log's origin columns. */
export interface MutationOrigin {
  readonly clientGroupID: string;
  readonly clientID: string;
  readonly replicaID: string | null;
  readonly mutationID: number;
}

/** What a mutation works on. */
export interface ServerStore extends MutationStore {
  /**
   * Reads what Plasma itself keeps. In a buffered transaction only what cannot change any more, or is under the guard, may
   * be read: log entries of tables that the mutation has read.
   */
  readLog(statement: SqlStatement): Promise<readonly SqlRow[]>;
  /** What was read of these blobs (by their keys) holds at the commit: none was collected, or the push runs again. */
  holdBlobs(keys: readonly string[]): void;
}

export interface PushTransaction {
  /** The clients of the push that the server knows, as of this transaction. */
  readonly clients: ReadonlyMap<string, ClientRecord>;
  /** Refusals recorded for ids of the push that were already processed. Others of those were applied, or it is long ago. */
  readonly refusals: readonly RecordedRefusal[];
  /**
   * Runs one mutation on a store of its own; its log entries carry `origin` (null: none, as raw SQL). If `run` throws, or the
   * database refuses a write (`constraint/*`, `data/invalid`), its writes are discarded and the error is thrown on. One after
   * another: never two at once.
   */
  mutation(origin: MutationOrigin | null, run: (store: ServerStore) => Promise<void>): Promise<void>;
  /**
   * Whether this transaction takes no further mutation (its batch is full, or a failed commit must find its culprit): the
   * push answers with the results so far, and the client goes on from there.
   */
  readonly isFull: boolean;
  /** Records that the client's id is processed (a log position), with its error when it was rejected. */
  advance(origin: MutationOrigin, error?: { readonly code: string; readonly message: string }): void;
}

export interface PushDeps {
  readonly executor: SqlExecutor;
  readonly schema: AnySchema;
  /** Milliseconds since the epoch, for created_at. */
  readonly now: () => number;
  /** Told of each guard conflict, for metrics. */
  readonly onGuardConflict?: () => void;
}

export interface PushScope {
  readonly clientGroupID: string;
  /** The ids in the body per client: whose records and refusals are read at the start. */
  readonly idsByClient: ReadonlyMap<string, readonly number[]>;
}

export type WithPushTransaction = <T>(
  deps: PushDeps,
  scope: PushScope,
  fn: (tx: PushTransaction) => Promise<T>,
) => Promise<T>;
