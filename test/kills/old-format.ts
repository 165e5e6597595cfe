// Owns: a local database as an earlier release left it (format 2: one record per row), with work that is nowhere else.

import type { Written } from "./page-messages.ts";

const PENDING = 40;
/** Enough that they are moved into pages in several steps. */
const DRAFTS = 3_000;

/** Makes it, unless there is a database; resolves with what `writer` was promised. */
export function leaveOldDatabase(name: string, writer: string): Promise<readonly Written[]> {
  return new Promise((resolve, reject) => {
    let written: readonly Written[] = [];
    const request = indexedDB.open(name, 2);
    request.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion === 0) written = fill(request.result, must(request.transaction), writer);
    };
    request.onsuccess = () => {
      request.result.close();
      resolve(written);
    };
    // A newer format: the client has been here.
    request.onerror = () => (request.error?.name === "VersionError" ? resolve([]) : reject(request.error));
  });
}

function fill(database: IDBDatabase, tx: IDBTransaction, writer: string): readonly Written[] {
  database.createObjectStore("rows");
  database
    .createObjectStore("outbox", { keyPath: "order" })
    .createIndex("byClient", ["clientID", "id"], { unique: true });
  database.createObjectStore("clients", { keyPath: "clientID" });
  database.createObjectStore("meta");
  database.createObjectStore("blobs", { keyPath: "hash" }).createIndex("byWaiting", "waitingSince");
  database.createObjectStore("blobWrites", { keyPath: "writeID" });
  database.createObjectStore("blobChunks");
  const clientID = crypto.randomUUID();
  const written: Written[] = [];
  for (let id = 1; id <= PENDING; id++) {
    const seed = crypto.randomUUID().replaceAll("-", "");
    const made = { name: "write", args: { writer, entry: id, text: "of old" }, timestamp: Date.now(), seed };
    tx.objectStore("outbox").put({ order: id, clientID, id, ...made, base: null, schemaVersion: "1" });
    written.push({ entry: id });
  }
  for (let n = 1; n <= DRAFTS; n++) {
    const id = crypto.randomUUID();
    tx.objectStore("rows").put({ id, writer, n, text: "of old" }, ["drafts", id]);
    written.push({ draft: n });
  }
  tx.objectStore("clients").put({ clientID, lastID: PENDING });
  const numbers = { seq: PENDING, epoch: 1, nextOrder: PENDING + 1 };
  const meta = { replicaID: crypto.randomUUID(), schemaVersion: "1", ...numbers, cookie: null };
  tx.objectStore("meta").put({ ...meta, firstSync: { done: false, rows: 0 } }, "replica");
  return written;
}

function must<T>(value: T | null): T {
  if (value === null) throw new Error("an upgrade has a transaction");
  return value;
}
