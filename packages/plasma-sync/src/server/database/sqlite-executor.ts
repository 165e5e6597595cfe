// Owns: the executor of a SQLite connection in this process, whichever package brings it: from-node-sqlite.ts and
// from-better-sqlite3.ts adapt their handles to it.
// Invariants:
//   1. One connection is one queue: while a transaction is open, no statement of anyone else runs on it, reads included.
//      Executors made of the same handle share the queue. (Statements that the app runs on the handle itself do not queue.)
//   2. A transaction that SQLite has rolled back by itself runs no further statement, which would commit alone.

import { assert } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { SqlConnection, SqlExecutor, SqlParam, SqlRow, SqlStatement } from "./sql-executor.ts";
import { serverError } from "../server-error.ts";

export interface SqliteHandleStatement {
  /** Takes statements that return no rows, too. */
  all(params: readonly SqlParam[]): readonly SqlRow[];
  run(params: readonly SqlParam[]): void;
}

/** What the executor needs of a package's handle. */
export interface SqliteHandle {
  isInTransaction(): boolean;
  exec(sql: string): void;
  prepare(sql: string): SqliteHandleStatement;
}

const connections = new WeakMap<object, SqliteConnection>();

/** The executor of `db`, a handle of some package; `open` adapts it when it is seen for the first time. */
export function sqliteExecutor(
  db: object,
  { open, classify }: { readonly open: () => SqliteHandle; readonly classify: SqlExecutor["classify"] },
): SqlExecutor {
  let connection = connections.get(db);
  if (connection === undefined) connections.set(db, (connection = new SqliteConnection(open())));
  return executorOn(connection, classify);
}

function executorOn(connection: SqliteConnection, classify: SqlExecutor["classify"]): SqlExecutor {
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
  connection: SqliteConnection,
  fn: (connection: SqlConnection) => Promise<T>,
): Promise<T> {
  let isOpen = true;
  const check = () => assert(isOpen, "sqlite: a transaction is used only while it runs");
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

class SqliteConnection {
  readonly #db: SqliteHandle;
  #statements = new Map<string, SqliteHandleStatement>();
  #older: ReadonlyMap<string, SqliteHandleStatement> = new Map();
  #tail: Promise<unknown> = Promise.resolve();
  #isInTransaction = false;

  constructor(db: SqliteHandle) {
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
    return this.#prepare(text).all(params);
  }

  run({ text, params }: SqlStatement): void {
    this.#prepare(text).run(params);
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
      if (this.#db.isInTransaction()) this.#db.exec("ROLLBACK");
      throw error;
    } finally {
      this.#isInTransaction = false;
    }
  }

  #prepare(text: string): SqliteHandleStatement {
    this.#refuseLostTransaction();
    return this.#statements.get(text) ?? this.#keep(text, this.#older.get(text) ?? this.#db.prepare(text));
  }

  /** In two generations: what was not used while the younger one filled up is forgotten. */
  #keep(text: string, statement: SqliteHandleStatement): SqliteHandleStatement {
    if (this.#statements.size >= limits.sqlPreparedStatementsMax / 2) {
      this.#older = this.#statements;
      this.#statements = new Map();
    }
    this.#statements.set(text, statement);
    return statement;
  }

  #refuseLostTransaction(): void {
    if (this.#isInTransaction && !this.#db.isInTransaction()) throw serverError("server/retry", {});
  }
}
