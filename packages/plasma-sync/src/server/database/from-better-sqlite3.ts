// Owns: the executor of the package better-sqlite3 (Node). The app brings the handle; nothing of the package is imported.

import { classifySqlite } from "../sql/sqlite-errors.ts";
import { plainBytes } from "./plain-bytes.ts";
import type { SqlErrorClass, SqlExecutor, SqlParam } from "./sql-executor.ts";
import { sqliteExecutor, type SqliteHandle, type SqliteHandleStatement } from "./sqlite-executor.ts";

interface BetterSqlite3Statement {
  /** Whether the statement returns rows. */
  readonly reader: boolean;
  all(...params: unknown[]): unknown[];
  run(...params: unknown[]): unknown;
}

/** What Plasma uses of a better-sqlite3 `Database`. */
export interface BetterSqlite3Database {
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
  prepare(sql: string): BetterSqlite3Statement;
}

/**
 * An executor over a `Database` of the package `better-sqlite3` (13 or newer). Open files in WAL mode; `timeout` (5 s
 * unless given) is how long a write waits for other processes. Leave `defaultSafeIntegers` off.
 *
 * @example
 * const executor = fromBetterSqlite3(new Database("app.db"));
 */
export function fromBetterSqlite3(db: BetterSqlite3Database): SqlExecutor {
  return sqliteExecutor(db, { open: () => handleOf(db), classify });
}

const handleOf = (db: BetterSqlite3Database): SqliteHandle => ({
  isInTransaction: () => db.inTransaction,
  exec: (sql) => void db.exec(sql),
  prepare: (sql) => adapt(db.prepare(sql)),
});

function adapt(statement: BetterSqlite3Statement): SqliteHandleStatement {
  return {
    all: (params) => {
      if (statement.reader) return plainBytes(statement.all(...bound(params)));
      statement.run(...bound(params));
      return [];
    },
    run: (params) => void statement.run(...bound(params)),
  };
}

/** The package counts `?1` as a named parameter, called "1". */
function bound(params: readonly SqlParam[]): unknown[] {
  if (params.length === 0) return [];
  return [Object.fromEntries(params.map((param, i) => [i + 1, param]))];
}

/** The package's errors have the name of SQLite's extended result code as `code`. */
function classify(error: unknown): SqlErrorClass {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return typeof code === "string" && code.startsWith("SQLITE_") ? classifySqlite(code, String(message)) : "retry";
}
