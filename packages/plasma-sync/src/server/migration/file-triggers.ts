// Owns: the triggers that keep `_plasma_blob_refs`: which row's column holds which blob, whoever writes the row; and making the
// list anew from the rows.
// Invariants:
//   1. After every statement the list names exactly the FileRefs in file columns of synced tables, without those that carry
//      their bytes themselves (`inline`).
//   2. Tables without file columns have no trigger of these.

import type { TableMeta } from "../../core/schema/table.ts";
import type { DialectName } from "../database/sql-executor.ts";
import { balanced, quoteName, quoteText } from "../sql/sql-text.ts";
import { objectName } from "./object-name.ts";
import { functionSql, rowTriggerStatements } from "./trigger-sql.ts";

export const fileColumnsOf = (meta: TableMeta): readonly string[] =>
  meta.columns.filter(({ def }) => def.kind === "file").map(({ def }) => def.name);

/** None for a table without file columns. */
export function fileTriggerStatements(dialect: DialectName, meta: TableMeta): string[] {
  const columns = fileColumnsOf(meta);
  if (columns.length === 0) return [];
  const differs = dialect === "sqlite" ? "IS NOT" : "IS DISTINCT FROM";
  const isChanged = balanced(
    ["id", ...columns].map((name) => `OLD.${quoteName(name)} ${differs} NEW.${quoteName(name)}`),
    "OR",
  );
  const forget = (row: string) =>
    `DELETE FROM _plasma_blob_refs WHERE table_name = ${quoteText(meta.name)} AND row_id = ${row}."id"`;
  const remember = columns.map((column) => insertRef(meta, column, "NEW")).join("; ");
  const group = "_plasma_file";
  return [
    // SQLite's `INSERT OR REPLACE` fires no delete trigger for the row that it throws out.
    { group, name: "insert", event: "INSERT", when: "1 = 1", body: `${forget("NEW")}; ${remember}` } as const,
    { group, name: "update", event: "UPDATE", when: isChanged, body: `${forget("OLD")}; ${remember}` } as const,
    { group, name: "delete", event: "DELETE", when: "1 = 1", body: forget("OLD") } as const,
  ]
    .flatMap((trigger) => rowTriggerStatements(dialect, meta, trigger))
    .concat(dialect === "sqlite" ? [] : truncateTrigger(meta));
}

/** `row` is NEW, or the alias of the table in a FROM that follows. */
function refOf(meta: TableMeta, column: string, row: string): { readonly select: string; readonly where: string } {
  const cell = `${row}.${quoteName(column)}`;
  return {
    select: `${cell}->>'hash', ${quoteText(meta.name)}, ${row}."id", ${quoteText(column)}`,
    where: `(${cell}->>'hash') IS NOT NULL AND (${cell}->>'inline') IS NULL`,
  };
}

const INSERT = "INSERT INTO _plasma_blob_refs (hash, table_name, row_id, column_name)";

function insertRef(meta: TableMeta, column: string, row: string): string {
  const { select, where } = refOf(meta, column, row);
  return `${INSERT} SELECT ${select} WHERE ${where}`;
}

/** Fired after the trigger that takes the lock of the log's order: triggers fire by name. */
function truncateTrigger(meta: TableMeta): string[] {
  const name = quoteName(objectName("_plasma_truncate_files", meta.name));
  return [
    functionSql(name, forgetTable(meta.name)),
    `CREATE OR REPLACE TRIGGER ${name} BEFORE TRUNCATE ON ${quoteName(meta.name)} FOR EACH STATEMENT EXECUTE FUNCTION ${name}()`,
  ];
}

const forgetTable = (table: string): string => `DELETE FROM _plasma_blob_refs WHERE table_name = ${quoteText(table)}`;

/** Takes away what the list holds of a table that is no more. */
export const forgetTableStatement = (table: string) => ({ text: forgetTable(table), params: [] });

/** Makes the list of the table's refs anew, for rows that were written before its triggers were there. */
export function rebuildRefsStatements(meta: TableMeta): string[] {
  const columns = fileColumnsOf(meta);
  if (columns.length === 0) return [];
  const inserts = columns.map((column) => {
    const { select, where } = refOf(meta, column, "t");
    return `${INSERT} SELECT ${select} FROM ${quoteName(meta.name)} AS t WHERE ${where}`;
  });
  return [forgetTable(meta.name), ...inserts];
}
