// Owns: the executor of a SQLite-backed Durable Object's own storage. All of it is synchronous, so a batch is one
// transactionSync; that does not wait for an async mutator, so there is no interactive transaction.

import { assert } from "../../core/lib/assert.ts";
import { classifySqlite } from "../sql/sqlite-errors.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "./sql-executor.ts";

/** What Plasma uses of a Durable Object's `ctx.storage`. */
export interface DurableObjectStorageLike {
  readonly sql: { exec(query: string, ...bindings: unknown[]): { toArray(): unknown[] } };
  transactionSync<T>(closure: () => T): T;
}

/**
 * An executor over the storage of a Durable Object whose class is listed under `new_sqlite_classes`. Values and rows are at
 * most 2 MB there.
 *
 * @example
 * const executor = fromDurableObject(ctx.storage);
 */
export function fromDurableObject(storage: DurableObjectStorageLike): SqlExecutor {
  const all = ({ text, params }: SqlStatement) => plainRows(storage.sql.exec(text, ...params).toArray());
  return {
    dialect: "sqlite",
    interactive: false,
    // A Durable Object counts rows, not statements.
    pushStatementsMax: Number.POSITIVE_INFINITY,
    all: async (statement) => all(statement),
    run: async (statement) => void all(statement),
    batch: async (statements) => storage.transactionSync(() => statements.map(all)),
    transaction: async () => assert(false, "durable object: it has no interactive transaction") as never,
    classify: (error) => classifySqlite(...codeAndMessage(error)),
  };
}

/** The rows, changed in place: bytes come as ArrayBuffers. */
function plainRows(rows: readonly unknown[]): readonly SqlRow[] {
  for (const row of rows as { [column: string]: unknown }[]) {
    for (const column in row) {
      const value = row[column];
      if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value);
    }
  }
  return rows as readonly SqlRow[];
}

/** A Durable Object writes `<message>: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)`; what has no code is no SQLite error. */
function codeAndMessage(error: unknown): [code: string, message: string] {
  const message = String((error as { readonly message?: unknown } | null)?.message ?? error);
  const code = /: (SQLITE_\w+(?: \(extended: \w+\))?)$/.exec(message)?.[1];
  return code === undefined ? ["", ""] : [code, message];
}
