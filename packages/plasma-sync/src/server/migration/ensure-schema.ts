// Owns: ensureSchema: the tables, indexes and triggers of a schema exist. It creates; it never alters or drops a table.
// Invariants:
//   1. Once done for an executor and schema it costs nothing; in a new process it costs one select.
//   2. Two processes may run it at once: every statement is idempotent and they commit together.
//   3. A schema that was once in place is left alone, whatever came after it: a process of an older version does not fight
//      one of a newer. A schema that is new here keeps the columns that the log already has.
//   4. Only results are remembered, never promises: on Workers a promise of one request may not be awaited by another.

import type { AnySchema } from "../../core/schema/schema.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { readNote, readState } from "./database-state.ts";
import { internalTableStatements } from "./internal-tables.ts";
import { findMisfits } from "./misfits.ts";
import {
  fingerprintKey,
  missedRefsStatements,
  notesOf,
  putInPlace,
  serverTables,
  triggersHash,
  withLoggedColumns,
} from "./schema-statements.ts";
import { tableStatements } from "./table-statements.ts";
import { triggerStatements } from "./triggers.ts";
import { serverError } from "../server-error.ts";

const done = new WeakMap<SqlExecutor, WeakSet<AnySchema>>();

/**
 * Creates what the schema needs and the database lacks. It adds no column to a table that exists: that is for
 * `runMigrations`.
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
  const tables = serverTables(schema);
  const key = fingerprintKey(dialect, tables);
  if ((await readNote(executor, key)) === undefined) {
    const state = await readState(executor, tables);
    const refusals = findMisfits(dialect, tables, state);
    if (refusals.length > 0) throw serverError("migration/refused", { refusals });
    const logged = tables.map((meta) => withLoggedColumns(meta, state));
    const ddl = [
      ...internalTableStatements(dialect),
      ...tables.flatMap((meta) => tableStatements(dialect, meta)),
      ...logged.flatMap((meta) => triggerStatements(dialect, meta)),
      ...logged.flatMap((meta) => missedRefsStatements(dialect, meta, state)),
    ];
    await putInPlace(executor, ddl, notesOf(dialect, key, logged), triggersHash(dialect, logged));
  }
  if (schemas === undefined) done.set(executor, (schemas = new WeakSet()));
  schemas.add(schema);
}
