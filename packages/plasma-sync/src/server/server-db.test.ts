import { describe, expect, test } from "vitest";
import { eq } from "../core/query/expressions.ts";
import { fromPostgres } from "./database/from-postgres.ts";
import { usePostgres } from "./database/postgres-server.fixture.ts";
import type { SqlExecutor } from "./database/sql-executor.ts";
import { ensureSchema } from "./migration/ensure-schema.ts";
import { createServerDb } from "./server-db.ts";
import { batchOnly, memoryDatabase } from "./sync/memory-database-node.fixture.ts";
import { notes, RawClient, schema, startServer, tags } from "./sync/sync-server.fixture.ts";

const postgres = usePostgres();

describe.each<[name: string, makeDatabase: () => SqlExecutor | Promise<SqlExecutor>]>([
  ["node:sqlite", memoryDatabase],
  ["an engine without transactions", () => batchOnly(memoryDatabase())],
  ["postgres", async () => fromPostgres(await postgres.open())],
])("a server db on %s", (_, makeDatabase) => {
  const start = async () => {
    const executor = await makeDatabase();
    await ensureSchema({ schema, executor });
    return { executor, db: createServerDb({ schema, executor }) };
  };

  test("reads and writes past the rules, with random ids and defaults", async () => {
    const { db } = await start();
    await db.insert(notes).values([
      { title: "a", ownerId: "ada" },
      { title: "b", ownerId: "grace" },
    ]);
    const rows = await db.select().from(notes).orderBy(notes.title);
    expect(rows).toMatchObject([{ title: "a", rank: 0, slug: null }, { title: "b" }]);
    expect(rows[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    await db.update(notes).set({ rank: 5 }).where(eq(notes.ownerId, "grace"));
    expect(await db.select({ rank: notes.rank }).from(notes).where(eq(notes.title, "b"))).toEqual([{ rank: 5 }]);
  });

  test("cascades, and clients get what it did", async () => {
    const { db, executor } = await start();
    const client = new RawClient(startServer(executor), { user: "ada", clientID: "c1", replicaID: "r1" });
    await db.insert(notes).values({ id: "n1", title: "", ownerId: "ada" });
    await db.insert(tags).values({ id: "t1", name: "", noteId: "n1", ownerId: "ada" });
    await client.pull();
    expect([...client.rows.keys()]).toEqual(["notes/n1", "tags/t1"]);
    await db.delete(notes).where(eq(notes.id, "n1"));
    await client.pull();
    expect([...client.rows.keys(), ...Object.keys(client.lastMutationIDs)]).toEqual([]);
  });

  test("refuses what a mutator could not write either, whole", async () => {
    const { db } = await start();
    const rows = [
      { id: "n1", title: "", ownerId: "ada", slug: "s" },
      { id: "n2", title: "", ownerId: "ada", slug: "s" },
    ];
    await expect(db.insert(notes).values(rows)).rejects.toMatchObject({ code: "constraint/unique" });
    const insertWrong = async () => db.insert(notes).values({ id: "n1", title: 5 as never, ownerId: "ada" });
    await expect(insertWrong()).rejects.toMatchObject({ code: expect.stringMatching(/data|query/) });
    expect(await db.select().from(notes)).toEqual([]);
  });
});
