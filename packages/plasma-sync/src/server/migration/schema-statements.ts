// Owns: what a schema needs in a database, as statements, and putting statements and notes in place together.

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../core/lib/hex.ts";
import { Column } from "../../core/schema/column.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { createLogOrder, holdLogOrder, withoutNotices } from "../database/log-order.ts";
import type { DialectName, SqlExecutor, SqlStatement } from "../database/sql-executor.ts";
import { writeNote, writeTriggerMark, type DatabaseState, type TableRecord } from "./database-state.ts";
import { fileColumnsOf, rebuildRefsStatements } from "./file-triggers.ts";
import { INTERNAL_FORMAT, internalTableStatements } from "./internal-tables.ts";
import { tableStatements } from "./table-statements.ts";
import { triggerStatements } from "./triggers.ts";

export const hashOf = (value: unknown): string => toHex(sha256(new TextEncoder().encode(JSON.stringify(value))));

/** The tables that exist on the server. */
export const serverTables = (schema: AnySchema): readonly TableMeta[] =>
  [...schema.tablesByName.values()].filter((meta) => !meta.changeLogSuppressed);

/** The key of the note that a schema was put in place by this version of Plasma. */
export function fingerprintKey(dialect: DialectName, tables: readonly TableMeta[]): string {
  const statements = tables.flatMap((meta) => [...tableStatements(dialect, meta), ...triggerStatements(dialect, meta)]);
  return `fingerprint:${hashOf([INTERNAL_FORMAT, internalTableStatements(dialect), statements])}`;
}

export const internalHash = (dialect: DialectName): string => hashOf(internalTableStatements(dialect));
export const triggersHash = (dialect: DialectName, tables: readonly TableMeta[]): string =>
  hashOf(tables.map((meta) => triggerStatements(dialect, meta)));

export const recordOf = (meta: TableMeta): TableRecord =>
  Object.fromEntries(meta.columns.map(({ def: { name, kind, notNull } }) => [name, { kind, notNull }]));

/**
 * The table with the columns that the log already has of it although this schema does not know them: those of a newer
 * version, whose processes run beside this one.
 */
export function withLoggedColumns(meta: TableMeta, { records, tables }: DatabaseState): TableMeta {
  const stored = tables.get(meta.name);
  const others = Object.entries(records.get(meta.name) ?? {}).filter(
    ([name]) => !meta.columnsByName.has(name) && stored?.has(name) === true,
  );
  const columns = others.map(([name, { kind, notNull }]) => {
    const plain = { unique: false, encrypted: false, default: undefined, values: undefined, ref: undefined } as const;
    return new Column({ ...plain, table: meta.name, name, kind, notNull, file: undefined });
  });
  return { ...meta, columns: [...meta.columns, ...columns] };
}

/**
 * What makes a table's list of refs complete, where it holds rows that were written before its triggers knew all of its file
 * columns.
 */
export function missedRefsStatements(dialect: DialectName, meta: TableMeta, state: DatabaseState): string[] {
  const record = state.records.get(meta.name) ?? {};
  const isKnown =
    state.notes.get("internal") === internalHash(dialect) &&
    fileColumnsOf(meta).every((column) => record[column]?.kind === "file");
  return isKnown || !state.tables.has(meta.name) ? [] : rebuildRefsStatements(meta);
}

/** Everything that is noted of tables that are in place. */
export const notesOf = (dialect: DialectName, key: string, tables: readonly TableMeta[]): SqlStatement[] => [
  ...tables.map((meta) => writeNote(dialect, `table:${meta.name}`, JSON.stringify(recordOf(meta)))),
  writeNote(dialect, "internal", internalHash(dialect)),
  writeNote(dialect, key, "1"),
];

/** Runs DDL and writes notes, all or none; on Postgres under the lock of the log's order, so that no push is under way. */
export async function putInPlace(
  executor: SqlExecutor,
  ddl: readonly string[],
  notes: readonly SqlStatement[],
  triggers: string,
): Promise<void> {
  const statements = [...ddl.map((text) => ({ text, params: [] })), ...notes];
  if (executor.dialect === "sqlite") return void (await executor.batch(statements));
  await executor.batch(createLogOrder);
  await executor.batch([...holdLogOrder("postgres"), withoutNotices, ...statements, writeTriggerMark(triggers)]);
}
