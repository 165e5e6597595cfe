// Owns: the executor of Node's built-in SQLite (node:sqlite).

import { classifySqlite } from "../sql/sqlite-errors.ts";
import type { SqlErrorClass, SqlExecutor, SqlParam, SqlRow } from "./sql-executor.ts";
import { sqliteExecutor, type SqliteHandle } from "./sqlite-executor.ts";

interface NodeSqliteStatement {
  all(...params: SqlParam[]): unknown[];
  run(...params: SqlParam[]): unknown;
}

/** What Plasma uses of `DatabaseSync`. */
export interface NodeSqliteDatabase {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): NodeSqliteStatement;
}

/**
 * An executor over a `DatabaseSync` of `node:sqlite`. Open files in WAL mode, with a `timeout` if other processes write too.
 *
 * @example
 * const executor = fromNodeSqlite(new DatabaseSync("app.db", { timeout: 5000 }));
 */
export function fromNodeSqlite(db: NodeSqliteDatabase): SqlExecutor {
  return sqliteExecutor(db, { open: () => handleOf(db), classify });
}

const handleOf = (db: NodeSqliteDatabase): SqliteHandle => ({
  isInTransaction: () => db.isTransaction,
  exec: (sql) => db.exec(sql),
  prepare: (sql) => {
    const statement = db.prepare(sql);
    return {
      all: (params) => statement.all(...params) as SqlRow[],
      run: (params) => void statement.run(...params),
    };
  },
});

/** Extended result codes (https://sqlite.org/rescode.html) that matter, by name. */
const codeNames: { readonly [code: number]: string } = {
  18: "SQLITE_TOOBIG",
  20: "SQLITE_MISMATCH",
  25: "SQLITE_RANGE",
  1299: "SQLITE_CONSTRAINT_NOTNULL",
  1555: "SQLITE_CONSTRAINT_PRIMARYKEY",
  2067: "SQLITE_CONSTRAINT_UNIQUE",
  2579: "SQLITE_CONSTRAINT_ROWID",
};
const CONSTRAINT = 19;

function classify(error: unknown): SqlErrorClass {
  const { code, errcode, message } = (error ?? {}) as {
    readonly code?: unknown;
    readonly errcode?: unknown;
    readonly message?: unknown;
  };
  // An integer that no JavaScript number holds was stored by raw SQL.
  if (code === "ERR_OUT_OF_RANGE") return "data";
  if (typeof errcode !== "number") return "retry";
  const name = codeNames[errcode] ?? ((errcode & 0xff) === CONSTRAINT ? "SQLITE_CONSTRAINT" : "");
  return classifySqlite(name, String(message));
}
