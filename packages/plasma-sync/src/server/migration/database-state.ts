// Owns: what a database holds of a schema's tables: their columns, Plasma's indexes and triggers, and what Plasma has noted
// in `_plasma_schema` about the schemas that it was made for.
//
//   key                        value
//   fingerprint:<hash>         "1"; one per schema that ensureSchema or runMigrations has put in place
//   table:<name>               TableRecord as JSON: the columns that the log's triggers know
//   internal                   hash of the DDL of Plasma's own tables
//   triggers                   on Postgres: what they were made of and what became of that, see `triggerMark`

import type { ColumnKind } from "../../core/schema/value.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { DialectName, SqlExecutor, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import { withPlaceholders } from "../sql/placeholders.ts";

export interface StoredColumn {
  /** As the database declares it. */
  readonly type: string;
  readonly notNull: boolean;
}

/** A table's columns as the schema had them that was put in place last. */
export type TableRecord = { readonly [column: string]: { readonly kind: ColumnKind; readonly notNull: boolean } };

export interface DatabaseState {
  /** Table → column, of the tables asked for that exist. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, StoredColumn>>;
  /** Of every table that was ever part of the schema. */
  readonly records: ReadonlyMap<string, TableRecord>;
  /** The other notes, by key. */
  readonly notes: ReadonlyMap<string, string>;
}

const plain = (text: string): SqlStatement => ({ text, params: [] });

/** The state of a database in which `_plasma_schema` exists or not. */
export async function readState(executor: SqlExecutor, tables: readonly TableMeta[]): Promise<DatabaseState> {
  const notes = await readNotes(executor);
  const records = new Map<string, TableRecord>();
  for (const [key, value] of notes)
    if (key.startsWith("table:")) records.set(key.slice("table:".length), JSON.parse(value) as TableRecord);
  const names = [...new Set([...tables.map(({ name }) => name), ...records.keys()])];
  const rows = await executor.all(readColumns(executor.dialect, JSON.stringify(names)));
  const columns = new Map<string, Map<string, StoredColumn>>();
  for (const { t, c, type, required } of rows) {
    const known = columns.get(String(t)) ?? new Map<string, StoredColumn>();
    columns.set(String(t), known.set(String(c), { type: String(type), notNull: Number(required) !== 0 }));
  }
  return { tables: columns, records, notes };
}

async function readNotes(executor: SqlExecutor): Promise<Map<string, string>> {
  const rows = await allOrNone(executor, plain(`SELECT key, value FROM _plasma_schema`));
  return new Map(rows.map(({ key, value }) => [String(key), String(value)]));
}

/** One note; undefined in a new database too. */
export async function readNote(executor: SqlExecutor, key: string): Promise<unknown> {
  const text = withPlaceholders(executor.dialect, `SELECT value FROM _plasma_schema WHERE key = ?1`);
  return (await allOrNone(executor, { text, params: [key] }))[0]?.["value"];
}

async function allOrNone(executor: SqlExecutor, statement: SqlStatement): Promise<readonly SqlRow[]> {
  try {
    return await executor.all(statement);
  } catch (error) {
    // In a new database the table is not there yet. Any other failure will show again in what follows.
    if (!isMissingTable(error)) throw error;
    return [];
  }
}

/** SQLite says it in words, Postgres by its code. */
const isMissingTable = (error: unknown): boolean =>
  (error as { readonly code?: unknown } | null)?.code === "42P01" || /no such table/.test(String(error));

export const writeNote = (dialect: DialectName, key: string, value: string): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    `INSERT INTO _plasma_schema (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  ),
  params: [key, value],
});

export const forgetNote = (dialect: DialectName, key: string): SqlStatement => ({
  text: withPlaceholders(dialect, `DELETE FROM _plasma_schema WHERE key = ?1`),
  params: [key],
});

/** Rows of table `t`, column `c`, its `type` and whether it is `required`, for the tables that exist. */
const readColumns = (dialect: DialectName, names: string): SqlStatement =>
  dialect === "sqlite"
    ? {
        text:
          `SELECT t.name AS t, c.name AS c, c.type AS type, c."notnull" AS required FROM sqlite_master AS t, pragma_table_info(t.name) AS c ` +
          `WHERE t.type = 'table' AND t.name IN (SELECT value FROM json_each(?1))`,
        params: [names],
      }
    : {
        text:
          `SELECT wanted.value AS t, c.attname AS c, c.attnotnull::int AS required, ` +
          `format_type(c.atttypid, NULL) || coalesce(' COLLATE "' || l.collname || '"', '') AS type ` +
          `FROM jsonb_array_elements_text($1::jsonb) AS wanted ` +
          `JOIN pg_attribute AS c ON c.attrelid = to_regclass(quote_ident(wanted.value)) AND c.attnum > 0 AND NOT c.attisdropped ` +
          `LEFT JOIN pg_collation AS l ON l.oid = c.attcollation`,
        params: [names],
      };

/** Plasma's indexes, each with its table. */
export async function readIndexes(executor: SqlExecutor): Promise<ReadonlyMap<string, string>> {
  const rows = await executor.all(
    plain(
      executor.dialect === "sqlite"
        ? `SELECT tbl_name AS t, name FROM sqlite_master WHERE type = 'index' AND substr(name, 1, 8) = '_plasma_'`
        : `SELECT tablename AS t, indexname AS name FROM pg_indexes WHERE schemaname = current_schema() AND starts_with(indexname, '_plasma_')`,
    ),
  );
  return new Map(rows.map(({ t, name }) => [String(name), String(t)]));
}

/** SQLite keeps the text of each trigger as it was given. */
export async function readTriggerTexts(executor: SqlExecutor): Promise<ReadonlySet<string>> {
  const rows = await executor.all(plain(`SELECT sql FROM sqlite_master WHERE type = 'trigger'`));
  return new Set(rows.map(({ sql }) => String(sql)));
}

/** Postgres keeps what it understood: of that, one digest over Plasma's triggers and functions. */
const triggerDigest = `(SELECT md5(coalesce(string_agg(d, ' ' ORDER BY d), '')) FROM (
  SELECT pg_get_triggerdef(t.oid) || t.tgenabled::text AS d FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND starts_with(t.tgname::text, '_plasma_') AND c.relnamespace = current_schema()::regnamespace
  UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p
  WHERE starts_with(p.proname::text, '_plasma_') AND p.pronamespace = current_schema()::regnamespace) AS definitions)`;

/** On Postgres, the note `triggers` as it has to be while the triggers are as they were made from statements of that hash. */
export async function readTriggerMark(executor: SqlExecutor, hash: string): Promise<string> {
  const [row] = await executor.all(plain(`SELECT ${triggerDigest} AS digest`));
  return `${hash} ${String(row?.["digest"])}`;
}

/** Writes that note: the last statement of those that make the triggers. */
export const writeTriggerMark = (hash: string): SqlStatement => ({
  text:
    `INSERT INTO _plasma_schema (key, value) SELECT 'triggers', $1::text || ' ' || ${triggerDigest} ` +
    `ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  params: [hash],
});
