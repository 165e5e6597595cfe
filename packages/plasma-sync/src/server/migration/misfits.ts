// Owns: telling what stands in the way of a schema: tables that exist without one of its columns, or with another type.

import type { ColumnDef } from "../../core/schema/column.ts";
import * as limits from "../../core/limits.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { DialectName, SqlExecutor, SqlStatement } from "../database/sql-executor.ts";
import { sqlType, type SqlType } from "../sql/sql-value.ts";
import { columnType } from "./table-statements.ts";

/** One sentence per misfit; none when the schema's statements may run. */
export async function findMisfits(executor: SqlExecutor, tables: readonly TableMeta[]): Promise<string[]> {
  const { dialect } = executor;
  const rows = await executor.all(readColumns(dialect, JSON.stringify(tables.map((meta) => meta.name))));
  const found = tables.flatMap((meta) => {
    const typesByColumn = new Map(
      rows.filter((row) => row["t"] === meta.name).map((row) => [row["c"], String(row["type"])]),
    );
    return typesByColumn.size === 0 ? [] : misfitsOf(dialect, meta, typesByColumn);
  });
  return dialect === "sqlite" ? found : [...tables.flatMap(longNames), ...found];
}

/** Rows of table `t`, column `c` and its `type`, for the tables that exist. */
const readColumns = (dialect: DialectName, names: string): SqlStatement =>
  dialect === "sqlite"
    ? {
        text:
          `SELECT t.name AS t, c.name AS c, c.type AS type FROM sqlite_master AS t, pragma_table_info(t.name) AS c ` +
          `WHERE t.type = 'table' AND t.name IN (SELECT value FROM json_each(?1))`,
        params: [names],
      }
    : {
        text:
          `SELECT wanted.value AS t, c.attname AS c, format_type(c.atttypid, NULL) || coalesce(' COLLATE "' || l.collname || '"', '') AS type ` +
          `FROM jsonb_array_elements_text($1::jsonb) AS wanted ` +
          `JOIN pg_attribute AS c ON c.attrelid = to_regclass(quote_ident(wanted.value)) AND c.attnum > 0 AND NOT c.attisdropped ` +
          `LEFT JOIN pg_collation AS l ON l.oid = c.attcollation`,
        params: [names],
      };

function misfitsOf(dialect: DialectName, meta: TableMeta, typesByColumn: ReadonlyMap<unknown, string>): string[] {
  return meta.columns.flatMap(({ def }) => {
    const declared = typesByColumn.get(def.name);
    const wanted = columnType(dialect, def);
    if (declared === undefined) return [`"${meta.name}" exists without the column "${def.name}" (${wanted})`];
    return fits(dialect, def, declared) ? [] : [`"${meta.name}.${def.name}" is ${declared}, not ${wanted}`];
  });
}

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
function longNames(meta: TableMeta): string[] {
  const names = [meta.name, ...meta.columns.map(({ def }) => def.name)];
  return names
    .filter((name) => name.length > limits.sqlNameBytesMax)
    .map((name) => `"${name}" is longer than the ${limits.sqlNameBytesMax} characters that Postgres keeps of a name`);
}
