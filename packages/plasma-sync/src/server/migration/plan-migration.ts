// Owns: planMigration: from a schema and what a database holds to the statements that take the one to the other, or to the
// reasons why there are none. It reads and decides; it changes nothing.
// Invariants:
//   1. Statements only add: tables, columns, indexes; what they drop is Plasma's own (indexes, triggers).
//   2. All reasons are found at once. A plan with reasons has no statements.

import type { AnyColumn } from "../../core/schema/column.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { ColumnKind } from "../../core/schema/value.ts";
import type { SqlExecutor, SqlStatement } from "../database/sql-executor.ts";
import { quoteName } from "../sql/sql-text.ts";
import {
  forgetNote,
  readIndexes,
  readState,
  readTriggerMark,
  readTriggerTexts,
  type DatabaseState,
  type StoredColumn,
} from "./database-state.ts";
import { forgetTableStatement, rebuildRefsStatements } from "./file-triggers.ts";
import { internalTableStatements } from "./internal-tables.ts";
import { longNames, missingColumns, wrongTypes } from "./misfits.ts";
import {
  fingerprintKey,
  internalHash,
  missedRefsStatements,
  notesOf,
  serverTables,
  triggersHash,
} from "./schema-statements.ts";
import {
  addColumnStatement,
  columnType,
  indexesOf,
  logIndexName,
  tableStatements,
  type TableIndex,
} from "./table-statements.ts";
import { triggerStatements } from "./triggers.ts";

export interface MigrationPlan {
  /** One sentence per thing that cannot be done. */
  readonly refusals: readonly string[];
  readonly ddl: readonly string[];
  /** What is noted of the database when the DDL has run. */
  readonly notes: readonly SqlStatement[];
  /** Whether everything is noted already. */
  readonly isNoted: boolean;
  /** Of the triggers that the schema wants. */
  readonly triggers: string;
}

type Stored = ReadonlyMap<string, StoredColumn>;

export async function planMigration(schema: AnySchema, executor: SqlExecutor): Promise<MigrationPlan> {
  const { dialect } = executor;
  const tables = serverTables(schema);
  const state = await readState(executor, tables);
  const indexes = await readIndexes(executor);
  const refusals = [
    ...longNames(dialect, tables),
    ...goneTables(tables, state),
    ...tables.flatMap((meta) => tableRefusals(executor, meta, state)),
    ...(await duplicateRefusals(executor, tables, { state, indexes })),
  ];
  const key = fingerprintKey(dialect, tables);
  const forgotten = [...state.records.keys()].filter((name) => !tables.some((meta) => meta.name === name));
  const plan = {
    refusals,
    notes: [
      ...notesOf(dialect, key, tables),
      ...forgotten.flatMap((name) => [forgetNote(dialect, `table:${name}`), forgetTableStatement(name)]),
    ],
    isNoted: state.notes.has(key) && forgotten.length === 0,
    triggers: triggersHash(dialect, tables),
  };
  if (refusals.length > 0) return { ...plan, ddl: [] };
  const internal = state.notes.get("internal") === internalHash(dialect) ? [] : internalTableStatements(dialect);
  const changes = tables.flatMap((meta) => tableChanges(executor, meta, { state, indexes }));
  const altered = await tablesOfAlteredTriggers(executor, tables, { state, hash: plan.triggers });
  const triggers = altered.flatMap((meta) => triggerStatements(dialect, meta));
  // What was written while triggers were missing or altered, they have not seen.
  const refs = tables.flatMap((meta) =>
    altered.includes(meta) && state.tables.has(meta.name)
      ? rebuildRefsStatements(meta)
      : missedRefsStatements(dialect, meta, state),
  );
  return { ...plan, ddl: [...internal, ...changes, ...triggers, ...refs] };
}

interface Found {
  readonly state: DatabaseState;
  /** Plasma's: name → table. */
  readonly indexes: ReadonlyMap<string, string>;
}

function tableChanges({ dialect }: SqlExecutor, meta: TableMeta, { state, indexes }: Found): readonly string[] {
  const stored = state.tables.get(meta.name);
  if (stored === undefined) return tableStatements(dialect, meta);
  const wanted = indexesOf(meta);
  const unwanted = [...indexes]
    .filter(([name, on]) => (on === meta.name && isOfSchema(name)) || name === logIndexName(meta.name))
    .filter(([name]) => !wanted.some((index) => index.name === name));
  return [
    ...unwanted.map(([name]) => `DROP INDEX IF EXISTS ${quoteName(name)}`),
    ...missingColumns(meta, stored).map(({ def }) => addColumnStatement(dialect, def)),
    ...wanted.filter(({ name }) => !indexes.has(name)).map(({ statement }) => statement),
  ];
}

const isOfSchema = (index: string): boolean => /^_plasma_(index|unique)\./.test(index);

