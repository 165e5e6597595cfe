// Owns: the real parts of the todo app for tests in Node: its handler on SQLite in memory, its client on IndexedDB.
// #region indexeddb
import "fake-indexeddb/auto";
import { DatabaseSync } from "node:sqlite";
import { createPlasmaClient } from "plasma-sync/client";
import { createServerDb, createSyncHandler, ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { mutators } from "../src/mutators.ts";
import { PEOPLE } from "../src/people.ts";
import { schema, SCHEMA_VERSION, users } from "../src/schema.ts";
import { auth, serverMutators } from "../src/worker/sync-options.ts";

export async function openServer() {
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  await ensureSchema({ schema, executor });
  await createServerDb({ schema, executor })
    .insert(users)
    .values([...PEOPLE]);
  return createSyncHandler({ schema, mutators: serverMutators, executor, schemaVersion: SCHEMA_VERSION, auth });
}

export function openClient(userId: string, fetcher: (request: Request) => Promise<Response>) {
  return createPlasmaClient({
    schema,
    mutators,
    dbName: "todo",
    endpoint: "http://todo.test/sync",
    schemaVersion: SCHEMA_VERSION,
    clientGroupID: userId,
    getContext: () => ({ userId }),
    authHeaders: () => ({ "x-user": userId }),
    fetcher,
  });
}
// #endregion
