// Owns: telling what stands in the way of a schema: tables that exist without one of its columns, or with another type.

import type { AnyColumn, ColumnDef } from "../../core/schema/column.ts";
import * as limits from "../../core/limits.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { DialectName } from "../database/sql-executor.ts";
import { sqlType, type SqlType } from "../sql/sql-value.ts";
import type { DatabaseState, StoredColumn } from "./database-state.ts";
import { columnType } from "./table-statements.ts";

/** One sentence per misfit; none when the schema's statements may run. */
export function findMisfits(
  dialect: DialectName,
  tables: readonly TableMeta[],
  { tables: stored }: DatabaseState,
): string[] {
  const found = tables.flatMap((meta) => {
    const columns = stored.get(meta.name);
    return columns === undefined ? [] : [...wrongTypes(dialect, meta, columns), ...missing(dialect, meta, columns)];
  });
  return [...longNames(dialect, tables), ...found];
}

type StoredColumns = ReadonlyMap<string, StoredColumn>;

/** The columns that a table which exists lacks. */
export const missingColumns = (meta: TableMeta, stored: StoredColumns): readonly AnyColumn[] =>
  meta.columns.filter(({ def }) => !stored.has(def.name));

const missing = (dialect: DialectName, meta: TableMeta, stored: StoredColumns): string[] =>
  missingColumns(meta, stored).map(
    ({ def }) => `"${meta.name}" exists without the column "${def.name}" (${columnType(dialect, def)})`,
  );

/** One sentence per column that exists with another type than the schema's. */
export const wrongTypes = (dialect: DialectName, meta: TableMeta, stored: StoredColumns): string[] =>
  meta.columns.flatMap(({ def }) => {
    const declared = stored.get(def.name)?.type;
    if (declared === undefined || fits(dialect, def, declared)) return [];
    return [`"${meta.name}.${def.name}" is ${declared}, not ${columnType(dialect, def)}`];
  });

function fits(dialect: DialectName, def: ColumnDef, declared: string): boolean {
  if (dialect === "sqlite") return affinityOf(declared) === sqlType(def.kind);
  const type = declared.replace(/^character varying/, "text").replace(/^double precision$/, "float8");
  return type === columnType(dialect, def);
}

/** SQLite's rules for declared types; BOOLEAN and other NUMERIC ones hold integers as they are. */
function affinityOf(declared: string): SqlType {
  if (/INT/i.test(declared)) return "INTEGER";
  if (/CHAR|CLOB|TEXT/i.test(declared)) return "TEXT";
  if (/BLOB/i.test(declared) || declared === "") return "BLOB";
  return /REAL|FLOA|DOUB/i.test(declared) ? "REAL" : "INTEGER";
}

/** Postgres would cut them, and two of them might then be one. */
export function longNames(dialect: DialectName, tables: readonly TableMeta[]): string[] {
  if (dialect === "sqlite") return [];
  return tables
    .flatMap((meta) => [meta.name, ...meta.columns.map(({ def }) => def.name)])
    .filter((name) => name.length > limits.sqlNameBytesMax)
    .map((name) => `"${name}" is longer than the ${limits.sqlNameBytesMax} characters that Postgres keeps of a name`);
}
