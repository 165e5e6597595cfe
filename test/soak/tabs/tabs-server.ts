// Owns: the server of the five tabs as a process of its own: the page, the sync server on SQLite, and a log on stdout, a JSON line
// for each push that arrived and for each note of a page. Its argument: a folder.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { rolldown } from "rolldown";
import { fromNodeSqlite } from "../../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import { serve } from "../../../packages/plasma-sync/src/server/node/serve.ts";
import { mutators, schema } from "./tabs-app.ts";

const [folder = ""] = process.argv.slice(2);
const database = new DatabaseSync(join(folder, "data.sqlite"), { timeout: 5000 });
database.exec("PRAGMA journal_mode = WAL");
const files = await buildPage();

const log = (line: object): void => void process.stdout.write(`${JSON.stringify({ atMs: Date.now(), ...line })}\n`);

interface PushBody {
  readonly clientID: string;
  readonly mutations: readonly { readonly id: number; readonly clientID?: string }[];
}

const server = await serve({
  schema,
  mutators,
  executor: fromNodeSqlite(database),
  schemaVersion: "1",
  port: 0,
  hostname: "127.0.0.1",
  auth: async (request) => {
    if (new URL(request.url).pathname.endsWith("/push")) {
      const { clientID, mutations } = (await request.clone().json()) as PushBody;
      const ids = mutations.map(({ id, clientID: own = clientID }) => `${own}/${id}`);
      log({ what: "push", page: request.headers.get("x-page"), ids });
      // So that a test can do something in the middle of it.
      if (JSON.stringify(mutations).includes('"slow')) await delay(1_500);
    }
    return { ok: true as const, clientGroupID: "ada", ctx: null };
  },
  fetch: async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/note") {
      const [page = "", ...words] = (await request.text()).split(" ");
      log({ what: "note", page, note: words.join(" ") });
      return new Response(null, { status: 204 });
    }
    const file = files.get(pathname);
    if (file !== undefined) return new Response(file, { headers: { "content-type": "text/javascript" } });
    const script = pathname === "/tabs" ? `<script type="module" src="/tabs-page.js"></script>` : "";
    return new Response(`<!doctype html><title>tabs</title>${script}`, { headers: { "content-type": "text/html" } });
  },
});
log({ what: "listening", port: server.port });

/** Path → code. */
async function buildPage(): Promise<Map<string, string>> {
  const bundle = await rolldown({ input: join(import.meta.dirname, "tabs-page.ts"), platform: "browser" });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  return new Map(output.flatMap((file) => (file.type === "chunk" ? [[`/${file.fileName}`, file.code]] : [])));
}