/** The tables with triggers that are not there, or not as they were made. */
async function tablesOfAlteredTriggers(
  executor: SqlExecutor,
  tables: readonly TableMeta[],
  { state, hash }: { readonly state: DatabaseState; readonly hash: string },
): Promise<readonly TableMeta[]> {
  if (executor.dialect === "postgres") {
    const isInPlace = (await readTriggerMark(executor, hash)) === state.notes.get("triggers");
    return isInPlace ? [] : tables;
  }
  const texts = await readTriggerTexts(executor);
  const isInPlace = (text: string) => text.startsWith("DROP ") || texts.has(text);
  return tables.filter((meta) => !triggerStatements("sqlite", meta).every(isInPlace));
}

const goneTables = (tables: readonly TableMeta[], { records, tables: stored }: DatabaseState): string[] =>
  [...records.keys()]
    .filter((name) => stored.has(name) && !tables.some((meta) => meta.name === name))
    .map((name) => `the table "${name}" is no longer in the schema`);

function tableRefusals({ dialect }: SqlExecutor, meta: TableMeta, { tables, records }: DatabaseState): string[] {
  const stored = tables.get(meta.name);
  if (stored === undefined) return [];
  const record = records.get(meta.name) ?? {};
  const gone = Object.keys(record)
    .filter((name) => stored.has(name) && !meta.columnsByName.has(name))
    .map((name) => `the column "${meta.name}.${name}" is no longer in the schema`);
  const changed = meta.columns.flatMap((column) => {
    const { name } = column.def;
    const was = record[name];
    const now = stored.get(name);
    if (now === undefined || was === undefined) return [];
    return [...kindRefusals(column, was.kind, dialect), ...nullRefusals(column, was.notNull, now.notNull)];
  });
  return [...gone, ...wrongTypes(dialect, meta, stored), ...changed, ...missingRefusals(meta, stored)];
}

const missingRefusals = (meta: TableMeta, stored: Stored): string[] =>
  missingColumns(meta, stored)
    .filter(({ def }) => def.notNull && (def.default === undefined || def.kind === "id"))
    .map(({ def }) => `the new column "${meta.name}.${def.name}" is never null and has no default`);

/** Kinds that the database declares alike but whose values it holds, or the log writes, in another form. */
function kindRefusals({ def }: AnyColumn, was: ColumnKind, dialect: SqlExecutor["dialect"]): string[] {
  const isDeclaredAlike = columnType(dialect, { ...def, kind: was }) === columnType(dialect, def);
  return isDeclaredAlike && formOf(was) !== formOf(def.kind)
    ? [`"${def.table}.${def.name}" was ${was} and is ${def.kind}`]
    : [];
}

function formOf(kind: ColumnKind): string {
  if (kind === "id" || kind === "ref") return "text";
  return kind === "timestamp" ? "int" : kind;
}

/** What a hand has changed to what the schema says is right, and so is what was so when the table was taken on. */
function nullRefusals({ def }: AnyColumn, was: boolean, now: boolean): string[] {
  if (def.kind === "id" || now === def.notNull || was === def.notNull) return [];
  const name = `"${def.table}.${def.name}"`;
  return [def.notNull ? `${name} may be null and would not any more` : `${name} is never null and would be nullable`];
}

async function duplicateRefusals(
  executor: SqlExecutor,
  tables: readonly TableMeta[],
  { state, indexes }: Found,
): Promise<string[]> {
  const refusals: string[] = [];
  for (const meta of tables) {
    const stored = state.tables.get(meta.name);
    if (stored === undefined) continue;
    for (const index of indexesOf(meta)) {
      if (!index.isUnique || indexes.has(index.name)) continue;
      if (await hasDuplicates(executor, meta, { index, stored }))
        refusals.push(`rows of "${meta.name}" share a value of ${index.columns.join(" + ")}, which would be unique`);
    }
  }
  return refusals;
}

/** Rows get the default of a column that is new; a null makes a row unlike every other. */
async function hasDuplicates(
  executor: SqlExecutor,
  meta: TableMeta,
  { index, stored }: { readonly index: TableIndex; readonly stored: Stored },
): Promise<boolean> {
  const isNull = (name: string) => (meta.columnsByName.get(name)?.def.default?.value ?? null) === null;
  if (index.columns.some((name) => !stored.has(name) && isNull(name))) return false;
  const columns = index.columns.filter((name) => stored.has(name)).map(quoteName);
  const where = columns.map((column) => `${column} IS NOT NULL`).join(" AND ") || "1 = 1";
  const groups = columns.length === 0 ? "" : `GROUP BY ${columns.join(", ")} `;
  const text = `SELECT count(*) AS n FROM ${quoteName(meta.name)} WHERE ${where} ${groups}HAVING count(*) > 1 LIMIT 1`;
  return (await executor.all({ text, params: [] })).length > 0;
}
