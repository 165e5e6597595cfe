// Owns: the executor of Postgres through the package postgres ("postgres.js"). The app brings the handle; nothing of the
// package is imported.
//
// What the SQL layer may rely on:
//   Parameters stand in the text as $1, $2, … Text, numbers and null are sent without a type, so Postgres takes it from the
//   context, as it does for a quoted literal; where there is no context (`SELECT $1`) it takes text, and for null alone it
//   may refuse: cast there. JSON is bound as its text and not encoded once more. A Uint8Array is sent as bytea.
//   Rows come back by the column's type, whatever parsers the app has given its handle:
//     boolean → boolean · int2, int4, oid, float4, float8 → number · bytea → Uint8Array · SQL null → null
//     all else → the text that Postgres prints: text, int8 (so `count(*)` too), numeric, json, jsonb, uuid, dates, arrays
//   jsonb stays text because a parsed JSON `null` could not be told from SQL's.

import { classifyPostgres } from "../sql/postgres-errors.ts";
import { watchCommits } from "./commit-notices.ts";
import { execute, type PostgresSession } from "./postgres-session.ts";
import { inPostgresTransaction, type PostgresSql } from "./postgres-transaction.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "./sql-executor.ts";

/**
 * An executor over a handle of the package `postgres` (3.4 or newer). Give the handle no `transform`; its `types` do not
 * matter. Behind a pooler that keeps no sessions and no prepared statements, give it `prepare: false`: then the package asks
 * for the types of each statement first, which costs a second round trip. To hear of other processes' commits the package
 * opens one connection more.
 *
 * @example
 * const executor = fromPostgres(postgres("postgres://app@localhost/app"));
 */
export function fromPostgres(sql: PostgresSql): SqlExecutor {
  return {
    dialect: "postgres",
    interactive: true,
    pushStatementsMax: Number.POSITIVE_INFINITY,
    all: (statement) => rowsOf(sql, statement),
    run: async (statement) => void (await execute(sql, statement)),
    batch: (statements) => runBatch(sql, statements),
    transaction: (fn) => inPostgresTransaction(sql, SERIALIZABLE, fn),
    classify: classifyPostgres,
    watchCommits: (onCommit) => watchCommits(sql, onCommit),
  };
}

const SERIALIZABLE = "isolation level serializable";
/** Enough to see one state, and never in the way of a writer. */
const SNAPSHOT = "isolation level repeatable read";

async function rowsOf(session: PostgresSession, statement: SqlStatement): Promise<readonly SqlRow[]> {
  return (await execute(session, statement)).rows;
}

async function runBatch(sql: PostgresSql, statements: readonly SqlStatement[]): Promise<(readonly SqlRow[])[]> {
  const [first] = statements;
  if (first === undefined) return [];
  if (statements.length === 1) return [await rowsOf(sql, first)];
  const level = statements.every(({ text }) => /^\s*(SELECT|WITH)\b/i.test(text)) ? SNAPSHOT : SERIALIZABLE;
  // All are sent before the first answer comes; after one that fails Postgres refuses the others.
  return inPostgresTransaction(sql, level, (connection) => Promise.all(statements.map(connection.all)));
}
