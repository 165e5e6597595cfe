// Owns: the server that the notes sync with once that is switched on: SQLite and a folder of files, on this machine only.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite, runMigrations } from "plasma-sync/server";
import { fromDirectory, serve, type PlasmaServer } from "plasma-sync/server/node";
import { mutators } from "./src/mutators.ts";
import { schema, SCHEMA_VERSION } from "./src/schema.ts";

export async function startSyncServer({ folder, port }: { folder: string; port: number }): Promise<PlasmaServer> {
  mkdirSync(folder, { recursive: true });
  const executor = fromNodeSqlite(new DatabaseSync(join(folder, "notes.db"), { timeout: 5000 }));
  await runMigrations({ schema, executor });
  return serve({
    schema,
    mutators,
    executor,
    schemaVersion: SCHEMA_VERSION,
    blobs: { default: fromDirectory(join(folder, "files")) },
    // One person's notes on their own machine. Put a real login here before you let others in.
    auth: () => ({ ok: true, clientGroupID: "me", ctx: null }),
    port,
    hostname: "127.0.0.1",
    // Vite ends with the process, and so does this.
    handleSignals: false,
  });
}
