// Owns: ensureSchema: the tables, indexes and triggers of a schema exist. It creates; it never alters or drops a table.
// Invariants:
//   1. Once done for an executor and schema it costs nothing; in a new process it costs one select.
//   2. Two processes may run it at once: every statement is idempotent and they commit together; on Postgres under the lock
//      of the log's order, so that no push is under way when triggers come.
//   3. Only results are remembered, never promises: on Workers a promise of one request may not be awaited by another.

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../core/lib/hex.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import { createLogOrder, holdLogOrder, withoutNotices } from "../database/log-order.ts";
import type { SqlExecutor, SqlStatement } from "../database/sql-executor.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import { INTERNAL_FORMAT, internalTableStatements } from "./internal-tables.ts";
import { findMisfits } from "./misfits.ts";
import { tableStatements } from "./table-statements.ts";
import { triggerStatements } from "./triggers.ts";
import { serverError } from "../server-error.ts";

const done = new WeakMap<SqlExecutor, WeakSet<AnySchema>>();
const fingerprintKey = "fingerprint";

/**
 * Creates what the schema needs and the database lacks.
 *
 * @throws PlasmaError `migration/refused` when a table exists without one of the schema's columns, or with another type.
 * @example
 * await ensureSchema({ schema, executor: fromD1(env.DB) });
 */
export async function ensureSchema({
  schema,
  executor,
}: {
  readonly schema: AnySchema;
  readonly executor: SqlExecutor;
}): Promise<void> {
  let schemas = done.get(executor);
  if (schemas?.has(schema) === true) return;
  const { dialect } = executor;
  const tables = [...schema.tablesByName.values()].filter((meta) => !meta.changeLogSuppressed);
  const statements = [
    ...internalTableStatements(dialect),
    ...tables.flatMap((meta) => [...tableStatements(dialect, meta), ...triggerStatements(dialect, meta)]),
  ];
  const fingerprint = fingerprintOf(statements);
  if ((await storedFingerprint(executor)) !== fingerprint) {
    const refusals = await findMisfits(executor, tables);
    if (refusals.length > 0) throw serverError("migration/refused", { refusals });
    await create(executor, statements, fingerprint);
  }
  if (schemas === undefined) done.set(executor, (schemas = new WeakSet()));
  schemas.add(schema);
}

function fingerprintOf(statements: readonly string[]): string {
  return toHex(sha256(new TextEncoder().encode(JSON.stringify([INTERNAL_FORMAT, statements]))));
}

async function storedFingerprint(executor: SqlExecutor): Promise<unknown> {
  try {
    const rows = await executor.all({
      text: withPlaceholders(executor.dialect, `SELECT value FROM _plasma_schema WHERE key = ?1`),
      params: [fingerprintKey],
    });
    return rows[0]?.["value"];
  } catch (error) {
    // In a new database the table is not there yet. Any other failure will show again in what follows.
    if (!isMissingTable(error)) throw error;
    return undefined;
  }
}

/** SQLite says it in words, Postgres by its code. */
const isMissingTable = (error: unknown): boolean =>
  (error as { readonly code?: unknown } | null)?.code === "42P01" || /no such table/.test(String(error));

async function create(executor: SqlExecutor, statements: readonly string[], fingerprint: string): Promise<void> {
  const { dialect } = executor;
  const store: SqlStatement = {
    text: withPlaceholders(
      dialect,
      `INSERT INTO _plasma_schema (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    ),
    params: [fingerprintKey, fingerprint],
  };
  const frame = dialect === "postgres" ? [...holdLogOrder(dialect), withoutNotices] : [];
  if (dialect === "postgres") await executor.batch(createLogOrder);
  await executor.batch([...frame, ...statements.map((text) => ({ text, params: [] })), store]);
}
