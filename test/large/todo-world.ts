// Owns: the todo app with its large list, as people get it: the page as it is built for production, and a server in this process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { D1Database } from "@cloudflare/workers-types";
import react from "@vitejs/plugin-react";
import { createServerDb, ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { serve } from "plasma-sync/server/node";
import { build, preview } from "vite";
import { schema, SCHEMA_VERSION } from "../../examples/todo/src/schema.ts";
import { seedWhenEmpty } from "../../examples/todo/src/worker/seed.ts";
import { auth, mayEnter, serverMutators } from "../../examples/todo/src/worker/sync-options.ts";

const APP = fileURLToPath(new URL("../../examples/todo", import.meta.url));

export interface LargeTodo {
  /** Of the large list. */
  readonly url: string;
  close(): Promise<void>;
}

/** Builds the page, fills the server with a list of `count` todos, and starts both on one port. */
export async function startLargeTodo(count: number): Promise<LargeTodo> {
  const folder = mkdtempSync(join(tmpdir(), "plasma-large-"));
  const [server] = await Promise.all([startServer(count), buildPage(folder)]);
  const page = await preview({
    root: APP,
    configFile: false,
    logLevel: "error",
    build: { outDir: folder },
    preview: {
      host: "127.0.0.1",
      port: 0,
      proxy: { "/sync": { target: `http://127.0.0.1:${server.port}`, ws: true } },
    },
  });
  return {
    url: `${page.resolvedUrls?.local[0]}#/list/seed-large`,
    close: async () => {
      await page.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function buildPage(outDir: string): Promise<void> {
  await build({
    root: APP,
    configFile: false,
    logLevel: "error",
    plugins: [react()],
    build: { outDir, emptyOutDir: true },
  });
}

async function startServer(count: number) {
  const database = new DatabaseSync(":memory:");
  const executor = fromNodeSqlite(database);
  await ensureSchema({ schema, executor });
  await seedWhenEmpty(asD1(database), count);
  return serve({
    schema,
    mutators: serverMutators,
    executor,
    schemaVersion: SCHEMA_VERSION,
    auth,
    authorizeRoom: ({ ctx, room }) => mayEnter(createServerDb({ schema, executor }), ctx, room),
    port: 0,
    hostname: "127.0.0.1",
    handleSignals: false,
  });
}

/** What the seed uses of D1. */
function asD1(database: DatabaseSync): D1Database {
  const prepare = (text: string) => ({
    first: () => Promise.resolve(database.prepare(text).get() ?? null),
    bind: (json: string) => ({ run: () => database.prepare(text).run(json) }),
  });
  const batch = (statements: readonly { run(): unknown }[]) => {
    database.exec("BEGIN");
    for (const statement of statements) statement.run();
    database.exec("COMMIT");
    return Promise.resolve([]);
  };
  return { prepare, batch } as unknown as D1Database;
}
