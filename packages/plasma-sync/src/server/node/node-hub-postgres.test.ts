// Several processes of Node on one real Postgres: what one commits, the sockets of all others are told.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Sql } from "postgres";
import { afterEach, expect, test, vi } from "vitest";
import { fromPostgres } from "../database/from-postgres.ts";
import { usePostgres } from "../database/postgres-server.fixture.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { mutation, RawClient, schema } from "../sync/sync-server.fixture.ts";
import { connect, sendTo, startNode } from "./node-sockets.fixture.ts";

const postgres = usePostgres();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const until = (assertion: () => void | Promise<void>) => vi.waitFor(assertion, { timeout: 20_000, interval: 5 });

async function database(): Promise<Sql> {
  const sql = await postgres.open();
  await ensureSchema({ schema, executor: fromPostgres(sql) });
  return sql;
}

/** A server in this process, with connections of its own. */
async function start(sql: Sql) {
  const server = await startNode({ executor: fromPostgres(postgres.again(sql)) });
  cleanups.push(() => server.close());
  await until(async () => {
    const listening = await sql`SELECT 1 FROM pg_stat_activity WHERE query ILIKE 'listen%' AND state = 'idle'`;
    expect(listening.length).toBeGreaterThan(0);
  });
  return server;
}

async function startProcess(sql: Sql) {
  const [{ search_path: tables }] = (await sql`SHOW search_path`) as unknown as [{ search_path: string }];
  const script = join(import.meta.dirname, "serve-postgres.fixture.ts");
  const args = [script, String(sql.options.port[0]), tables];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  cleanups.push(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { port: Number(line.split(" ")[1]) };
}

const clientAt = ({ port }: { readonly port: number }, user: string) =>
  new RawClient(
    { handle: (request) => sendTo(port, request) },
    { user, clientID: `c-${user}`, replicaID: `r-${user}` },
  );

/** A client that has pulled, and its socket. */
async function listen(server: { readonly port: number }, user: string) {
  const client = clientAt(server, user);
  await client.pull();
  const { clientID, replicaID = "" } = client.identity;
  const socket = await connect(server.port, {
    token: user,
    clientGroupID: user,
    clientID,
    replicaID,
    schemaVersion: "1",
  });
  socket.send(JSON.stringify({ type: "hello", cookie: client.cookie }));
  await until(() => expect(socket.received).toHaveLength(1));
  return { client, pokes: () => socket.received.slice(1).map((text) => JSON.parse(text)) };
}

test("a push to one process is told at the sockets of another, with the change; so is raw SQL", async () => {
  const sql = await database();
  const [here, there] = [await start(sql), await startProcess(sql)];
  const grace = await listen(here, "grace");
  await clientAt(there, "ada").push(mutation(1, "addPost", { body: "from afar" }));
  await until(() => expect(grace.pokes()).toHaveLength(1));
  expect(grace.pokes()[0].patch.patch).toMatchObject([{ op: "put", value: { body: "from afar" } }]);
  await sql`INSERT INTO posts (id, body) VALUES ('p1', 'by hand')`;
  await until(() => expect(grace.pokes()).toHaveLength(2));
  expect(grace.pokes()[1].patch.patch).toMatchObject([{ op: "put", id: "p1" }]);
});

test("a push of this process is told once, though its commit is heard of, too; and not to the replica that pushed", async () => {
  const sql = await database();
  const server = await start(sql);
  const [ada, grace] = [await listen(server, "ada"), await listen(server, "grace")];
  for (const id of [1, 2, 3]) {
    await ada.client.push(mutation(id, "addPost", { body: "mine" }));
    await until(() => expect(grace.pokes()).toHaveLength(id));
  }
  // The last of what Postgres tells.
  await sql`INSERT INTO posts (id, body) VALUES ('last', '')`;
  await until(() => expect(grace.pokes()).toHaveLength(4));
  await until(() => expect(ada.pokes()).toHaveLength(1));
});

test("what was committed while a process did not listen is told when it listens again", async () => {
  const sql = await database();
  const server = await start(sql);
  const grace = await listen(server, "grace");
  await sql.begin(async (session) => {
    await session`INSERT INTO posts (id, body) VALUES ('missed', '')`;
    // It does not listen at the moment of the commit.
    await session`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query ILIKE 'listen%'`;
  });
  await until(() => expect(grace.pokes()).toHaveLength(1));
  expect(grace.pokes()[0].patch.patch).toMatchObject([{ op: "put", id: "missed" }]);
});
