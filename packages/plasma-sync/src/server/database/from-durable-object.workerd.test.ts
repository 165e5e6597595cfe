import { expect, test } from "vitest";
import { ensureSchemaSuite } from "../migration/ensure-schema.suite.ts";
import { selectAnswersSuite, withAnswerRows } from "../sql/select-answers.suite.ts";
import { bufferedTransactionSuite } from "./buffered-transaction.suite.ts";
import { objectExecutor } from "./durable-object.fixture.ts";
import { sql } from "./server-database.fixture.ts";
import { serverTransactionSuite } from "./server-transaction.suite.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";
import { writeStatementsSuite } from "./write-statements.suite.ts";

const open = async () => objectExecutor();
const NAME = "Durable Object";

sqlExecutorSuite(NAME, open);
storedValuesSuite(NAME, open, { runs: 20 });
serverTransactionSuite(NAME, open);
writeStatementsSuite(NAME, open);
bufferedTransactionSuite(NAME, open);
ensureSchemaSuite(NAME, open);
selectAnswersSuite(NAME, async () => withAnswerRows(await open()));

test("bytes are stored and come back as they are, views into larger buffers too", async () => {
  const executor = objectExecutor();
  const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
  const [row] = await executor.all(sql("SELECT ?1 AS bytes, ?2 AS none, length(?1) AS n", view, new Uint8Array()));
  expect(row).toEqual({ bytes: new Uint8Array([1, 2]), none: new Uint8Array(), n: 2 });
});

test("two objects share nothing", async () => {
  const [one, other] = [objectExecutor(), objectExecutor()];
  await one.run(sql("CREATE TABLE t (a)"));
  const error: unknown = await other.all(sql("SELECT * FROM t")).catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("no such table");
});

test.each([
  ["BEGIN", "retry"],
  ["SELECT ?1, ?2", "retry"],
  ["ATTACH ':memory:' AS other", "retry"],
  ["SELECT zeroblob(2147483648)", "data"],
  ["SELECT sum(n) FROM (SELECT 9223372036854775807 AS n UNION ALL SELECT 1)", "data"],
] as const)("what the object answers to %s is classified as %s", async (text, expected) => {
  const executor = objectExecutor();
  const error: unknown = await executor.run(sql(text)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(executor.classify(error)).toBe(expected);
});
