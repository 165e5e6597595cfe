// On a real Postgres: who is told of which commits.

import { once } from "node:events";
import { connect as connectTCP, createServer, type AddressInfo, type Socket } from "node:net";
import connect, { type Sql } from "postgres";
import { expect, test, vi } from "vitest";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { fromPostgres } from "./from-postgres.ts";
import { usePostgres } from "./postgres-server.fixture.ts";
import { schema } from "./server-database.fixture.ts";

const postgres = usePostgres();

async function open(): Promise<Sql> {
  const sql = await postgres.open();
  await ensureSchema({ schema, executor: fromPostgres(sql) });
  return sql;
}

async function watch(sql: Sql) {
  const onCommit = vi.fn<() => void>();
  const stop = await fromPostgres(sql).watchCommits?.(onCommit);
  onCommit.mockClear();
  return { onCommit, stop: stop as () => void };
}

const insert = (id: string) => `INSERT INTO users (id, name, email) VALUES ('${id}', '', '${id}')`;

test("each commit of another process is told once, with all that it wrote; what is rolled back is not", async () => {
  const sql = await open();
  const other = postgres.again(sql);
  const { onCommit } = await watch(sql);
  await other.begin(async (session) => {
    await session.unsafe(insert("a"));
    await session.unsafe(insert("b"));
  });
  await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(1));
  await other.begin((session) => session.unsafe(`${insert("c")}; SELECT 1 / 0`)).catch(() => undefined);
  await other.unsafe("UPDATE users SET name = 'x' WHERE id = 'a'");
  await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(2));
  await other.unsafe("TRUNCATE users");
  await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(3));
});

test("another schema of the same database is not heard", async () => {
  const [sql, stranger] = [await open(), await open()];
  const { onCommit } = await watch(sql);
  await stranger.unsafe(insert("a"));
  await sql.unsafe(insert("b"));
  await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(1));
});

test("a connection that is lost is opened anew, and then something may have changed", async () => {
  const sql = await open();
  const { onCommit } = await watch(sql);
  const other = postgres.again(sql, { max: 1 });
  const cut = () =>
    other.unsafe(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%' AND pid <> pg_backend_pid()",
    );
  for (const times of [1, 2]) {
    onCommit.mockClear();
    await cut();
    await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(1), { timeout: 20_000 });
    await other.unsafe(insert(`x${times}`));
    await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(2));
  }
});

test("a database that is away for a while is heard again when it is back", async () => {
  const direct = await open();
  const [{ search_path }] = (await direct`SHOW search_path`) as unknown as [{ search_path: string }];
  const gate = await openGate(direct.options.port[0] as number);
  const where = { host: "127.0.0.1", port: gate.port, user: "postgres", database: "postgres" };
  let tries = 0;
  const backoff = () => {
    tries += 1;
    return 0.02;
  };
  const sql = connect({ ...where, max: 1, connection: { search_path }, backoff });
  const { onCommit } = await watch(sql);
  await gate.close();
  await direct.unsafe(insert("missed"));
  tries = 0;
  // Each try to connect is refused meanwhile.
  await vi.waitFor(() => expect(tries).toBeGreaterThan(2));
  expect(onCommit).not.toHaveBeenCalled();
  await gate.open();
  await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(1), { timeout: 20_000 });
  await direct.unsafe(insert("heard"));
  await vi.waitFor(() => expect(onCommit).toHaveBeenCalledTimes(2));
  await sql.end({ timeout: 0 });
  await gate.close();
});

test("after the end of watching nothing is told", async () => {
  const sql = await open();
  const [first, second] = [await watch(sql), await watch(sql)];
  first.stop();
  await postgres.again(sql).unsafe(insert("a"));
  await vi.waitFor(() => expect(second.onCommit).toHaveBeenCalledTimes(1));
  expect(first.onCommit).not.toHaveBeenCalled();
});

/** A way to Postgres that can be closed and opened. */
async function openGate(target: number) {
  const ends = new Set<Socket>();
  const keep = (socket: Socket) => {
    ends.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => ends.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    const far = connectTCP(target, "127.0.0.1");
    keep(near).pipe(keep(far)).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  const open = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const port = await open(0);
  return {
    port,
    open: () => open(port),
    close: async () => {
      server.close();
      for (const end of ends) end.destroy();
      await once(server, "close");
    },
  };
}
