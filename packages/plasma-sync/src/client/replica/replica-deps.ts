// Owns: what a replica is made of and what it tells its owner.

import type { Env } from "../../core/lib/env.ts";
import type { Rejection } from "../../core/protocol/pull.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { Store, StoreCommit } from "../store/store.ts";
import type { PendingMutation, ServerOutcome } from "./pending-mutation.ts";
import type { ReplicaTransaction } from "./replica-transaction.ts";

/** Runs one mutation's mutator on a transaction. `ctx` was made once for the whole rebase. */
export type RunPending = (mutation: PendingMutation, transaction: ReplicaTransaction, ctx: unknown) => Promise<void>;

export interface ReplicaDeps {
  readonly schema: AnySchema;
  readonly store: Store;
  readonly runtime: QueryRuntime;
  readonly env: Env;
  readonly getContext: () => unknown;
  readonly run: RunPending;
  /** The tab's clientID at start; whether it was taken from an earlier page and so must be known to the store. */
  readonly clientID: string;
  readonly reusedClientID: boolean;
  /** Whether no other page uses the clientID: a copy of sessionStorage may hold it too. Asked once, after loading. */
  readonly ownsClientID: () => boolean;
  /** No server will add to what is here: that is all there is, so live queries are complete. */
  readonly isAlone?: boolean;
  readonly events: ReplicaEvents;
}

/** What the replica tells its owner. Called inside queue tasks: none may throw or wait. */
export interface ReplicaEvents {
  /** Own commits, for other tabs. */
  readonly committed: (commit: StoreCommit) => void;
  /** Entries of this or another tab have their order: they can be pushed. */
  readonly appended: () => void;
  /** New entries, confirmed entries, cookie or first sync changed. */
  readonly changed: () => void;
  readonly clientIDReplaced: (clientID: string) => void;
  readonly replayFailed: (mutation: PendingMutation, error: unknown) => void;
  /** The server refused a mutation that was in the outbox. */
  readonly rejected: (mutation: PendingMutation, rejection: Rejection) => void;
  /** The disk holds another replica than before: a tab has reset it, or the browser has deleted it. These were pending. */
  readonly reset: (gone: readonly PendingMutation[]) => void;
  /** Local writes failed and were taken back, or loading failed. */
  readonly storageFailed: (error: unknown) => void;
}

/** What the server has applied; `seed` names it also where its id is another. */
export interface AppliedMutation {
  readonly clientID: string;
  readonly id: number;
  readonly seed: string;
}

/** What `mutate` hands over. */
export interface MutationCall {
  readonly name: string;
  /** Tagged JSON. */
  readonly args: unknown;
  readonly seed: string;
  readonly timestamp: number;
  readonly schemaVersion: string;
  /** Hashes of files in `args` that must be uploaded before it may be pushed. */
  readonly files?: readonly string[];
  readonly outcome: ServerOutcome;
}
