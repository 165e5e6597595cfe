// Owns: databases for the tests that run on Node.

import { DatabaseSync } from "node:sqlite";
import { assert } from "../../core/lib/assert.ts";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import type { SqlConnection, SqlExecutor } from "../database/sql-executor.ts";

export const memoryDatabase = (): SqlExecutor => fromNodeSqlite(new DatabaseSync(":memory:"));

/** The same database as an engine that has batches only, as D1. */
export const batchOnly = (executor: SqlExecutor): SqlExecutor => ({
  ...executor,
  interactive: false,
  pushStatementsMax: 900,
  transaction: async () => assert(false, "a batch-only engine has no transaction") as never,
});

/** Calls `hook` before and after each statement or batch, and around a commit; what it throws is the database's failure. */
export function hooked(executor: SqlExecutor, hook: (when: "before" | "after", text: string) => void): SqlExecutor {
  const around = async <T>(text: string, run: () => Promise<T>): Promise<T> => {
    hook("before", text);
    const result = await run();
    hook("after", text);
    return result;
  };
  const connectionOf = (inner: SqlConnection): SqlConnection => ({
    all: (statement) => around(statement.text, () => inner.all(statement)),
    run: (statement) => around(statement.text, () => inner.run(statement)),
  });
  return {
    ...executor,
    ...connectionOf(executor),
    batch: (statements) => around(statements.map(({ text }) => text).join("; "), () => executor.batch(statements)),
    transaction: (fn) => around("COMMIT", () => executor.transaction((connection) => fn(connectionOf(connection)))),
  };
}
