// Owns: looking at a whole database of either dialect: what exists in it, and every row.

import { quoteName } from "../sql/sql-text.ts";
import type { SqlExecutor, SqlStatement } from "./sql-executor.ts";

const sql = (text: string): SqlStatement => ({ text, params: [] });

export interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

const sqliteObjects = `SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite|_%' ESCAPE '|'
  AND name NOT LIKE '|_cf|_%' ESCAPE '|' ORDER BY name, type`;

const postgresObjects = `SELECT * FROM (
  SELECT 'table' AS type, c.relname::text AS name, (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
      a.attcollation::regcollation::text, a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS sql
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  UNION ALL SELECT 'index', indexname::text, indexdef FROM pg_indexes WHERE schemaname = current_schema()
  UNION ALL SELECT 'trigger', t.tgname::text, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND r.relnamespace = current_schema()::regnamespace
  UNION ALL SELECT 'function', p.proname::text, pg_get_functiondef(p.oid) FROM pg_proc p
  WHERE p.pronamespace = current_schema()::regnamespace) AS o ORDER BY name COLLATE "C", type`;

/** Tables, indexes, triggers and functions, with how each was made. */
export async function schemaObjectsOf(executor: SqlExecutor): Promise<readonly SchemaObject[]> {
  const rows = await executor.all(sql(executor.dialect === "sqlite" ? sqliteObjects : postgresObjects));
  return rows.map((row) => ({ type: String(row["type"]), name: String(row["name"]), sql: String(row["sql"]) }));
}

/** Every row of every table, Plasma's own included. */
export async function dumpDatabase(executor: SqlExecutor): Promise<{ readonly [table: string]: readonly object[] }> {
  const tables = (await schemaObjectsOf(executor)).filter(({ type }) => type === "table");
  const dumped: { [table: string]: readonly object[] } = {};
  for (const { name } of tables) dumped[name] = await rowsOf(executor, name);
  return dumped;
}

async function rowsOf(executor: SqlExecutor, table: string): Promise<readonly object[]> {
  if (executor.dialect === "postgres") {
    const rows = await executor.all(
      sql(`SELECT row_to_json(t)::text AS json FROM ${quoteName(table)} AS t ORDER BY t`),
    );
    return rows.map((row) => JSON.parse(String(row["json"])) as object);
  }
  const columns = await executor.all({ text: "SELECT name FROM pragma_table_info(?1)", params: [table] });
  const list = columns.map((column) => readable(quoteName(String(column["name"])))).join(", ");
  return executor.all(sql(`SELECT ${list} FROM ${quoteName(table)} ORDER BY 1`));
}

/** Whatever the engine, and however large a number is. */
const readable = (column: string): string =>
  `CASE WHEN typeof(${column}) = 'blob' THEN hex(${column}) WHEN ${column} NOT BETWEEN -9e15 AND 9e15 AND typeof(${column}) = 'integer' THEN CAST(${column} AS TEXT) ELSE ${column} END AS ${column}`;
