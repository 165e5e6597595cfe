// Owns: ensureSchema: the tables, indexes and triggers of a schema exist. It creates; it never alters or drops a table.
// Invariants:
//   1. Once done for an executor and schema it costs nothing; in a new process it costs one select.
//   2. Two processes may run it at once: every statement is idempotent and they commit together.
//   3. Only results are remembered, never promises: on Workers a promise of one request may not be awaited by another.

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../core/lib/hex.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { SqlExecutor, SqlStatement } from "../database/sql-executor.ts";
import { sqlType, type SqlType } from "../sql/sql-value.ts";
import { INTERNAL_FORMAT, internalTableStatements } from "./internal-tables.ts";
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
  const tables = [...schema.tablesByName.values()].filter((meta) => !meta.changeLogSuppressed);
  const statements = [
    ...internalTableStatements,
    ...tables.flatMap((meta) => [...tableStatements(meta), ...triggerStatements(meta)]),
  ];
  const fingerprint = fingerprintOf(statements);
  if ((await storedFingerprint(executor)) !== fingerprint) {
    await refuseMisfits(executor, tables);
    const store: SqlStatement = {
      text: `INSERT INTO _plasma_schema (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      params: [fingerprintKey, fingerprint],
    };
    await executor.batch([...statements.map((text) => ({ text, params: [] })), store]);
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
      text: `SELECT value FROM _plasma_schema WHERE key = ?1`,
      params: [fingerprintKey],
    });
    return rows[0]?.["value"];
  } catch (error) {
    // In a new database the table is not there yet. Any other failure will show again in what follows.
    if (!/no such table/.test(String(error))) throw error;
    return undefined;
  }
}

async function refuseMisfits(executor: SqlExecutor, tables: readonly TableMeta[]): Promise<void> {
  const rows = await executor.all({
    text:
      `SELECT t.name AS t, c.name AS c, c.type AS type FROM sqlite_master AS t, pragma_table_info(t.name) AS c ` +
      `WHERE t.type = 'table' AND t.name IN (SELECT value FROM json_each(?1))`,
    params: [JSON.stringify(tables.map((meta) => meta.name))],
  });
  const refusals = tables.flatMap((meta) => {
    const typesByColumn = new Map(
      rows.filter((row) => row["t"] === meta.name).map((row) => [row["c"], String(row["type"])]),
    );
    return typesByColumn.size === 0 ? [] : misfitsOf(meta, typesByColumn);
  });
  if (refusals.length > 0) throw serverError("migration/refused", { refusals });
}

function misfitsOf(meta: TableMeta, typesByColumn: ReadonlyMap<unknown, string>): string[] {
  return meta.columns.flatMap(({ def }) => {
    const declared = typesByColumn.get(def.name);
    const wanted = sqlType(def.kind);
    if (declared === undefined) return [`"${meta.name}" exists without the column "${def.name}" (${wanted})`];
    return affinityOf(declared) === wanted ? [] : [`"${meta.name}.${def.name}" is ${declared}, not ${wanted}`];
  });
}

/** SQLite's rules for declared types; BOOLEAN and other NUMERIC ones hold integers as they are. */
function affinityOf(declared: string): SqlType {
  if (/INT/i.test(declared)) return "INTEGER";
  if (/CHAR|CLOB|TEXT/i.test(declared)) return "TEXT";
  if (/BLOB/i.test(declared) || declared === "") return "BLOB";
  return /REAL|FLOA|DOUB/i.test(declared) ? "REAL" : "INTEGER";
}
