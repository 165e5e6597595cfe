// Owns: the seam to what is durable on the device: base rows, outbox, meta. `idb-store.ts` and `memory-store.ts` implement
// it; store.suite.ts holds both to it. The optimistic view is never stored: it is base rows + outbox replayed.
// Invariants:
//   1. Every write is one commit: all of it or nothing, numbered `seq` = previous + 1, whichever tab made it.
//   2. A write resolves only when it survives a killed process, and rejects with `client/storage` when it does not hold.
//   3. Outbox entries get `order` in the commit that appends them: one total order over all tabs of the replica.
//   4. `sync` commits carry the writer's epoch and are refused with `client/deposed` when another tab has taken over.
//   5. Writes carry the replicaID that the tab opened: after a reset by another tab they are refused with `client/deposed`.
//   6. One schema version at a time: that of the tab that opened last. It finds rows and outbox as they are and the cookie
//      forgotten; from then on every write and read of a tab of another version is refused with `client/outdated`.
//   7. The ids of a client are 1, 2, 3 … without a hole, but for those that were refused after they had been sent.
//   8. Rows of local-only tables are written by `append`, in one commit with the entries of the mutations that wrote them.
//   9. What `open` hands over, laid over what `cold` answers, is the state of the commit that `open` tells.

import type { Rejection } from "../../core/protocol/pull.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { IndexColumn } from "../ivm/source.ts";

/** One mutation waiting to be confirmed. */
export interface OutboxEntry {
  /** Position in the replica's total order. */
  readonly order: number;
  readonly clientID: string;
  readonly id: number;
  readonly name: string;
  /** The args' input in tagged JSON form, as pushed. */
  readonly args: unknown;
  /** Ms since the epoch at the call. */
  readonly timestamp: number;
  readonly seed: string;
  /** The pull cookie at the call. */
  readonly base: string | null;
  /** The schema version it was made with. */
  readonly schemaVersion: string;
  /** Hashes of the files in `args` that this device must have uploaded before the entry may be pushed. Absent: none. */
  readonly files?: readonly string[];
}

/**
 * An entry that is not durable yet: the store gives it its order, and its id, which is lower than this one where earlier ids
 * of its client have moved down since.
 */
export type NewOutboxEntry = Omit<OutboxEntry, "order">;

/** One base row's new value; null deletes. */
export interface BaseChange {
  readonly table: string;
  readonly id: string;
  readonly row: Row | null;
}

/** The effect of one durable commit: what other tabs need to follow. Plain data: it is broadcast. */
export type StoreCommit = CommitPlace &
  (
    | {
        readonly type: "append";
        readonly entries: readonly OutboxEntry[];
        /** Of local-only tables, in order. Absent where there are none. */
        readonly changes?: readonly BaseChange[];
      }
    | { readonly type: "sync"; readonly sync: SyncCommit }
  );

interface CommitPlace {
  /** Whose commit it is: a reset begins a replica anew, with numbers of its own. */
  readonly replicaID: string;
  readonly seq: number;
}

/** One step of syncing: a pull's patch, confirmed and refused entries, in one commit. */
export interface SyncCommit {
  readonly changes: readonly BaseChange[];
  /** The new cookie; undefined leaves it, null forgets it. */
  readonly cookie?: string | null;
  /**
   * Client → id: its outbox entries up to that id leave the outbox. By id and not by order, so that an entry of another
   * tab that the writer has not heard of yet leaves too.
   */
  readonly confirmed: { readonly [clientID: string]: number };
  /** Refused mutations: these entries leave the outbox; the tab that made one tells its app. */
  readonly rejected: readonly Rejection[];
  /** Entries that take the place of those with the same order (renumbering under a new clientID); the new client is registered. */
  readonly replace?: readonly OutboxEntry[];
  /** Refused before it was ever sent: the entry leaves, and the later ones of its client, unsent like it, move down by one id. */
  readonly unsent?: UnsentRejection;
  readonly firstSync?: FirstSync;
}

/** `seed` names the mutation for good: its id is given to another. */
export type UnsentRejection = Rejection & { readonly seed: string };

/** `seed` is absent where the refused entry was in the outbox no more. */
export type KeptRejection = Rejection & { readonly seed?: string };

export interface FirstSync {
  readonly done: boolean;
  /** Rows received so far. */
  readonly rows: number;
}

