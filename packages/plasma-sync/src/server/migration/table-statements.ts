// Owns: the DDL of an app's table: columns, unique constraints, indexes. All statements are idempotent.

import type { ColumnDef } from "../../core/schema/column.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Value } from "../../core/schema/value.ts";
import { toHex } from "../../core/lib/hex.ts";
import type { DialectName } from "../database/sql-executor.ts";
import { quoteName, quoteText } from "../sql/sql-text.ts";
import { postgresColumnType, sqlType, toParam } from "../sql/sql-value.ts";
import { objectName } from "./object-name.ts";

/** Creates the table with its indexes. */
export function tableStatements(dialect: DialectName, meta: TableMeta): string[] {
  const table = quoteName(meta.name);
  const columns = meta.columns.map(({ def }) => columnSql(dialect, def)).join(", ");
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (${columns})${dialect === "sqlite" ? " STRICT" : ""}`,
    ...indexesOf(meta).map(({ statement }) => statement),
  ];
}

/** Adds a column that may be null or has a default, to a table that has rows: no row is written, so no trigger fires. */
export const addColumnStatement = (dialect: DialectName, def: ColumnDef): string =>
  `ALTER TABLE ${quoteName(def.table)} ADD COLUMN ${columnSql(dialect, def)}`;

export interface TableIndex {
  readonly name: string;
  readonly isUnique: boolean;
  readonly columns: readonly string[];
  readonly statement: string;
}

/** The indexes that the schema wants of a table, and of the log for it. */
export const indexesOf = (meta: TableMeta): readonly TableIndex[] => [
  ...meta.unique.map((columns) => indexOf(meta.name, columns, true)),
  ...indexLists(meta).map((columns) => indexOf(meta.name, columns, false)),
  ...(meta.resolveConflict === undefined ? [] : [logIndexOf(meta.name)]),
];

export const logIndexName = (table: string): string => objectName("_plasma_log_rows", table);

/** Finds what happened to one row since a version. */
function logIndexOf(table: string): TableIndex {
  const name = logIndexName(table);
  const on = `_plasma_changes (row_id, row_version) WHERE table_name = ${quoteText(table)}`;
  const statement = `CREATE INDEX IF NOT EXISTS ${quoteName(name)} ON ${on}`;
  return { name, isUnique: false, columns: [], statement };
}

/** The type as which a column is created. */
export const columnType = (dialect: DialectName, { kind }: ColumnDef): string =>
  dialect === "sqlite" ? sqlType(kind) : postgresColumnType(kind);

function columnSql(dialect: DialectName, def: ColumnDef): string {
  const type = `${quoteName(def.name)} ${columnType(dialect, def)}`;
  // In SQLite a primary key alone may be null.
  if (def.kind === "id") return `${type} PRIMARY KEY NOT NULL`;
  const notNull = def.notNull ? " NOT NULL" : "";
  return def.default === undefined
    ? type + notNull
    : `${type}${notNull} DEFAULT ${literal(dialect, def, def.default.value as Value)}`;
}

/** For rows that raw SQL inserts without the column. */
function literal(dialect: DialectName, { kind }: ColumnDef, value: Value): string {
  const param = toParam(kind, value);
  if (param === null) return "NULL";
  if (param instanceof Uint8Array) return dialect === "sqlite" ? `x'${toHex(param)}'` : `'\\x${toHex(param)}'`;
  if (kind === "boolean" && dialect === "postgres") return param === 0 ? "FALSE" : "TRUE";
  // Without parentheses: SQLite adds no column whose default is an expression.
  return typeof param === "number" || kind === "bigint" ? String(param) : quoteText(param);
}

/** The table option's lists and one per ref, without those that a unique index or an earlier list begins with. */
function indexLists(meta: TableMeta): (readonly string[])[] {
  const refs = meta.columns.filter(({ def }) => def.kind === "ref").map(({ def }) => [def.name]);
  const lists: (readonly string[])[] = [];
  for (const list of [...meta.indexes, ...refs]) {
    const isCovered = [...meta.unique, ...lists].some((other) => list.every((name, i) => other[i] === name));
    if (!isCovered) lists.push(list);
  }
  return lists;
}

function indexOf(table: string, columns: readonly string[], isUnique: boolean): TableIndex {
  const name = objectName(isUnique ? "_plasma_unique" : "_plasma_index", table, ...columns);
  const what = isUnique ? "UNIQUE INDEX" : "INDEX";
  const on = `${quoteName(table)} (${columns.map(quoteName).join(", ")})`;
  return { name, isUnique, columns, statement: `CREATE ${what} IF NOT EXISTS ${quoteName(name)} ON ${on}` };
}
