import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { ensureSchemaSuite } from "../migration/ensure-schema.suite.ts";
import { fromBetterSqlite3 } from "./from-better-sqlite3.ts";
import { sql } from "./server-database.fixture.ts";
import { serverTransactionSuite } from "./server-transaction.suite.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";
import { writeStatementsSuite } from "./write-statements.suite.ts";

const open = async () => fromBetterSqlite3(new Database(":memory:"));

sqlExecutorSuite("better-sqlite3", open);
storedValuesSuite("better-sqlite3", open, { runs: 100 });
serverTransactionSuite("better-sqlite3", open);
writeStatementsSuite("better-sqlite3", open);
ensureSchemaSuite("better-sqlite3", open);

test("bytes come back as a Uint8Array, not as the package's Buffer", async () => {
  const executor = await open();
  const [row] = await executor.all(sql("SELECT ?1 AS b", new Uint8Array([1, 2])));
  expect(Object.getPrototypeOf(row?.["b"])).toBe(Uint8Array.prototype);
});

test("executors of one handle share its queue", async () => {
  const handle = new Database(":memory:");
  const executor = fromBetterSqlite3(handle);
  await executor.run(sql("CREATE TABLE t (id TEXT) STRICT"));
  let seen: Promise<unknown> | undefined;
  const failed = executor.transaction(async (connection) => {
    await connection.run(sql("INSERT INTO t VALUES ('x')"));
    seen = fromBetterSqlite3(handle).all(sql("SELECT * FROM t"));
    for (let i = 0; i < 20; i++) await connection.all(sql("SELECT 1"));
    throw new Error("rolled back");
  });
  await expect(failed).rejects.toThrow("rolled back");
  expect(await seen).toEqual([]);
});
