import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { bufferedTransactionSuite } from "./buffered-transaction.suite.ts";
import { fromNodeSqlite } from "./from-node-sqlite.ts";
import { dbOf, depsOf, idsOf, logOf, origin, schema, scopeOf, sql, users } from "./server-database.fixture.ts";
import { serverTransactionSuite } from "./server-transaction.suite.ts";
import { sqlExecutorSuite } from "./sql-executor.suite.ts";
import type { SqlConnection } from "./sql-executor.ts";
import { storedValuesSuite } from "./stored-values.suite.ts";
import { writeStatementsSuite } from "./write-statements.suite.ts";
import { withPushTransaction } from "./with-push-transaction.ts";

const open = async () => fromNodeSqlite(new DatabaseSync(":memory:"));
/** As D1 is: batches only. */
const openBuffered = async () => ({ ...(await open()), interactive: false, pushStatementsMax: 900 });

sqlExecutorSuite("node:sqlite", open);
storedValuesSuite("node:sqlite", open, { runs: 300 });
serverTransactionSuite("node:sqlite", open);
serverTransactionSuite("node:sqlite, buffered", openBuffered);
writeStatementsSuite("node:sqlite", open);
writeStatementsSuite("node:sqlite, buffered", openBuffered);
bufferedTransactionSuite("node:sqlite, buffered", openBuffered);

/** Runs `fn` while a transaction that has inserted u is open, then lets it fail; resolves when everything has ended. */
async function duringTransaction<T>(
  fn: (connection: SqlConnection) => T,
): Promise<{ readonly given: T; readonly handle: DatabaseSync }> {
  const handle = new DatabaseSync(":memory:");
  const executor = fromNodeSqlite(handle);
  await ensureSchema({ schema, executor });
  let given: T | undefined;
  const failed = executor.transaction(async (connection) => {
    await connection.run(sql("INSERT INTO users (id, name) VALUES ('u', 'u')"));
    given = fn(fromNodeSqlite(handle));
    for (let i = 0; i < 20; i++) await connection.all(sql("SELECT 1"));
    throw new Error("rolled back");
  });
  await expect(failed).rejects.toThrow("rolled back");
  return { given: given as T, handle };
}

test("a read during an open transaction waits for its end and does not see its rows", async () => {
  const { given } = await duringTransaction((executor) => executor.all(sql("SELECT * FROM users")));
  expect(await given).toEqual([]);
});

test("a stranger's insert during an open transaction is not swept into its rollback, whichever executor of the handle it uses", async () => {
  const { given, handle } = await duringTransaction((executor) =>
    executor.run(sql("INSERT INTO users (id, name) VALUES ('s', 's')")),
  );
  await given;
  expect(await idsOf(fromNodeSqlite(handle), "users")).toEqual(["s"]);
});

test("two pushes at once run one after another", async () => {
  const executor = await open();
  await ensureSchema({ schema, executor });
  const order: string[] = [];
  const push = (clientID: string) =>
    withPushTransaction(depsOf(executor), { ...scopeOf(), idsByClient: new Map([[clientID, [1]]]) }, async (tx) => {
      order.push(`begin ${clientID}`);
      await tx.mutation(origin(1, clientID), async (store) =>
        dbOf(store).insert(users).values({ id: clientID, name: clientID }),
      );
      tx.advance(origin(1, clientID));
      order.push(`end ${clientID}`);
    });
  await Promise.all([push("a"), push("b")]);
  expect(order).toEqual(["begin a", "end a", "begin b", "end b"]);
  expect((await logOf(executor)).map((row) => row["client_id"])).toEqual(["a", "a", "b", "b"]);
});

test("a connection that is kept beyond its transaction is refused", async () => {
  const executor = await open();
  const kept = await executor.transaction(async (connection) => connection);
  await expect(kept.all(sql("SELECT 1"))).rejects.toMatchObject({ code: "bug/invariant" });
});

test("a transaction that SQLite rolled back by itself runs no further statement and fails", async () => {
  const executor = await open();
  await ensureSchema({ schema, executor });
  await executor.run(
    sql("CREATE TRIGGER stop BEFORE INSERT ON users WHEN NEW.id = 'bad' BEGIN SELECT raise(ROLLBACK, 'stop'); END"),
  );
  const run = withPushTransaction(depsOf(executor), scopeOf(1), async (tx) => {
    const run = tx.mutation(origin(1), async (store) => {
      const insert = (id: string) =>
        store.write([{ table: "users", id, before: null, after: { id, name: id, email: null } }]);
      await insert("bad").catch(() => undefined);
      await insert("late").catch(() => undefined);
    });
    await expect(run).rejects.toMatchObject({ code: "data/invalid" });
    tx.advance(origin(1), { code: "data/invalid", message: "no" });
  });
  await expect(run).rejects.toMatchObject({ code: "server/retry" });
  expect(await idsOf(executor, "users")).toEqual([]);
});
