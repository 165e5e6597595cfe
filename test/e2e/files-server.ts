// Owns: the server of the file tests as a process of its own, for tests that end it. Its arguments: a folder, a port, the origin
// of the pages. It prints "listening <port>".
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite } from "../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import { fromDirectory } from "../../packages/plasma-sync/src/server/node/from-directory.ts";
import { serve } from "../../packages/plasma-sync/src/server/node/serve.ts";
import { filesApp } from "./files-app.ts";

const [folder = "", port = "0", origin = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const database = new DatabaseSync(join(folder, "data.sqlite"), { timeout: 5000 });
database.exec("PRAGMA journal_mode = WAL");
const { schema, mutators } = filesApp(["image/*"]);
const server = await serve({
  schema,
  mutators,
  executor: fromNodeSqlite(database),
  schemaVersion: "1",
  port: Number(port),
  hostname: "127.0.0.1",
  cors: { origin: [origin] },
  blobs: { default: fromDirectory(join(folder, "files")) },
  auth: (request) => {
    const user = request.headers.get("x-user") ?? "";
    return { ok: true, clientGroupID: user, ctx: { user } };
  },
});
console.log(`listening ${server.port}`);
