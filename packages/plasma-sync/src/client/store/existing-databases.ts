// Owns: replicas' databases as they lie on the device: which there are, and opening one in whatever version it has. For what must
// work even where the client cannot open it: deletion and export.

import { databaseName } from "./layout.ts";

/** Whose data: of one user of an app or, without `clientGroupID`, of all its users on this device. */
export interface LocalDataScope {
  readonly dbName: string;
  readonly clientGroupID?: string;
}

/** Names of databases; the one of a named user may not exist. */
export async function namesOf({ dbName, clientGroupID }: LocalDataScope): Promise<string[]> {
  if (clientGroupID !== undefined) return [databaseName(dbName, clientGroupID)];
  const prefix = databaseName(dbName, "");
  const databases = await indexedDB.databases();
  return databases.flatMap(({ name }) => (name?.startsWith(prefix) === true ? [name] : []));
}

/** The database in whatever version it has; null when there is none. */
export function openAsItIs(name: string): Promise<IDBDatabase | null> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    let isNew = false;
    request.onupgradeneeded = () => {
      isNew = true;
      request.transaction?.abort();
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => (isNew ? resolve(null) : reject(request.error));
  });
}
