// Owns: what the list of refs owes on every engine: it names what file columns hold, whoever writes them.

import { beforeEach, describe, expect, test } from "vitest";
import { id, text } from "../../core/schema/column.ts";
import { file } from "../../core/schema/file-column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { sql } from "../database/server-database.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import { ensureSchema } from "./ensure-schema.ts";
import { runMigrations } from "./run-migrations.ts";

const cover = file().nullable();
const before = defineSchema({
  notes: table("notes", { id: id(), title: text(), cover }),
  plain: table("plain", { id: id() }),
});
const after = defineSchema({
  notes: table("notes", { id: id(), title: text(), cover, scan: file({ immutable: false }).nullable() }),
  plain: table("plain", { id: id() }),
});
const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string];
const ref = (hash: string, more: object = {}) => JSON.stringify({ hash, size: 3, mime: "text/plain", ...more });

export function fileTriggersSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`refs of blobs: ${name}`, () => {
    let executor: SqlExecutor;
    beforeEach(async () => {
      executor = await open();
    });

    const run = (statement: string, ...params: readonly (string | null)[]) =>
      executor.run(sql(withPlaceholders(executor.dialect, statement), ...params));
    const refs = async (): Promise<string[]> => {
      const rows = await executor.all(sql("SELECT * FROM _plasma_blob_refs ORDER BY table_name, row_id, column_name"));
      return rows.map((row) => `${String(row["row_id"])}.${String(row["column_name"])} ${String(row["hash"])[0]}`);
    };
    const insert = (rowID: string, cell: string | null) =>
      run("INSERT INTO notes (id, title, cover) VALUES (?1, 'x', ?2)", rowID, cell);

    test("raw inserts, updates, renames and deletes are followed", async () => {
      await ensureSchema({ schema: before, executor });
      await insert("n1", ref(A));
      await insert("n2", null);
      await insert("n3", ref(A, { name: "it's.txt" }));
      expect(await refs()).toEqual(["n1.cover a", "n3.cover a"]);
      await run("UPDATE notes SET cover = ?1 WHERE id = 'n2'", ref(B));
      await run("UPDATE notes SET cover = ?1 WHERE id = 'n1'", ref(C));
      await run("UPDATE notes SET title = 'y'");
      expect(await refs()).toEqual(["n1.cover c", "n2.cover b", "n3.cover a"]);
      await run("UPDATE notes SET id = 'n9' WHERE id = 'n1'");
      await run("UPDATE notes SET cover = NULL WHERE id = 'n2'");
      expect(await refs()).toEqual(["n3.cover a", "n9.cover c"]);
      await run("DELETE FROM notes WHERE id = 'n9'");
      expect(await refs()).toEqual(["n3.cover a"]);
    });

    test("an upsert leaves the ref of what it wrote", async () => {
      await ensureSchema({ schema: before, executor });
      const upsert =
        "INSERT INTO notes (id, title, cover) VALUES ('n1', 'x', ?1) ON CONFLICT (id) DO UPDATE SET cover = excluded.cover";
      for (const hash of [A, B]) await run(upsert, ref(hash));
      expect(await refs()).toEqual(["n1.cover b"]);
      if (executor.dialect === "sqlite") {
        await run("INSERT OR REPLACE INTO notes (id, title, cover) VALUES ('n1', 'x', ?1)", ref(C));
        expect(await refs()).toEqual(["n1.cover c"]);
        await run("INSERT OR REPLACE INTO notes (id, title, cover) VALUES ('n1', 'x', NULL)");
      } else {
        await run("TRUNCATE notes");
      }
      expect(await refs()).toEqual([]);
    });

    test("a ref that carries its bytes, and JSON that is no ref, name no blob", async () => {
      await ensureSchema({ schema: before, executor });
      await insert("n1", ref(A, { inline: "aGk=" }));
      await insert("n2", "5");
      await insert("n3", "[1]");
      await insert("n4", "{}");
      expect(await refs()).toEqual([]);
    });

    test("rows that were there before are listed when the table or the column becomes one with files", async () => {
      const columns = executor.dialect === "sqlite" ? "cover TEXT" : "cover JSONB";
      const textType = executor.dialect === "sqlite" ? "TEXT" : 'TEXT COLLATE "C"';
      await run(`CREATE TABLE notes (id ${textType} PRIMARY KEY NOT NULL, title ${textType} NOT NULL, ${columns})`);
      await insert("old", ref(A));
      await ensureSchema({ schema: before, executor });
      expect(await refs()).toEqual(["old.cover a"]);
      await insert("new", ref(B));
      await runMigrations({ schema: after, executor });
      await run("UPDATE notes SET scan = ?1 WHERE id = 'old'", ref(C));
      expect(await refs()).toEqual(["new.cover b", "old.cover a", "old.scan c"]);
      expect((await runMigrations({ schema: after, executor })).statements).toEqual([]);
    });

    test("what was written while a trigger was missing is listed when migrations make it anew", async () => {
      await ensureSchema({ schema: before, executor });
      await insert("n1", ref(A));
      const on = executor.dialect === "sqlite" ? "" : " ON notes";
      for (const event of ["insert", "delete"]) await run(`DROP TRIGGER "_plasma_file.notes.${event}"${on}`);
      await run("DELETE FROM notes");
      await insert("n2", ref(B));
      expect(await refs()).toEqual(["n1.cover a"]);
      await runMigrations({ schema: before, executor });
      expect(await refs()).toEqual(["n2.cover b"]);
      await run("DELETE FROM notes");
      expect(await refs()).toEqual([]);
    });

    test("a blob that loses a ref is touched, by whatever clock the push has", async () => {
      await ensureSchema({ schema: before, executor });
      await run(`INSERT INTO _plasma_blobs VALUES ('${A}', 'k', 3, 1, 1), ('${B}', 'l', 3, 1, 1)`);
      await insert("n1", ref(A));
      await insert("n2", ref(B));
      await run("DELETE FROM notes WHERE id = 'n1'");
      const rows = await executor.all(sql("SELECT hash, touched_at FROM _plasma_blobs ORDER BY hash"));
      expect(rows.map((row) => Number(row["touched_at"]) > 1_700_000_000_000)).toEqual([true, false]);
    });

    test("tables without files have no trigger of files", async () => {
      await ensureSchema({ schema: before, executor });
      const text_ =
        executor.dialect === "sqlite" ? "SELECT name FROM sqlite_master" : "SELECT tgname AS name FROM pg_trigger";
      const names = (await executor.all(sql(text_))).map((row) => String(row["name"]));
      expect(names.filter((trigger) => trigger.startsWith("_plasma_file.plain"))).toEqual([]);
      expect(new Set(names.filter((trigger) => trigger.startsWith("_plasma_file.notes"))).size).toBe(3);
    });
  });
}
