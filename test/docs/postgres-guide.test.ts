// The code that the Postgres guide shows is a program that the compiler checks; here a client and raw SQL meet on it.

import { expect, test } from "vitest";
import { createPlasmaClient } from "plasma-sync/client";
import { closeOverdue, handlerOn, mutators, schema, todos } from "../../docs/guides/postgres-examples.ts";
import { usePostgres } from "../../packages/plasma-sync/src/server/database/postgres-server.fixture.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

const postgres = usePostgres();

test("the guide shows its program, region by region", () => {
  expect(blocksOf("postgres.md")).toEqual(regionsOf("postgres-examples.ts"));
});

test("a client's mutations and raw SQL change the same rows, and the client sees both", async () => {
  const sql = await postgres.open();
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName: "guide",
    endpoint: "https://example.org/sync",
    schemaVersion: "1",
    clientGroupID: "everyone",
    getContext: () => ({}),
    storage: "memory",
    pollIntervalMs: 3_600_000,
    fetcher: handlerOn(sql),
  });
  const rows = () => client.db.select({ title: todos.title, state: todos.state }).from(todos).orderBy(todos.title);
  await client.pullOnce();
  await client.mutate.add({ title: "late", due: 1 }).server;
  await client.mutate.add({ title: "soon", due: 3 }).server;
  await closeOverdue(sql, 2);
  await client.pullOnce();
  expect(await rows()).toEqual([
    { title: "late", state: "done" },
    { title: "soon", state: "open" },
  ]);
  const [late] = await sql<{ id: string }[]>`SELECT id FROM todos WHERE title = 'late'`;
  await client.mutate.reopen({ id: String(late?.id) }).server;
  expect((await sql`SELECT state FROM todos WHERE title = 'late'`)[0]).toEqual({ state: "open" });
  await sql`INSERT INTO todos (id, title) VALUES ('raw', 'taken')`;
  await expect(client.mutate.add({ title: "taken", due: 4 }).server).rejects.toMatchObject({
    code: "constraint/unique",
  });
  await client.close();
});
