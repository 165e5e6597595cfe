// The code that the operations guide shows is a program that the compiler checks; here it runs.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { createPlasmaClient } from "plasma-sync/client";
import { createSyncHandler, fromNodeSqlite, type SyncHandler } from "plasma-sync/server";
import {
  addSockets,
  backUp,
  compact,
  limited,
  mutators,
  observed,
  openDatabase,
  optionsOn,
  schema,
  start,
  titleThen,
  todos,
  watchOpen,
  worker,
} from "../../docs/guides/server-operations-examples.ts";
import { usePostgres } from "../../packages/plasma-sync/src/server/database/postgres-server.fixture.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

const postgres = usePostgres();
const folder = mkdtempSync(join(tmpdir(), "plasma-guide-"));
afterAll(() => rmSync(folder, { recursive: true }));

const clientOf = (send: SyncHandler, dbName = "guide") =>
  createPlasmaClient({
    schema,
    mutators,
    dbName,
    endpoint: "http://guide.test/sync",
    schemaVersion: "1",
    clientGroupID: "ada",
    getContext: () => ({ userId: "ada" }),
    authHeaders: () => ({ "x-user": "ada" }),
    storage: "memory",
    pollIntervalMs: 3_600_000,
    fetcher: send,
  });

test("the guide shows its program, region by region", () => {
  expect(blocksOf("server-operations.md")).toEqual(regionsOf("server-operations-examples.ts"));
});

test("the server on Node: health, a client, a dashboard, the past, a compaction, a backup", async () => {
  const db = openDatabase(join(folder, "app.db"));
  const executor = fromNodeSqlite(db);
  const server = await start(db, 0);
  const urlOf = (path: string) => `http://127.0.0.1:${server.port}${path}`;
  expect((await fetch(urlOf("/health"))).status).toBe(200);
  expect(await (await fetch(urlOf("/about"))).text()).toBe("Nothing at /about");
  const client = clientOf(async (request) => {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(urlOf(pathname + search), request));
  });
  await client.mutate.add({ title: "first" }).server;
  await client.pullOnce();
  const cookie = client.status.get().cookie as string;
  const open = vi.fn<(open: number) => void>();
  const stop = watchOpen(executor, open);
  await vi.waitFor(() => expect(open).toHaveBeenLastCalledWith(1));
  const [first] = await client.db.select().from(todos);
  await client.mutate.add({ title: "second" }).server;
  await vi.waitFor(() => expect(open).toHaveBeenLastCalledWith(2), { timeout: 5000 });
  stop();
  db.exec("UPDATE todos SET title = 'renamed'");
  expect(await titleThen(executor, cookie, first?.id ?? "")).toBe("first");
  const info = vi.spyOn(console, "info").mockReturnValue();
  await compact(executor);
  expect(info).toHaveBeenLastCalledWith({ compactedTo: 0, deleted: 0, hasMore: false });
  info.mockRestore();
  await backUp(db, join(folder, "backup.db"));
  await client.close();
  await server.close();
  db.close();
  const restored = new DatabaseSync(join(folder, "backup.db"));
  expect(restored.prepare("SELECT count(*) AS n FROM todos").get()).toMatchObject({ n: 2 });
  restored.close();
});

test("the Worker opens and ends a connection per request", async () => {
  const sql = await postgres.open();
  const { host, port, user } = sql.options;
  const [{ schema: name } = { schema: "" }] = await sql<{ schema: string }[]>`SELECT current_schema() AS schema`;
  const search = new URLSearchParams({ search_path: name });
  const env = { HYPERDRIVE: { connectionString: `postgres://${user}@${host[0]}:${port[0]}/postgres?${search}` } };
  const waiting: Promise<unknown>[] = [];
  const client = clientOf((request) =>
    worker.fetch(request, env, { waitUntil: (promise) => void waiting.push(promise) }),
  );
  await client.mutate.add({ title: "far" }).server;
  await client.close();
  await Promise.all(waiting);
  expect(await sql`SELECT title FROM todos`).toMatchObject([{ title: "far" }]);
});

test("metrics are logged, and requests beyond the limit wait", async () => {
  const info = vi.spyOn(console, "info").mockReturnValue();
  const client = clientOf(createSyncHandler(observed(fromNodeSqlite(new DatabaseSync(":memory:")))), "observed");
  await client.mutate.add({ title: "seen" }).server;
  expect(info.mock.calls.map(([metric]) => metric)).toContainEqual(
    expect.objectContaining({ type: "push", status: 200, applied: 1 }),
  );
  await client.close();
  info.mockRestore();
  const handle = createSyncHandler(limited(fromNodeSqlite(new DatabaseSync(":memory:")), () => 90_000));
  const pull = () =>
    handle(
      new Request("http://guide.test/sync/pull?protocolVersion=1&schemaVersion=1&clientGroupID=ada&clientID=c", {
        headers: { "x-user": "ada", origin: "https://app.example.org" },
      }),
    );
  for (let i = 0; i < 600; i++) expect((await pull()).status).toBe(200);
  const { status, headers } = await pull();
  expect([status, headers.get("retry-after"), headers.get("access-control-allow-origin")]).toEqual([
    429,
    "30",
    "https://app.example.org",
  ]);
});

test("sockets on a server of the app's own: a push is told there", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { handle, hub } = addSockets(server, optionsOn(fromNodeSqlite(new DatabaseSync(":memory:"))));
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sync/coordinator`, { headers: { "x-user": "grace" } });
  await once(socket, "open");
  const told = once(socket, "message");
  const client = clientOf(handle, "sockets");
  await client.mutate.add({ title: "told" }).server;
  expect(String((await told)[0])).toBe('{"type":"poke"}');
  await client.close();
  const ended = once(socket, "close");
  await hub.close();
  expect((await ended)[0]).toBe(1012);
  server.close();
});
