// The code that the migrations guide shows is a program that the compiler checks; here it runs, on SQLite.

import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { defineMutators, defineSchema, id, table, text } from "plasma-sync/core";
import { createServerDb, createSyncHandler, ensureSchema, fromNodeSqlite, runMigrations } from "plasma-sync/server";
import { expect, test, vi } from "vitest";
import {
  colorOldNotes,
  createServer,
  isOutdated,
  migrate,
  notes,
  openClient,
  review,
  schema,
  schemaV1,
} from "../../docs/guides/migrations-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

const openDatabase = () => fromNodeSqlite(new DatabaseSync(":memory:"));
const insert = { text: "INSERT INTO notes (id, title) VALUES ('n', 'old')", params: [] };

test("the guide shows its program, region by region", () => {
  expect(blocksOf("migrations.md")).toEqual(regionsOf("migrations-examples.ts"));
});

test("its release takes a database of version 1 to version 2, and both versions are served", async () => {
  const executor = openDatabase();
  await ensureSchema({ schema: schemaV1, executor });
  await executor.run(insert);
  expect((await review(executor)).filter((text) => text.startsWith("ALTER TABLE"))).toEqual([
    `ALTER TABLE "notes" ADD COLUMN "color" TEXT NOT NULL DEFAULT 'grey'`,
    `ALTER TABLE "notes" ADD COLUMN "dueAt" INTEGER`,
  ]);
  await migrate(executor);
  expect(await review(executor)).toEqual([]);
  const handle = createServer(executor);
  const client = openClient({ fetcher: handle, storage: "memory" });
  await client.mutate.addNote({ title: "new" }).server;
  await colorOldNotes(executor);
  await client.pullOnce();
  const titles = await client.db.select({ title: notes.title, color: notes.color }).from(notes).orderBy(notes.title);
  expect(titles).toEqual([
    { title: "new", color: "yellow" },
    { title: "old", color: "yellow" },
  ]);
  expect(isOutdated(client.status.get())).toBe(false);
  await client.close();
  const query = "protocolVersion=1&schemaVersion=1&clientGroupID=everybody&clientID=c";
  const page = (await (await handle(new Request(`https://example.org/sync/pull?${query}`))).json()) as {
    readonly patch: readonly { readonly value?: object }[];
  };
  expect(page.patch.map(({ value }) => value && Object.keys(value))).toEqual([
    undefined,
    ["id", "title"],
    ["id", "title"],
  ]);
});

test("its client says that it is outdated while the server has another version", async () => {
  const now = defineSchema({ ...schema.tables });
  const handle = createSyncHandler({
    schema: now,
    mutators: defineMutators<typeof now, unknown>()({}),
    executor: openDatabase(),
    schemaVersion: "3",
    auth: () => ({ ok: true, clientGroupID: "everybody", ctx: null }),
  });
  const client = openClient({ fetcher: handle, storage: "memory" });
  await vi.waitFor(() => expect(isOutdated(client.status.get())).toBe(true));
  await client.mutate.addNote({ title: "waits" });
  expect(await client.pending()).toHaveLength(1);
  await client.close();
});

test("its review names what needs a hand, and its SQL drops a column", async () => {
  const executor = openDatabase();
  const withLegacy = defineSchema({ notes: table("notes", { id: id(), title: text(), legacy: text().nullable() }) });
  await ensureSchema({ schema: withLegacy, executor });
  await executor.run(insert);
  await expect(review(executor)).rejects.toThrow(
    'This release needs a hand first:\nthe column "notes.legacy" is no longer in the schema',
  );
  const guide = readFileSync(new URL("../../docs/guides/migrations.md", import.meta.url), "utf8");
  const [, sql = ""] = /^```sql\n(.*?)^```$/ms.exec(guide) ?? [];
  for (const text of sql.split(";\n").filter((statement) => statement !== "")) await executor.run({ text, params: [] });
  await migrate(executor);
  expect(await createServerDb({ schema, executor }).select().from(notes)).toEqual([
    { id: "n", title: "old", color: "grey", dueAt: null },
  ]);
  expect(await runMigrations({ schema, executor })).toEqual({ statements: [] });
});
