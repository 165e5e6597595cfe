// Owns: how a replica lies in IndexedDB: object stores, keys, the format's version and the steps between versions.
//
//   store        key                 record
//   journal      [seq, i]            BaseChange[]    what the commit `seq` changed, in pieces; later ones win over pages
//   pages        page                Page<Row>       rows of one table, by id
//   indexPages   page                Page<key>       keys of one index, in order
//   directories  [table, columns]    Directory       where a table's rows (columns "") or an index's keys lie
//   outbox       order               OutboxEntry     index byClient: [clientID, id]
//   clients      clientID            { clientID, lastID }
//   meta         "replica"           ReplicaMeta
//   blobs        hash                BlobRecord      index byWaiting: waitingSince (absent: uploaded)
//   blobWrites   writeID             BlobWriteRecord a write under way
//   blobChunks   [writeID, i]        ArrayBuffer     limits.blobChunkBytes each, but for the last
//   rows         [table, id]         a row that format 1 or 2 left and no fold has moved into pages yet
//
// Invariant: the journal, in order, laid over pages and `rows` (which have no id in common) is the state of `meta.seq`.
// Everything else about it: docs/storage-layout.md.
//
// History of FORMAT_VERSION (it only goes up; every step stays in `upgrade`):
//   1: first.
//   2: the bytes of files.
//   3: journal and pages; `rows` is read and emptied, never written.

import type { FirstSync, KeptRejection } from "./store.ts";

export const FORMAT_VERSION = 3;

/** What changes with every commit. */
export interface ReplicaMeta {
  readonly replicaID: string;
  readonly seq: number;
  readonly epoch: number;
  /** The order of the next outbox entry. */
  readonly nextOrder: number;
  readonly cookie: string | null;
  readonly firstSync: FirstSync;
  /** The latest, in order. Absent where none was ever told. */
  readonly refused?: readonly KeptRejection[];
  /** How many entries were refused before they were sent, ever: so much may the ids that a tab gives be ahead. Absent: none. */
  readonly unsentCount?: number;
  /** The app's, as whoever opened the database last has it. Absent in a database that nobody has opened since it is kept. */
  readonly schemaVersion?: string;
  readonly rows?: RowsMeta;
}

/** How a replica's rows lie; `noRows` where there are none. */
export interface RowsMeta {
  /** The number of the next page. */
  readonly nextPage: number;
  /** Changes in the journal, about: those that are folded. */
  readonly journalled: number;
  /** Table → the highest id in its journal, at least. */
  readonly lastIDs: { readonly [table: string]: string };
  /** Pages whose rows are in no index, about; a fold sets it right. */
  readonly unindexed: number;
  /** Whether `rows` holds any, of an older format. */
  readonly isLegacy: boolean;
  /** The number of the fold that may go on: who begins one takes the next number. */
  readonly fold: number;
}

export const noRows: RowsMeta = { nextPage: 1, journalled: 0, lastIDs: {}, unindexed: 0, isLegacy: false, fold: 0 };

export interface ClientRecord {
  readonly clientID: string;
  /** Highest id that it has appended. */
  readonly lastID: number;
}

/** Bytes of a file that are here, whole. */
export interface BlobRecord {
  readonly hash: string;
  /** Where the chunks lie. */
  readonly writeID: string;
  readonly chunkCount: number;
  readonly sizeBytes: number;
  /** Ms since the epoch of the last time that somebody wrote the same bytes. */
  readonly writtenAt: number;
  /** Ms since the epoch of the last use; may lag by `limits.blobUsedStepMs`. */
  readonly usedAt: number;
  /** Ms since the epoch from when on they wait for their upload; absent when the server holds them. */
  readonly waitingSince?: number | undefined;
}

/** Chunks that have no hash yet. */
export interface BlobWriteRecord {
  readonly writeID: string;
  /** Ms since the epoch of its last chunk. */
  readonly touchedAt: number;
}

/** The stores of files' bytes: a reset empties them too. */
export const BLOB_STORES = ["blobs", "blobWrites", "blobChunks"];

/** The meta of a replica that holds nothing. */
export const emptyMeta = (replicaID: string, schemaVersion = ""): ReplicaMeta => ({
  replicaID,
  schemaVersion,
  seq: 0,
  epoch: 0,
  nextOrder: 1,
  cookie: null,
  firstSync: { done: false, rows: 0 },
});

/**
 * The meta after an app of another schema version has opened the database: rows and outbox stay, and the replica syncs anew,
 * so that columns which the other version dropped are filled.
 */
export const takenOver = ({ rows = noRows, ...meta }: ReplicaMeta, schemaVersion: string): ReplicaMeta => ({
  ...meta,
  // A fold is to look whether the indexes are those of this schema.
  rows: { ...rows, unindexed: rows.unindexed + 1 },
  schemaVersion,
  cookie: null,
  epoch: meta.epoch + 1,
});

/** The name of the database of one user of one app: users never share one. */
export const databaseName = (dbName: string, clientGroupID: string): string =>
  `plasma:${encodeURIComponent(dbName)}:${encodeURIComponent(clientGroupID)}`;

/**
 * Takes a database from `oldVersion` (0: new) to FORMAT_VERSION, inside its versionchange transaction `tx`. Steps move no rows:
 * while they run, no tab can do anything.
 */
export function upgrade(database: IDBDatabase, oldVersion: number, tx: IDBTransaction): void {
  if (oldVersion < 1) {
    database.createObjectStore("rows");
    database
      .createObjectStore("outbox", { keyPath: "order" })
      .createIndex("byClient", ["clientID", "id"], { unique: true });
    database.createObjectStore("clients", { keyPath: "clientID" });
    database.createObjectStore("meta");
  }
  if (oldVersion < 2) {
    database.createObjectStore("blobs", { keyPath: "hash" }).createIndex("byWaiting", "waitingSince");
    database.createObjectStore("blobWrites", { keyPath: "writeID" });
    database.createObjectStore("blobChunks");
  }
  if (oldVersion < 3) {
    for (const name of ["journal", "pages", "indexPages", "directories"]) database.createObjectStore(name);
    const meta = tx.objectStore("meta");
    const read = meta.openCursor();
    read.onsuccess = () =>
      read.result?.update({ ...(read.result.value as ReplicaMeta), rows: { ...noRows, isLegacy: true } });
  }
}
