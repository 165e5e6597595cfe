// The code of docs/guides/server-operations.md, region by region. The tests compile and run it.

// #region schema
import { count, defineMutators, defineSchema, eq, id, table, text, type MutatorInput } from "plasma-sync/core";

export interface Ctx {
  readonly userId: string;
}

export const todos = table("todos", {
  id: id(),
  title: text(),
  state: text({ enum: ["open", "done"] }).default("open"),
});
export const schema = defineSchema({ todos });
export const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schema, Ctx, { title: string }>) => {
    await db.insert(todos).values({ id: newId(), title: args.title });
  },
});
// #endregion

// #region serve
import { DatabaseSync } from "node:sqlite";
import { fromNodeSqlite, type AuthResult, type SqlExecutor, type SyncHandlerOptions } from "plasma-sync/server";
import { serve, type PlasmaServer } from "plasma-sync/server/node";

export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return db;
}

export const optionsOn = (executor: SqlExecutor): SyncHandlerOptions<Ctx> => ({
  schema,
  mutators,
  executor,
  schemaVersion: "1",
  auth: userOf,
});

export const start = (db: DatabaseSync, port: number): Promise<PlasmaServer> =>
  serve({
    ...optionsOn(fromNodeSqlite(db)),
    port,
    fetch: (request) => new Response(`Nothing at ${new URL(request.url).pathname}`, { status: 404 }),
  });
// #endregion

const userOf = (request: Request): AuthResult<Ctx> => {
  const userId = request.headers.get("x-user");
  return userId === null ? { ok: false, reason: "Sign in." } : { ok: true, clientGroupID: userId, ctx: { userId } };
};

// #region own-server
import type { Server } from "node:http";
import { createSyncHandler, type SyncHandler } from "plasma-sync/server";
import { createNodeHub, type NodeHub } from "plasma-sync/server/node";

export function addSockets(server: Server, options: SyncHandlerOptions<Ctx>): { handle: SyncHandler; hub: NodeHub } {
  const hub = createNodeHub(options);
  const handle = createSyncHandler({ ...options, coordinator: hub });
  server.on("upgrade", (request, socket, head) => hub.handleUpgrade(request, socket, head) || socket.destroy());
  return { handle, hub };
}
// #endregion

// #region hyperdrive
import { fromPostgres } from "plasma-sync/server/postgres";
import postgres from "postgres";

export interface Env {
  readonly HYPERDRIVE: { readonly connectionString: string };
}

export const worker = {
  async fetch(request: Request, env: Env, ctx: { waitUntil(promise: Promise<unknown>): void }): Promise<Response> {
    const sql = postgres(env.HYPERDRIVE.connectionString, { max: 5, fetch_types: false });
    const handle = createSyncHandler({ ...optionsOn(fromPostgres(sql)), waitUntil: (done) => ctx.waitUntil(done) });
    try {
      return await handle(request);
    } finally {
      ctx.waitUntil(sql.end());
    }
  },
};
// #endregion

// #region compaction
import { compactChangeLog, ensureSchema } from "plasma-sync/server";

const TWO_WEEKS_MS = 14 * 86_400_000;

export async function compact(executor: SqlExecutor): Promise<void> {
  await ensureSchema({ schema, executor });
  const { compactedTo, deleted, hasMore } = await compactChangeLog({ executor, keepMs: TWO_WEEKS_MS });
  console.info({ compactedTo, deleted, hasMore });
}
// #endregion

// #region scheduled
import { fromD1, type D1Like } from "plasma-sync/server";

export const scheduledWorker = {
  scheduled(_event: unknown, env: { readonly DB: D1Like }, ctx: { waitUntil(promise: Promise<unknown>): void }): void {
    ctx.waitUntil(compact(fromD1(env.DB)));
  },
};
// #endregion

// #region backup
import { backup } from "node:sqlite";

export const backUp = (db: DatabaseSync, path: string): Promise<unknown> => backup(db, path);
// #endregion

// #region past
import { snapshotAsOf } from "plasma-sync/server";

export async function titleThen(executor: SqlExecutor, cookie: string, todoID: string): Promise<unknown> {
  const tables = await snapshotAsOf({ schema, executor, cookie });
  return tables.get("todos")?.get(todoID)?.["title"];
}
// #endregion

// #region live
import { createServerDb, serverLiveSelect } from "plasma-sync/server";

export function watchOpen(executor: SqlExecutor, show: (open: number) => void): () => void {
  const db = createServerDb({ schema, executor });
  return serverLiveSelect({
    executor,
    tables: [todos],
    fetch: () => db.select({ open: count() }).from(todos).where(eq(todos.state, "open")),
    onChange: ([row]) => show(row?.open ?? 0),
    onError: (error) => console.error(error),
  });
}
// #endregion

// #region metrics
import type { PlasmaMetric, SyncServerError } from "plasma-sync/server";

export const observed = (executor: SqlExecutor): SyncHandlerOptions<Ctx> => ({
  ...optionsOn(executor),
  onMetric: ({ type, status, latencyMs, ...counters }: PlasmaMetric) =>
    console.info({ type, status, latencyMs, ...counters }),
  onError: ({ kind, message, mutation, cause }: SyncServerError) => {
    if (kind === "database") console.error(message, cause);
    else console.warn(kind, message, mutation);
  },
});
// #endregion

// #region limits
const PER_MINUTE_MAX = 600;

export function limited(executor: SqlExecutor, now: () => number): SyncHandlerOptions<Ctx> {
  let minute = 0;
  const requests = new Map<string, number>();
  return {
    ...optionsOn(executor),
    rateLimit: ({ auth }) => {
      const current = Math.floor(now() / 60_000);
      if (current !== minute) requests.clear();
      minute = current;
      const made = (requests.get(auth.ctx.userId) ?? 0) + 1;
      requests.set(auth.ctx.userId, made);
      return made <= PER_MINUTE_MAX
        ? { ok: true }
        : { ok: false, retryAfterSeconds: 60 - Math.floor((now() / 1000) % 60) };
    },
    cors: { origin: ["https://app.example.org"] },
  };
}
// #endregion
