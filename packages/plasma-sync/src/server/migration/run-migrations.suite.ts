// Owns: what runMigrations owes on every engine, and what processes of two schema versions on one database owe each other.

import { beforeEach, describe, expect, test } from "vitest";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import { eq } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { bigint, blob, boolean, id, int, json, real, ref, text, timestamp } from "../../core/schema/column.ts";
import { defineSchema, type AnySchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { dumpDatabase, schemaObjectsOf } from "../database/database-dump.fixture.ts";
import { logOf, runOn, sql, watched } from "../database/server-database.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { createSyncHandler } from "../handler.ts";
import { mutation, pullRequest, pushRequest } from "../sync/sync-server.fixture.ts";
import { ensureSchema } from "./ensure-schema.ts";
import { isMigrationRefused, runMigrations } from "./run-migrations.ts";

const people = table("people", { id: id(), name: text() });
const notes1 = table("notes", { id: id(), title: text(), slug: text().nullable() }, { indexes: (t) => [[t.title]] });
const schema1 = defineSchema({ people, notes: notes1 });
const notes2 = table(
  "notes",
  {
    id: id(),
    title: text(),
    slug: text().nullable(),
    state: text({ enum: ["open", "it's"] }).default("it's"),
    rank: int().default(-3),
    size: real().default(0.5),
    at: timestamp().default(5),
    big: bigint().default(-9007199254740993n),
    done: boolean().default(true),
    raw: blob().default(new Uint8Array([1, 255])),
    tree: json().default({ a: ["'"] }),
    mood: text().nullable(),
    ownerId: ref(() => people.id).nullable(),
  },
  { indexes: (t) => [[t.rank, t.title]], unique: (t) => [[t.slug]] },
);
const tags = table("tags", { id: id(), noteId: ref(() => notes2.id), label: text().unique() });
const local = table("local", { id: id() }, { changeLogSuppressed: true });
const schema2 = defineSchema({ people, notes: notes2, tags, local });
const defaults = {
  state: "it's",
  rank: -3,
  size: 0.5,
  at: 5,
  big: -9007199254740993n,
  done: true,
  raw: new Uint8Array([1, 255]),
  tree: { a: ["'"] },
  mood: null,
  ownerId: null,
};

type Input<S extends AnySchema, A> = MutatorInput<S, unknown, A>;
const mutators1 = defineMutators<typeof schema1, unknown>()({
  put: async ({ db, args }: Input<typeof schema1, { id: string; title: string }>) => {
    await db
      .insert(notes1)
      .values(args)
      .onConflictDoUpdate({ set: { title: args.title } });
  },
});
const mutators2 = defineMutators<typeof schema2, unknown>()({
  put: async ({ db, args }: Input<typeof schema2, { id: string; title: string }>) => {
    await db
      .insert(notes2)
      .values(args)
      .onConflictDoUpdate({ set: { title: args.title } });
  },
  rank: async ({ db, args }: Input<typeof schema2, { id: string; rank: number }>) => {
    await db.update(notes2).set({ rank: args.rank }).where(eq(notes2.id, args.id));
  },
});

const refusalsOf = (migration: Promise<unknown>): Promise<readonly string[]> =>
  migration.then(
    () => expect.unreachable("the migration was not refused"),
    (error: unknown) => (isMigrationRefused(error) ? error.data.refusals : Promise.reject(error)),
  );

export function runMigrationsSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`runMigrations: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    beforeEach(async () => void (executor = await open()));
    const run = (text: string) => executor.run(sql(text));
    const migrate = (schema: AnySchema) => runMigrations({ schema, executor });
    /** Objects and rows. */
    const everything = async () => [await schemaObjectsOf(executor), await dumpDatabase(executor)];
    /** Objects, whatever their database is called and in whatever order columns came. */
    const named = async () =>
      (await schemaObjectsOf(executor)).map(({ type, name, sql }) =>
        type === "table" ? [type, name] : [type, name, sql.replaceAll(/\btest_\d+\b/g, "test")],
      );
    const keysOf = async () =>
      (await executor.all(sql("SELECT key FROM _plasma_schema ORDER BY key"))).map(({ key }) => key);

    test("makes a new database as ensureSchema does, and again does nothing", async () => {
      expect((await migrate(schema2)).statements.length).toBeGreaterThan(5);
      const made = await everything();
      const [objects, keys] = [await named(), await keysOf()];
      expect(await migrate(schema2)).toEqual({ statements: [] });
      await ensureSchema({ schema: schema2, executor });
      expect(await everything()).toEqual(made);
      executor = await open();
      await ensureSchema({ schema: schema2, executor });
      expect([await named(), await keysOf()]).toEqual([objects, keys]);
      expect(await migrate(schema2)).toEqual({ statements: [] });
    });

    test("adds tables, columns and indexes to tables with rows; drops indexes of its own; writes no log entry", async () => {
      await migrate(schema1);
      await run("CREATE INDEX by_hand ON notes (slug)");
      await run("INSERT INTO notes (id, title) VALUES ('a', 'A'), ('b', 'B')");
      expect((await logOf(executor)).length).toBe(2);
      const { statements } = await migrate(schema2);
      expect(statements.filter((text) => text.startsWith("ALTER TABLE"))).toHaveLength(10);
      expect(statements).toContain('DROP INDEX IF EXISTS "_plasma_index.notes.title"');
      expect((await logOf(executor)).length).toBe(2);
      expect(await runOn(executor, select().from(notes2).ast, schema2)).toEqual([
        { id: "a", title: "A", slug: null, ...defaults },
        { id: "b", title: "B", slug: null, ...defaults },
      ]);
      const names = (await schemaObjectsOf(executor)).map((object) => object.name);
      expect(names).toEqual(
        expect.arrayContaining(["by_hand", "_plasma_index.notes.rank.title", "_plasma_unique.notes.slug"]),
      );
      expect(names).not.toContain("local");
      // As if it had been made so.
      await run("DROP INDEX by_hand");
      const grown = await named();
      executor = await open();
      await migrate(schema2);
      expect(grown).toEqual(await named());
    });

    test("after it every column is logged, and a new process of ensureSchema has nothing to do", async () => {
      await ensureSchema({ schema: schema1, executor });
      await run("INSERT INTO notes (id, title) VALUES ('a', 'A')");
      await migrate(schema2);
      let count = 0;
      await ensureSchema({ schema: schema2, executor: watched(executor, () => void (count += 1)) });
      expect(count).toBe(1);
      await run("UPDATE notes SET rank = 7 WHERE id = 'a'");
      const entry = (await logOf(executor)).at(-1);
      expect(JSON.parse(String(entry?.["before"]))).toMatchObject({ rank: -3, mood: null });
      expect(JSON.parse(String(entry?.["value"]))).toMatchObject({ rank: 7, big: "-9007199254740993" });
    });

    test("a dry run tells the statements and touches nothing", async () => {
      const dry = await runMigrations({ schema: schema1, executor, dryRun: true });
      expect(await schemaObjectsOf(executor)).toEqual([]);
      expect(dry).toEqual(await migrate(schema1));
      const before = await everything();
      const plan = await runMigrations({ schema: schema2, executor, dryRun: true });
      expect(await everything()).toEqual(before);
      expect(plan).toEqual(await migrate(schema2));
    });

    test("triggers that were dropped or altered are made anew", async () => {
      await migrate(schema2);
      const made = await named();
      const isPostgres = executor.dialect === "postgres";
      const [drop, other, disable] = isPostgres
        ? [
            `DROP TRIGGER "_plasma_log.notes.update" ON notes`,
            `CREATE OR REPLACE TRIGGER "_plasma_log.tags.insert" AFTER INSERT ON tags FOR EACH ROW WHEN (false) EXECUTE FUNCTION "_plasma_log.tags.insert"()`,
            `ALTER TABLE people DISABLE TRIGGER "_plasma_log.people.insert"`,
          ]
        : [
            `DROP TRIGGER "_plasma_log.notes.update"`,
            `DROP TRIGGER "_plasma_log.tags.insert"`,
            `CREATE TRIGGER "_plasma_log.tags.insert" AFTER INSERT ON tags WHEN 0 BEGIN SELECT 1; END`,
          ];
      for (const text of [drop, other, disable]) await run(text);
      expect((await migrate(schema2)).statements.length).toBeGreaterThan(0);
      expect(await named()).toEqual(made);
      await run("INSERT INTO people (id, name) VALUES ('p', 'P')");
      await run("INSERT INTO tags (id, \"noteId\", label) VALUES ('t', 'n', 'l')");
      expect(await logOf(executor)).toHaveLength(2);
      expect(await migrate(schema2)).toEqual({ statements: [] });
    });

    test("refuses everything that it cannot do at once, by name, and touches nothing", async () => {
      await migrate(
        defineSchema({
          people,
          gone: table("gone", { id: id() }),
          notes: table("notes", {
            id: id(),
            legacy: text(),
            kind: int(),
            count: int(),
            maybe: text().nullable(),
            always: text(),
            slug: text().nullable(),
            lang: text().nullable(),
          }),
        }),
      );
      const row = (key: string, slug: string, lang: string) =>
        run(
          `INSERT INTO notes (id, legacy, kind, count, always, slug, lang) VALUES ('${key}', '', 1, 1, '', '${slug}', ${lang})`,
        );
      await row("a", "secret", "'en'");
      await row("b", "secret", "'en'");
      await row("c", "other", "NULL");
      await row("d", "other", "NULL");
      const before = await everything();
      const refused = defineSchema({
        people,
        notes: table(
          "notes",
          {
            id: id(),
            kind: text(),
            count: bigint(),
            maybe: text(),
            always: text().nullable(),
            slug: text().nullable(),
            lang: text().nullable(),
            fresh: text(),
            same: int().default(1).unique(),
            unlike: int().nullable().unique(),
          },
          { unique: (t) => [[t.slug, t.lang]] },
        ),
      });
      const isPostgres = executor.dialect === "postgres";
      const refusals = await refusalsOf(migrate(refused));
      expect([...refusals].sort()).toEqual(
        [
          'the table "gone" is no longer in the schema',
          'the column "notes.legacy" is no longer in the schema',
          isPostgres ? '"notes.kind" is bigint, not text COLLATE "C"' : '"notes.kind" is INTEGER, not TEXT',
          // Postgres declares them alike too: what the log writes differs.
          '"notes.count" was int and is bigint',
          '"notes.maybe" may be null and would not any more',
          '"notes.always" is never null and would be nullable',
          'the new column "notes.fresh" is never null and has no default',
          'rows of "notes" share a value of same, which would be unique',
          'rows of "notes" share a value of slug + lang, which would be unique',
        ].sort(),
      );
      expect(await refusalsOf(runMigrations({ schema: refused, executor, dryRun: true }))).toEqual(refusals);
      expect(await everything()).toEqual(before);
      expect(refusals.join()).not.toContain("secret");
    });

    test("what was changed by hand as the schema wants it is taken as it is", async () => {
      await migrate(schema1);
      await run("INSERT INTO notes (id, title) VALUES ('a', 'A')");
      const kinds = executor.dialect === "postgres" ? [] : ["insert", "update", "rename", "delete"];
      for (const kind of kinds) await run(`DROP TRIGGER "_plasma_log.notes.${kind}"`);
      await run(`ALTER TABLE notes DROP COLUMN slug${executor.dialect === "postgres" ? " CASCADE" : ""}`);
      await run("DROP TABLE people");
      const smaller = defineSchema({ notes: table("notes", { id: id(), title: text() }) });
      await migrate(smaller);
      await run("UPDATE notes SET title = 'B'");
      expect(JSON.parse(String((await logOf(executor)).at(-1)?.["value"]))).toEqual({ id: "a", title: "B" });
      expect(await migrate(smaller)).toEqual({ statements: [] });
      await migrate(schema1);
      expect(await runOn(executor, select().from(notes1).ast, schema1)).toEqual([{ id: "a", title: "B", slug: null }]);
    });

    test("columns and indexes that were never Plasma's stay", async () => {
      const type = executor.dialect === "postgres" ? 'text COLLATE "C"' : "VARCHAR(40)";
      await run(`CREATE TABLE people (id ${type} PRIMARY KEY, name ${type}, extra TEXT)`);
      await migrate(defineSchema({ people }));
      const grown = defineSchema({ people: table("people", { id: id(), name: text(), age: int().nullable() }) });
      expect((await migrate(grown)).statements.filter((text) => text.startsWith("ALTER"))).toHaveLength(1);
      expect(await migrate(grown)).toEqual({ statements: [] });
    });

    test("the log has an index for a table while it resolves conflicts", async () => {
      const resolving = (resolves: boolean) =>
        defineSchema({
          people: table(
            "people",
            { id: id(), name: text() },
            resolves ? { resolveConflict: ({ incoming }) => incoming } : {},
          ),
        });
      await migrate(resolving(false));
      expect((await migrate(resolving(true))).statements).toEqual([
        expect.stringMatching(/^CREATE INDEX .*_plasma_log_rows/),
      ]);
      expect((await migrate(resolving(false))).statements).toEqual([
        expect.stringMatching(/^DROP INDEX .*_plasma_log_rows/),
      ]);
    });

    test("several processes may run it at once", async () => {
      await migrate(schema1);
      await Promise.all([1, 2, 3].map(() => migrate(schema2)));
      expect(await migrate(schema2)).toEqual({ statements: [] });
    });
  });

  describe(`two schema versions on one database: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    beforeEach(async () => void (executor = await open()));
    const ada = { user: "ada", clientID: "c", replicaID: "r" };
    /** A server process: nothing of it is remembered from an earlier one. */
    const server = (schemaVersion: "1" | "2") => {
      const handle = createSyncHandler({
        ...(schemaVersion === "1"
          ? { schema: defineSchema({ people, notes: notes1 }), mutators: mutators1 }
          : { schema: defineSchema(schema2.tables), mutators: mutators2 }),
        executor: watched(executor, () => undefined),
        schemaVersion,
        auth: () => ({ ok: true, clientGroupID: "ada", ctx: {} }),
      });
      const answer = async (request: Request) => {
        const response = await handle(request);
        return { status: response.status, ...(await response.json()) };
      };
      return {
        push: (...list: ReturnType<typeof mutation>[]) => answer(pushRequest(ada, list, { schemaVersion })),
        pull: (cookie?: string) => answer(pullRequest(ada, { schemaVersion, cookie })),
      };
    };
    const objects = () => schemaObjectsOf(executor);

    test("old and new server processes work side by side, and old ones that start later change nothing", async () => {
      const old = server("1");
      await old.push(mutation(1, "put", { id: "a", title: "A" }));
      const early = await old.pull();
      await runMigrations({ schema: schema2, executor });
      const migrated = await objects();
      const [young, late] = [server("2"), server("1")];
      await young.push(mutation(2, "rank", { id: "a", rank: 8 }));
      const { cookie } = await young.pull();
      // The one that ran before and the one that starts now write what they know; the rest stays or gets its default.
      expect(await old.push(mutation(3, "put", { id: "a", title: "A3" }))).toMatchObject({
        results: [{ status: "applied" }],
      });
      expect(await late.push(mutation(4, "put", { id: "b", title: "B" }))).toMatchObject({
        results: [{ status: "applied" }],
      });
      expect((await young.pull(cookie)).patch).toMatchObject([
        { id: "a", value: { title: "A3", rank: 8 } },
        { id: "b", value: { title: "B", rank: -3, done: true, big: "-9007199254740993" } },
      ]);
      expect((await late.pull(early.cookie)).patch).toEqual([
        { op: "put", table: "notes", id: "a", value: { id: "a", title: "A3", slug: null } },
        { op: "put", table: "notes", id: "b", value: { id: "b", title: "B", slug: null } },
      ]);
      expect(await objects()).toEqual(migrated);
      await young.push(mutation(5, "rank", { id: "b", rank: 9 }));
      expect(JSON.parse(String((await logOf(executor)).at(-2)?.["value"]))).toMatchObject({ id: "b", rank: 9 });
    });

    test("an old version that the database has never seen leaves the newer columns in the log", async () => {
      await runMigrations({ schema: schema2, executor });
      const old = server("1");
      await old.push(mutation(1, "put", { id: "a", title: "A" }));
      await server("2").push(mutation(2, "rank", { id: "a", rank: 8 }));
      const puts = (await logOf(executor)).filter((row) => row["op"] === "put");
      expect(puts.map((row) => JSON.parse(String(row["value"])).rank)).toEqual([-3, 8]);
      expect(await runMigrations({ schema: schema2, executor, dryRun: true })).toMatchObject({
        statements: expect.not.arrayContaining([expect.stringContaining("ALTER TABLE")]),
      });
    });

    test("a new process before the migration answers 503 and changes nothing; after it, it works", async () => {
      await server("1").push(mutation(1, "put", { id: "a", title: "A" }));
      const before = await objects();
      const young = server("2");
      expect(await young.pull()).toMatchObject({ status: 503 });
      expect(await objects()).toEqual(before);
      await runMigrations({ schema: schema2, executor });
      const { patch } = await young.pull();
      expect(patch[1]).toMatchObject({ value: { id: "a", rank: -3, tree: { a: ["'"] } } });
    });
  });
}
