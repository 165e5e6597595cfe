// Owns: the server of the kill and fault tests as a process of its own: the sync handler over SQLite, and their pages. Its arguments: a folder,
// how many rows are there before the first page opens. It prints "listening <port>".

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { rolldown } from "rolldown";
import { createServerDb } from "../../packages/plasma-sync/src/server/server-db.ts";
import { fromNodeSqlite } from "../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import { ensureSchema } from "../../packages/plasma-sync/src/server/migration/ensure-schema.ts";
import { serve } from "../../packages/plasma-sync/src/server/node/serve.ts";
import { mutators, schema, stock } from "./kill-app.ts";

const ROWS_AT_ONCE = 500;

const [folder = "", stockRows = "0"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const database = new DatabaseSync(join(folder, "data.sqlite"), { timeout: 5000 });
database.exec("PRAGMA journal_mode = WAL");
const executor = fromNodeSqlite(database);
await ensureSchema({ schema, executor });
await fillStock(Number(stockRows));
const files = await bundle();
const server = await serve({
  schema,
  mutators,
  executor,
  schemaVersion: "1",
  port: 0,
  hostname: "127.0.0.1",
  auth: () => ({ ok: true, clientGroupID: "ada", ctx: {} }),
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/page" || pathname === "/faults")
      return html(`<script type="module" src="/${pathname === "/page" ? "kill" : "fault"}-page.js"></script>`);
    const code = files.get(pathname.slice(1));
    if (code === undefined) return new Response("", { status: 404 });
    return new Response(code, { headers: { "content-type": "text/javascript" } });
  },
});
console.log(`listening ${server.port}`);

const html = (body: string) =>
  new Response(`<!doctype html><title>page</title>${body}`, { headers: { "content-type": "text/html" } });

async function fillStock(count: number): Promise<void> {
  const db = createServerDb({ schema, executor });
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, count - first) }, (_, i) => ({
      id: `stock-${String(first + i).padStart(8, "0")}`,
      rank: first + i,
      text: "x".repeat(200),
    }));
    await db.insert(stock).values(rows);
  }
}

/** The page's script as a few files: it starts in a fraction of the time that the sources one by one take. */
async function bundle(): Promise<Map<string, string>> {
  const built = await rolldown({
    input: {
      "kill-page": `${import.meta.dirname}/kill-page.ts`,
      "fault-page": `${import.meta.dirname}/../e2e/fault-page.ts`,
    },
    platform: "browser",
  });
  const { output } = await built.generate({ format: "esm", entryFileNames: "[name].js" });
  await built.close();
  return new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file.code] as const] : [])));
}
