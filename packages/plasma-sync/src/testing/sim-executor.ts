// Owns: simExecutor: a database as a simulated server sees it: each statement takes a while, and before and behind each the world
// may let it fail or let the server die. And simD1: the same as an engine that has batches only.
// Invariants:
//   1. A server that dies inside a transaction leaves nothing of it: its next statement throws, and the database rolls back.
//   2. A failure behind a commit is one whose effect the server does not know of.

import { assert } from "../core/lib/assert.ts";
import type { SqlConnection, SqlExecutor, SqlStatement } from "../server/database/sql-executor.ts";

/** Passed before and behind each statement, batch and commit; what it throws is the database's failure. */
export type StatementGate = (when: "before" | "after", what: string) => Promise<void>;

export function simExecutor(inner: SqlExecutor, gate: StatementGate): SqlExecutor {
  const around = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
    await gate("before", what);
    const result = await run();
    await gate("after", what);
    return result;
  };
  const connectionOf = (connection: SqlConnection): SqlConnection => ({
    all: (statement) => around(verbOf(statement), () => connection.all(statement)),
    run: (statement) => around(verbOf(statement), () => connection.run(statement)),
  });
  return {
    ...inner,
    ...connectionOf(inner),
    batch: (statements) => around("batch", () => inner.batch(statements)),
    transaction: (fn) => around("transaction", () => inner.transaction((connection) => fn(connectionOf(connection)))),
    classify: (error) => (error instanceof SimDatabaseError ? "retry" : inner.classify(error)),
  };
}

/** The database failed, or the server died over it. */
export class SimDatabaseError extends RangeError {}

const verbOf = ({ text }: SqlStatement): string => /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? "statement";

/** The database as an engine without interactive transactions, that allows a request so many statements. */
export const simD1 = (inner: SqlExecutor, statementsMax: number): SqlExecutor => ({
  ...inner,
  interactive: false,
  pushStatementsMax: statementsMax,
  transaction: async () => assert(false, "sim d1: it has batches only") as never,
});
