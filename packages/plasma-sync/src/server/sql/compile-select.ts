// Owns: compileSelect: a select as one SQL statement and the reading of its rows. `evaluate` says what it means.
// Invariants:
//   1. At most `limits.sqlParamsMax` bound values and `limits.sqlResultColumnsMax` result columns (D1's bounds).
//   2. Text compares in code point order: SQLite's BINARY over UTF-8, the collation "C" of Postgres.
//   3. A table that has pending rows is read through its shadow wherever it stands, others are read straight.

import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import { asOfSql, type AsOf } from "./as-of.ts";
import { compileBody, type Statement } from "./compile-body.ts";
import { postgresDialect } from "./dialect-postgres.ts";
import { sqliteDialect } from "./dialect-sqlite.ts";
import { outputOf, packedCells, readPacked, type Output } from "./select-output.ts";
import { shadowSql, type PendingRows } from "./shadow.ts";
import { SqlParams } from "./sql-params.ts";

export interface CompileScope {
  readonly schema: AnySchema;
  /** Default "sqlite". */
  readonly dialect?: SqlExecutor["dialect"];
  /** Pending rows by table, which the select sees in place of the stored ones. SQLite only: others write at once. */
  readonly shadows?: ReadonlyMap<string, PendingRows>;
  /** A version of the change log, not below its compaction: the select sees all tables as they were then. Not with `shadows`. */
  readonly asOf?: AsOf;
}

export interface CompiledSelect extends SqlStatement {
  /** The names of the statement's columns. */
  readonly columns: readonly string[];
  /** The results that the statement's rows stand for. */
  readonly decode: (rows: readonly SqlRow[]) => ResultRow[];
}

const dialects = { sqlite: sqliteDialect, postgres: postgresDialect };

/** Compiles a select that the builder made. */
export function compileSelect(query: SelectNode, scope: CompileScope): CompiledSelect {
  const dialect = dialects[scope.dialect ?? "sqlite"];
  const plain = compileWith(query, scope, new SqlParams({ packed: false, placeholder: dialect.placeholder }));
  return plain.params.length <= dialect.paramsMax
    ? plain
    : compileWith(query, scope, new SqlParams({ packed: true, placeholder: dialect.placeholder }));
}

function compileWith(query: SelectNode, scope: CompileScope, params: SqlParams): CompiledSelect {
  const dialect = dialects[scope.dialect ?? "sqlite"];
  let aliases = 0;
  const statement: Statement = { schema: scope.schema, dialect, params, newAlias: () => `t${aliases++}` };
  const body = compileBody(query, statement, { outer: null, order: "always" });
  const output = outputOf(body, statement);
  const isPacked = output.cells.length > limits.sqlResultColumnsMax;
  const columns = isPacked
    ? [dialect.readJson(packedCells(output, dialect))]
    : output.cells.map(({ column }) => column);
  const names = columns.map((_, i) => `c${i}`);
  const list = columns.map((column, i) => `${column} AS c${i}`).join(", ");
  const text = `${shadowsSql(query, scope, params)}SELECT ${list} ${body.text}`;
  return {
    text,
    columns: names,
    params: params.list,
    decode: (rows) => rows.map(isPacked ? decodePacked(output) : decodeRow(output)),
  };
}

const decodeRow =
  ({ cells, assemble }: Output) =>
  (row: SqlRow): ResultRow =>
    assemble(cells.map(({ fromColumn }, i) => fromColumn(row[`c${i}`])));

const decodePacked =
  (output: Output) =>
  (row: SqlRow): ResultRow =>
    readPacked(output, JSON.parse(row["c0"] as string) as unknown[]);

function shadowsSql(query: SelectNode, { schema, dialect, shadows, asOf }: CompileScope, params: SqlParams): string {
  const ctes: string[] = [];
  for (const table of tablesOf(query)) {
    const pending = shadows?.get(table);
    const meta = must(schema.tablesByName.get(table), "compile: the builder refuses unknown tables");
    if (meta.changeLogSuppressed) continue;
    if (asOf !== undefined) ctes.push(asOfSql(meta, { asOf, dialect: dialects[dialect ?? "sqlite"], params }));
    else if (pending !== undefined && pending.size > 0) ctes.push(shadowSql(meta, pending, params));
  }
  return ctes.length === 0 ? "" : `WITH ${ctes.join(", ")} `;
}
