// Owns: deleteLocalData, what an app calls at logout.

import { decodeTagged } from "../../core/protocol/tagged-json.ts";
import { resultOf } from "./idb-requests.ts";
import type { OutboxEntry } from "./store.ts";
import { databaseName } from "./layout.ts";

/** A mutation that never reached the server. */
export interface LostMutation {
  readonly clientID: string;
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
  readonly timestamp: number;
}

/**
 * Deletes the local data of an app on this device, of one user or of all. Returns the mutations that the server had not
 * confirmed. Close the clients first; one that is open in another tab lets go by itself.
 *
 * @example
 * await client.close();
 * const lost = await deleteLocalData({ dbName: "todo", clientGroupID: user.id });
 */
export async function deleteLocalData(options: { readonly dbName: string; readonly clientGroupID?: string }): Promise<readonly LostMutation[]> {
  const { dbName, clientGroupID } = options;
  const prefix = databaseName(dbName, "");
  const all = clientGroupID === undefined ? (await indexedDB.databases()).map(({ name }) => name ?? "") : [databaseName(dbName, clientGroupID)];
  const lost = await Promise.all(all.filter((name) => name.startsWith(prefix)).map(deleteOne));
  return lost.flat();
}

async function deleteOne(name: string): Promise<LostMutation[]> {
  const entries = await readOutbox(name);
  await resultOf(indexedDB.deleteDatabase(name));
  return entries.map((entry) => ({ clientID: entry.clientID, id: entry.id, name: entry.name, args: decodeTagged(entry.args), timestamp: entry.timestamp }));
}

async function readOutbox(name: string): Promise<readonly OutboxEntry[]> {
  // Opening without a version takes the database as it is; one that does not exist would be made, and is deleted next.
  const database = await resultOf(indexedDB.open(name));
  try {
    if (!database.objectStoreNames.contains("outbox")) return [];
    return await resultOf<OutboxEntry[]>(database.transaction("outbox").objectStore("outbox").getAll());
  } finally {
    database.close();
  }
}