export interface StoreState {
  readonly replicaID: string;
  /** Number of the last commit. */
  readonly seq: number;
  readonly cookie: string | null;
  readonly firstSync: FirstSync;
  /** In order. */
  readonly outbox: readonly OutboxEntry[];
  /** Highest id that each known client has appended. */
  readonly lastIDs: ReadonlyMap<string, number>;
  /** The latest refusals, in order: for a tab whose own left the outbox in a commit that it has missed. */
  readonly refused: readonly KeptRejection[];
}

/** Where the replica is. */
export interface Reign {
  /** Of the tab that has taken over syncing last. */
  readonly epoch: number;
  /** Number of the last commit: whoever has not heard of all up to it reads the disk before it syncs. */
  readonly seq: number;
}

/** An order of one table's rows, and where in it. */
export interface ColdOrder {
  /** Ends with the id, which makes the order total. */
  readonly columns: readonly IndexColumn[];
  /** Only rows whose first columns equal these. */
  readonly prefix: readonly Value[];
  /** Only rows behind the place of these values, one for each column. Absent: from the beginning. */
  readonly from?: readonly Value[];
  readonly limit: number;
}

/** A piece of an order, without a hole. */
export interface ColdWindow {
  /** In order. */
  readonly rows: readonly Row[];
  /** Whether no row lies behind these. */
  readonly isEnd: boolean;
}

/**
 * Rows as they lie on disk, with the columns of the schema. They may lack what `open` handed over, and commits since then: the
 * caller lays both over them, and says with `seq` which commit it has heard of last. What holds a later one rejects with
 * `client/stale`: the caller waits until it has heard of that one, or reads all anew with `load`. After a reset, and when
 * another schema version has taken over, all reject as writes do.
 */
export interface ColdRows {
  /** Whether the table has no rows here: then there is nothing to ask for. Known after `open`. */
  isEmpty(table: string): boolean;
  /** Those of the rows that are there, in no order. */
  byID(table: string, ids: readonly string[], seq: () => number): Promise<readonly Row[]>;
  /** About the first `limit` rows of an order, possibly more; null where the disk does not serve the order. Any table's by id is served. */
  window(table: string, order: ColdOrder, seq: () => number): Promise<ColdWindow | null>;
  /** Hands over all rows of a table, by id, batch by batch as they are read; waits where `onRows` does. */
  stream(table: string, onRows: (rows: readonly Row[]) => void | Promise<void>, seq: () => number): Promise<void>;
}

export interface Store {
  /**
   * Opens, creating what is missing, and reads everything in one consistent snapshot. Rows are handed to `onRows` table
   * by table in batches of at most `limits.storeBatchRowsMax`, before the promise resolves, with the columns of the
   * schema whatever version wrote them. May be called again later to re-read (a tab that missed a commit).
   */
  load(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState>;
  /**
   * As `load`, but hands over only what the latest commits changed (a null row: there is none of that id), each id once, in
   * batches of at most `limits.storeBatchRowsMax`. All other rows are to be had from `cold`.
   */
  open(onChanges: (changes: readonly BaseChange[]) => void): Promise<StoreState>;
  /** The rows that `open` did not hand over. Before it, and after a `load`, nobody asks. */
  readonly cold: ColdRows;
  /**
   * Appends entries of one client. Its ids continue the highest that the store knows of it; a client unknown to the
   * store begins at 1. The commit holds the ids as they are stored. `changes` of local-only rows are written with them, or
   * alone: then there are no entries.
   */
  append(
    replicaID: string,
    entries: readonly NewOutboxEntry[],
    changes?: readonly BaseChange[],
  ): Promise<Extract<StoreCommit, { type: "append" }>>;
  /** Takes over syncing: the next epoch. From now on `sync` with a lower one is refused. */
  takeEpoch(replicaID: string): Promise<Reign>;
  /** Who syncs, and the number of the last commit, as of now: cheap, so that a tab can ask before it relies on either. */
  reign(replicaID: string): Promise<Reign>;
  sync(replicaID: string, epoch: number, commit: SyncCommit): Promise<Extract<StoreCommit, { type: "sync" }>>;
  /**
   * Deletes rows, outbox, cookie and clients and makes a new replicaID. Other tabs' writes are refused from then on. Rows of
   * the tables in `keep` stay: those that no server could give back.
   */
  reset(keep?: ReadonlySet<string>): Promise<void>;
  /** Ends use; open transactions finish. Called twice, it does nothing the second time. */
  close(): void;
}
