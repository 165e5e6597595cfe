// Owns: what every SqlExecutor owes: see sql-executor.ts.

import { beforeEach, describe, expect, test } from "vitest";
import { sql as sqlite } from "./server-database.fixture.ts";
import type { SqlExecutor, SqlParam, SqlStatement } from "./sql-executor.ts";

export function sqlExecutorSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`executor: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    beforeEach(async () => {
      executor = await open();
      const columns = "id TEXT PRIMARY KEY NOT NULL, a TEXT UNIQUE, n INTEGER CHECK (n < 100)";
      const isPostgres = executor.dialect === "postgres";
      await executor.run(sql(`CREATE TABLE t (${columns}, ${isPostgres ? "b BYTEA)" : "b BLOB) STRICT"}`));
    });

    /** A statement with SQLite's placeholders, which Postgres writes $1. */
    const sql = (text: string, ...params: readonly SqlParam[]): SqlStatement =>
      sqlite(executor.dialect === "postgres" ? text.replaceAll("?", "$") : text, ...params);

    /** Where the context gives a parameter no type, Postgres takes it for text. */
    const real = (expression: string) => `CAST(${expression} AS DOUBLE PRECISION)`;

    test("binds and returns text, numbers, bytes and null", async () => {
      await executor.run(sql("INSERT INTO t VALUES (?1, ?2, ?3, ?4)", "x", "ä\u{1f600}", 5, new Uint8Array([0, 255])));
      await executor.run(sql("INSERT INTO t VALUES (?1, ?2, ?3, ?4)", "y", null, null, new Uint8Array([])));
      const rows = await executor.all(sql("SELECT * FROM t ORDER BY id"));
      expect(rows.map((row) => ({ ...row, b: Array.from(row["b"] as Uint8Array) }))).toEqual([
        { id: "x", a: "ä\u{1f600}", n: 5, b: [0, 255] },
        { id: "y", a: null, n: null, b: [] },
      ]);
      expect(
        await executor.all(sql(`SELECT ${real("?1")} AS r, ${real("?2")} AS s`, 0.1 + 0.2, -5e-324)),
      ).toMatchObject([{ r: 0.1 + 0.2, s: -5e-324 }]);
    });

    test("takes a parameter that is used twice", async () => {
      expect(await executor.all(sql("SELECT ?1 AS a, ?2 AS b, ?1 AS c", "p", "q"))).toMatchObject([
        { a: "p", b: "q", c: "p" },
      ]);
    });

    test("a batch returns the rows of each statement, which sees what those before it wrote", async () => {
      const results = await executor.batch([
        sql("INSERT INTO t (id) VALUES ('1')"),
        sql("SELECT CAST(count(*) AS INTEGER) AS n FROM t"),
        sql("INSERT INTO t (id) VALUES ('2')"),
        sql("SELECT CAST(count(*) AS INTEGER) AS n FROM t"),
      ]);
      expect(results.map((rows) => rows.map((row) => row["n"]))).toEqual([[], [1], [], [2]]);
      expect(await executor.batch([])).toEqual([]);
    });

    test("a batch with a statement that fails leaves nothing", async () => {
      await expect(
        executor.batch([sql("INSERT INTO t (id) VALUES ('1')"), sql("INSERT INTO t (id) VALUES ('1')")]),
      ).rejects.toThrow();
      expect(await executor.all(sql("SELECT * FROM t"))).toEqual([]);
    });

    test.each([
      ["unique", "INSERT INTO t (id, a) VALUES ('2', 'taken')"],
      ["unique", "INSERT INTO t (id) VALUES ('1')"],
      ["not-null", "INSERT INTO t (id) VALUES (NULL)"],
      ["data", "INSERT INTO t (id, n) VALUES ('2', 100)"],
      ["data", "INSERT INTO t (id, n) VALUES ('2', 'many')"],
      ["data", "SELECT abs(CAST('-9223372036854775808' AS BIGINT))"],
      ["retry", "SELECT * FROM missing"],
      ["retry", "SELECT * FRM t"],
    ] as const)("classifies as %s: %s", async (expected, text) => {
      await executor.run(sql("INSERT INTO t (id, a) VALUES ('1', 'taken')"));
      const error: unknown = await executor.run(sql(text)).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(executor.classify(error)).toBe(expected);
      const fromBatch: unknown = await executor.batch([sql(text)]).catch((thrown: unknown) => thrown);
      expect(executor.classify(fromBatch)).toBe(expected);
    });

    test("classifies what it does not know as retry", () => {
      for (const error of [
        new Error("connection lost"),
        new Error("UNIQUE constraint failed: t.a"),
        "x",
        null,
        undefined,
        { errcode: 5 },
        { code: "23505" },
      ]) {
        expect(executor.classify(error)).toBe("retry");
      }
    });
  });
}
