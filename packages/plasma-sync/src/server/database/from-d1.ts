// Owns: the executor of Cloudflare D1, which has batches but no interactive transaction.

import { assert } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import { classifySqlite } from "../sql/sqlite-errors.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "./sql-executor.ts";

interface D1StatementLike {
  bind(...values: unknown[]): D1StatementLike;
  all(): Promise<{ readonly results?: unknown }>;
}

/** What Plasma uses of a D1 binding. */
export interface D1Like {
  prepare(sql: string): D1StatementLike;
  batch(statements: never[]): Promise<readonly { readonly results?: unknown }[]>;
}

/**
 * An executor over a D1 binding. `queriesMax` is what the Workers plan allows per request (1000, on the free plan 50): a
 * push that would need more is applied in part, and the client goes on from there.
 *
 * @example
 * const executor = fromD1(env.DB);
 */
export function fromD1(db: D1Like, options: { readonly queriesMax?: number } = {}): SqlExecutor {
  const { queriesMax } = options;
  const prepare = ({ text, params }: SqlStatement) => {
    const statement = db.prepare(text);
    return params.length === 0 ? statement : statement.bind(...params);
  };
  const all = async (statement: SqlStatement) => rowsOf(await prepare(statement).all());
  return {
    dialect: "sqlite",
    interactive: false,
    // A fifth is left for what a request reads beside the push, and for its last mutation.
    pushStatementsMax: queriesMax === undefined ? limits.sqlBatchStatementsMax : Math.floor(queriesMax * 0.8),
    all,
    run: async (statement) => void (await all(statement)),
    batch: async (statements) => {
      if (statements.length === 0) return [];
      return (await db.batch(statements.map(prepare) as never[])).map(rowsOf);
    },
    transaction: () => assertNone(),
    classify: (error) => classifySqlite(...codeAndMessage(error)),
  };
}

const rowsOf = ({ results }: { readonly results?: unknown }): readonly SqlRow[] => (results ?? []) as readonly SqlRow[];

async function assertNone(): Promise<never> {
  assert(false, "d1: it has no interactive transaction");
}

/** D1 writes `D1_ERROR: <message>: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)`. */
function codeAndMessage(error: unknown): [code: string, message: string] {
  const message = String((error as { readonly message?: unknown } | null)?.message ?? error);
  const code = /: (SQLITE_\w+(?: \(extended: \w+\))?)$/.exec(message)?.[1] ?? "";
  return [message.startsWith("D1_") ? code : "", message];
}
