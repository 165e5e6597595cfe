// Owns: the executor of Node's built-in SQLite (node:sqlite).
// Invariants:
//   1. One connection is one queue: while a transaction is open, no statement of anyone else runs on it, reads included.
//      Executors made of the same handle share the queue. (Statements that the app runs on the handle itself do not queue.)
//   2. A transaction that SQLite has rolled back by itself runs no further statement, which would commit alone.

import { assert } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import { classifySqlite } from "../sql/sqlite-errors.ts";
import type { SqlConnection, SqlErrorClass, SqlExecutor, SqlParam, SqlRow, SqlStatement } from "./sql-executor.ts";
import { serverError } from "../server-error.ts";

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

const connections = new WeakMap<NodeSqliteDatabase, NodeSqliteConnection>();

/**
 * An executor over a `DatabaseSync` of `node:sqlite`. Open files in WAL mode, with a `timeout` if other processes write too.
 *
 * @example
 * const executor = fromNodeSqlite(new DatabaseSync("app.db", { timeout: 5000 }));
 */
export function fromNodeSqlite(db: NodeSqliteDatabase): SqlExecutor {
  let connection = connections.get(db);
  if (connection === undefined) connections.set(db, (connection = new NodeSqliteConnection(db)));
  return executorOf(connection);
}

function executorOf(connection: NodeSqliteConnection): SqlExecutor {
  return {
    dialect: "sqlite",
    interactive: true,
    pushStatementsMax: Number.POSITIVE_INFINITY,
    all: (statement) => connection.enqueue(() => connection.all(statement)),
    run: (statement) => connection.enqueue(() => connection.run(statement)),
    batch: (statements) =>
      connection.enqueue(() => {
        const results: (readonly SqlRow[])[] = [];
        return connection.inTransaction(beginFor(statements), async () => {
          for (const statement of statements) results.push(connection.all(statement));
          return results;
        });
      }),
    transaction: (fn) => connection.enqueue(() => runTransaction(connection, fn)),
    classify,
  };
}

async function runTransaction<T>(
  connection: NodeSqliteConnection,
  fn: (connection: SqlConnection) => Promise<T>,
): Promise<T> {
  let isOpen = true;
  const check = () => assert(isOpen, "node sqlite: a transaction is used only while it runs");
  try {
    return await connection.inTransaction("BEGIN IMMEDIATE", () =>
      fn({
        all: async (statement) => {
          check();
          return connection.all(statement);
        },
        run: async (statement) => {
          check();
          connection.run(statement);
        },
      }),
    );
  } finally {
    isOpen = false;
  }
}

/** Readers must not wait for a writer of another process. */
const beginFor = (statements: readonly SqlStatement[]): string =>
  statements.every(({ text }) => /^\s*(SELECT|WITH)\b/i.test(text)) ? "BEGIN" : "BEGIN IMMEDIATE";

class NodeSqliteConnection {
  readonly #db: NodeSqliteDatabase;
  readonly #statements = new Map<string, NodeSqliteStatement>();
  #tail: Promise<unknown> = Promise.resolve();
  #isInTransaction = false;

  constructor(db: NodeSqliteDatabase) {
    this.#db = db;
  }

  enqueue<T>(task: () => T | Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  all({ text, params }: SqlStatement): readonly SqlRow[] {
    return this.#prepare(text).all(...params) as SqlRow[];
  }

  run({ text, params }: SqlStatement): void {
    this.#prepare(text).run(...params);
  }

  async inTransaction<T>(begin: string, fn: () => Promise<T>): Promise<T> {
    this.#db.exec(begin);
    this.#isInTransaction = true;
    try {
      const result = await fn();
      this.#refuseLostTransaction();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  #prepare(text: string): NodeSqliteStatement {
    this.#refuseLostTransaction();
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      const [oldest] = this.#statements.keys();
      if (this.#statements.size >= limits.sqlPreparedStatementsMax && oldest !== undefined)
        this.#statements.delete(oldest);
    } else {
      this.#statements.delete(text);
    }
    // Moved to the end: the map's first entry is the one that was used longest ago.
    this.#statements.set(text, statement);
    return statement;
  }

  #refuseLostTransaction(): void {
    if (this.#isInTransaction && !this.#db.isTransaction) throw serverError("server/retry", {});
  }
}

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
