// Owns: a server as a process of its own on a SQLite file, for tests that end it. Its arguments: the file, a port.
// It prints "listening <port>".

import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { mutators, schema } from "../sync/sync-server.fixture.ts";
import { serve } from "./serve.ts";

const [file = "", port = "0"] = process.argv.slice(2);
const database = new DatabaseSync(file, { timeout: 5000 });
database.exec("PRAGMA journal_mode = WAL");
const server = await serve({
  schema,
  mutators,
  executor: fromNodeSqlite(database),
  schemaVersion: "1",
  port: Number(port),
  hostname: "127.0.0.1",
  auth: (request) => {
    const userId = request.headers.get("x-user") ?? "";
    return { ok: true, clientGroupID: userId, ctx: { userId } };
  },
});
console.log(`listening ${server.port}`);
