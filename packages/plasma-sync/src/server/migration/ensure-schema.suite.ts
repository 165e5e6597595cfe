// Owns: what ensureSchema owes on every engine.

import { beforeEach, describe, expect, test } from "vitest";
import { bigint, blob, boolean, id, int, json, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { schemaObjectsOf } from "../database/database-dump.fixture.ts";
import { logOf, runOn, sql, watched } from "../database/server-database.fixture.ts";
import { select } from "../../core/query/select-builder.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { ensureSchema } from "./ensure-schema.ts";

const lists = table("lists", { id: id(), name: text().unique() });
const tasks = table(
  "tasks",
  {
    id: id(),
    title: text().default("it's"),
    done: boolean().default(true),
    count: bigint().default(-5n),
    raw: blob().default(new Uint8Array([1, 255])),
    data: json().default({ a: ["'"] }),
    listId: ref(() => lists.id).nullable(),
    rank: int().nullable(),
  },
  { indexes: (t) => [[t.listId, t.rank]], unique: (t) => [[t.title, t.rank]] },
);
const schema = defineSchema({ lists, tasks });

export function ensureSchemaSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`ensureSchema: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    beforeEach(async () => void (executor = await open()));
    const objects = () => schemaObjectsOf(executor);
    const classOf = async (text: string) => executor.classify(await executor.run(sql(text)).catch((e: unknown) => e));

    test("creates tables, indexes and triggers; again it changes nothing and costs nothing, in a new process one select", async () => {
      let count = 0;
      const counted = watched(executor, () => void (count += 1));
      await ensureSchema({ schema, executor: counted });
      const created = await objects();
      expect(created.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          "lists",
          "tasks",
          "_plasma_unique.lists.name",
          "_plasma_unique.tasks.title.rank",
          "_plasma_index.tasks.listId.rank",
          "_plasma_log.tasks.insert",
          "_plasma_log.tasks.update",
          "_plasma_log.tasks.rename",
          "_plasma_log.tasks.delete",
        ]),
      );
      expect(created.map(({ name }) => name)).not.toContain("_plasma_index.tasks.listId");
      count = 0;
      await ensureSchema({ schema, executor: counted });
      expect(count).toBe(0);
      await ensureSchema({
        schema: defineSchema({ lists, tasks }),
        executor: watched(executor, () => void (count += 1)),
      });
      expect(count).toBe(1);
      expect(await objects()).toEqual(created);
    });

    test("two processes may run it at once", async () => {
      await Promise.all([1, 2, 3].map(() => ensureSchema({ schema, executor: watched(executor, () => undefined) })));
      await executor.run(sql("INSERT INTO lists (id, name) VALUES ('l', 'l')"));
      expect(await logOf(executor)).toHaveLength(1);
    });

    test("raw SQL that leaves columns out gets the schema's defaults, in table and log", async () => {
      await ensureSchema({ schema, executor });
      await executor.run(sql("INSERT INTO tasks (id) VALUES ('t')"));
      expect(await runOn(executor, select().from(tasks).ast, schema)).toEqual([
        {
          id: "t",
          title: "it's",
          done: true,
          count: -5n,
          raw: new Uint8Array([1, 255]),
          data: { a: ["'"] },
          listId: null,
          rank: null,
        },
      ]);
      expect(JSON.parse(String((await logOf(executor))[0]?.["value"]))).toEqual({
        id: "t",
        title: "it's",
        done: executor.dialect === "sqlite" ? 1 : true,
        count: "-5",
        raw: "01FF",
        data: { a: ["'"] },
        listId: null,
        rank: null,
      });
    });

    test("the database itself keeps ids present and unique values unique", async () => {
      await ensureSchema({ schema, executor });
      await executor.run(sql("INSERT INTO lists (id, name) VALUES ('l', 'same')"));
      expect(await classOf("INSERT INTO lists (id, name) VALUES ('m', 'same')")).toBe("unique");
      expect(await classOf("INSERT INTO lists (id, name) VALUES (NULL, 'none')")).toBe("not-null");
      // Text, which SQLite takes for JSON, is told by the trigger's `json()`.
      const broken = "INSERT INTO tasks (id, data) VALUES ('t', '{broken')";
      await expect(executor.run(sql(broken))).rejects.toThrow(/JSON|json/);
      expect(await logOf(executor)).toHaveLength(1);
    });

    test("takes on tables that exist with rows, and later tables of a grown schema", async () => {
      const byCodePoint = executor.dialect === "sqlite" ? "" : ' COLLATE "C"';
      await executor.run(
        sql(`CREATE TABLE lists (id VARCHAR(40)${byCodePoint} PRIMARY KEY, name TEXT${byCodePoint}, extra TEXT)`),
      );
      await executor.run(sql("INSERT INTO lists VALUES ('l', 'l', 'x')"));
      await ensureSchema({ schema: defineSchema({ lists }), executor });
      await ensureSchema({ schema, executor });
      await executor.run(sql("UPDATE lists SET name = 'm'"));
      await executor.run(sql("UPDATE lists SET extra = 'y'"));
      await executor.run(sql("INSERT INTO tasks (id) VALUES ('t')"));
      expect((await logOf(executor)).map((row) => row["row_id"])).toEqual(["l", "t"]);
    });

    test("refuses a table that lacks a column or has it with another type, and changes nothing", async () => {
      await executor.run(sql("CREATE TABLE tasks (id TEXT PRIMARY KEY, title INTEGER)"));
      const before = await objects();
      const error: unknown = await ensureSchema({ schema, executor }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "migration/refused" });
      expect((error as { data: { refusals: string[] } }).data.refusals.slice(0, 2)).toEqual(
        executor.dialect === "sqlite"
          ? ['"tasks.title" is INTEGER, not TEXT', '"tasks" exists without the column "done" (INTEGER)']
          : [
              '"tasks.id" is text COLLATE "default", not text COLLATE "C"',
              '"tasks.title" is integer, not text COLLATE "C"',
            ],
      );
      expect(await objects()).toEqual(before);
    });
  });
}
