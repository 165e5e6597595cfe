// Owns: the servers of `propagate`, a process of their own: the sync server on SQLite, which serves the page too, and a bare
// relay that hands each message on to everybody else.
//   node server.ts <folder of the built page>      prints { syncPort, relayPort }; ends with its stdin

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { serve } from "plasma-sync/server/node";
import { WebSocketServer } from "ws";
import { mutators, schema } from "./work.ts";

const [page = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "plasma-propagate-"));
const database = new DatabaseSync(join(folder, "app.db"), { timeout: 5000 });
// FULL would add the disk's own time to each sample: `push-throughput` is about that.
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
const executor = fromNodeSqlite(database);
await ensureSchema({ schema, executor });

const TYPES: { readonly [extension: string]: string } = { ".html": "text/html", ".js": "text/javascript" };
const server = await serve({
  schema,
  mutators,
  executor,
  schemaVersion: "1",
  auth: (request) => {
    const user = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    return user === undefined ? { ok: false, reason: "Who?" } : { ok: true, clientGroupID: user, ctx: null };
  },
  port: 0,
  hostname: "127.0.0.1",
  handleSignals: false,
  // Isolated from other pages, so that its clock steps by 0.005 ms.
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    const path = pathname === "/" ? "/index.html" : pathname;
    if (!/^\/[\w./-]+$/.test(path) || path.includes("..")) return new Response("", { status: 404 });
    return new Response(readFileSync(join(page, path)), {
      headers: {
        "content-type": TYPES[extname(path)] ?? "text/plain",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      },
    });
  },
});

const relay = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
await new Promise((resolve) => relay.once("listening", resolve));
relay.on("connection", (socket) => {
  socket.on("message", (data) => {
    for (const other of relay.clients) if (other !== socket) other.send(String(data));
  });
});
const { port: relayPort } = relay.address() as { port: number };
console.log(JSON.stringify({ syncPort: server.port, relayPort }));

process.stdin.resume();
process.stdin.once("end", () => {
  rmSync(folder, { recursive: true });
  process.exit();
});
