// Owns: deleting users' databases, for deleteLocalData.
// Invariants:
//   1. Every mutation that was durable is either confirmed or returned: the outbox is read and emptied in one transaction,
//      after which no tab can append.
//   2. It never waits for another tab: what a tab keeps open is empty already, and goes when that tab lets go.

import { isPlasmaError, messageOf } from "../../core/error.ts";
import { decodeTagged } from "../../core/protocol/tagged-json.ts";
import { namesOf, openAsItIs, type LocalDataScope } from "./existing-databases.ts";
import { completed, resultOf, storageError } from "./idb-requests.ts";
import type { OutboxEntry } from "./store.ts";

/** A mutation that the server had not confirmed. */
export interface LostMutation {
  readonly clientID: string;
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
  /** Ms since the epoch at the call. */
  readonly timestamp: number;
}

export interface DeletedDatabase {
  readonly name: string;
  /** What the server had not confirmed, in order. */
  readonly lost: readonly LostMutation[];
}

/** Deletes the databases; `client/storage` when the browser refuses. */
export async function deleteDatabases(scope: LocalDataScope): Promise<readonly DeletedDatabase[]> {
  try {
    const names = await namesOf(scope);
    return await Promise.all(names.map(async (name) => ({ name, lost: await deleteOne(name) })));
  } catch (error) {
    if (isPlasmaError(error)) throw error;
    throw storageError(`its data cannot be deleted (${messageOf(error)})`, error);
  }
}

async function deleteOne(name: string): Promise<LostMutation[]> {
  const entries = await takeOutbox(name);
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onblocked = () => resolve();
    request.onerror = () => reject(request.error);
  });
  return entries.map(({ clientID, id, name: mutator, args, timestamp }) => ({
    clientID,
    id,
    name: mutator,
    args: decodeTagged(args),
    timestamp,
  }));
}

/** Reads the outbox and empties the database. */
async function takeOutbox(name: string): Promise<readonly OutboxEntry[]> {
  const database = await openAsItIs(name);
  try {
    const stores = [...(database?.objectStoreNames ?? [])];
    if (database === null || stores.length === 0) return [];
    const tx = database.transaction(stores, "readwrite");
    const done = completed(tx);
    const entries = stores.includes("outbox") ? resultOf<OutboxEntry[]>(tx.objectStore("outbox").getAll()) : [];
    for (const store of stores) tx.objectStore(store).clear();
    const [taken] = await Promise.all([entries, done]);
    return taken;
  } finally {
    database?.close();
  }
}
