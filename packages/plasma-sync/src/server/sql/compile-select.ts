// Owns: compileSelect: a select as one SQLite statement and the reading of its rows. `evaluate` says what it means.
// Invariants:
//   1. At most `limits.sqlParamsMax` bound values and `limits.sqlResultColumnsMax` result columns (D1's bounds).
//   2. Text compares in SQLite's BINARY collation over UTF-8, which is code point order.
//   3. A source that has pending rows is read through its shadow, others straight from the table.

import { PlasmaError } from "../../core/error.ts";
import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { ColumnNode, ResultRow, SelectNode } from "../../core/query/ast.ts";
import { slotScope, type Slots } from "../../core/query/predicate.ts";
import { shapeResult, sourcesOf as namesOf } from "../../core/query/result-shape.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { imageSql, parseImage } from "../migration/log-image.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import { compileExpr } from "./compile-expr.ts";
import { shadowSql, type PendingRows } from "./shadow.ts";
import { SqlParams } from "./sql-params.ts";
import { quoteName } from "./sql-text.ts";
import { fromSql, readSql } from "./sql-value.ts";

export interface CompileScope {
  readonly schema: AnySchema;
  /** Default "sqlite", the only one yet. */
  readonly dialect?: SqlExecutor["dialect"];
  /** Pending rows by table, which the select sees in place of the stored ones. */
  readonly shadows?: ReadonlyMap<string, PendingRows>;
}

export interface CompiledSelect extends SqlStatement {
  /** The results that the statement's rows stand for. */
  readonly decode: (rows: readonly SqlRow[]) => ResultRow[];
}

interface Source {
  readonly name: string;
  /** How the SQL text calls it: t0, t1, … */
  readonly alias: string;
  readonly meta: TableMeta;
}

/** What is selected, and how a row of it becomes a result. */
interface Output {
  readonly columns: readonly string[];
  readonly decodeRow: (row: SqlRow) => ResultRow;
}

/** Compiles a select that the builder made. Throws `query/unsupported` for a dialect other than SQLite. */
export function compileSelect(query: SelectNode, scope: CompileScope): CompiledSelect {
  if (scope.dialect === "postgres") throw new PlasmaError("query/unsupported", { what: "The dialect postgres" });
  const plain = compileWith(query, scope, new SqlParams({ packed: false }));
  return plain.params.length <= limits.sqlParamsMax
    ? plain
    : compileWith(query, scope, new SqlParams({ packed: true }));
}

function compileWith(query: SelectNode, scope: CompileScope, params: SqlParams): CompiledSelect {
  const sources = sourcesOf(query, scope.schema);
  const aliases = new Map(sources.map(({ name, alias }) => [name, alias]));
  const columnSql = ({ source, column }: ColumnNode) =>
    `${must(aliases.get(source), "compile: the builder refuses columns of other sources")}.${quoteName(column)}`;
  const exprScope = { params, columnSql };
  const output = outputOf(query, sources, columnSql);
  const [first, ...joined] = sources as [Source, ...Source[]];
  let text = withSql(sources, scope, params);
  text += `SELECT ${output.columns.map((column, i) => `${column} AS c${i}`).join(", ")} FROM ${sourceSql(first)}`;
  query.joins.forEach((join, i) => {
    const keyword = join.kind === "left" ? "LEFT JOIN" : "INNER JOIN";
    text += ` ${keyword} ${sourceSql(must(joined[i], "compile: one source per join"))} ON ${compileExpr(join.on, exprScope)}`;
  });
  if (query.where !== null) text += ` WHERE ${compileExpr(query.where, exprScope)}`;
  const order = query.orderBy.map(
    ({ column, direction }) => `${columnSql(column)} ${direction === "asc" ? "ASC" : "DESC"}`,
  );
  if (order.length > 0) text += ` ORDER BY ${order.join(", ")}`;
  if (query.limit !== null || query.offset > 0)
    text += ` LIMIT ${params.value(query.limit ?? -1)} OFFSET ${params.value(query.offset)}`;
  return { text, params: params.list, decode: (rows) => rows.map(output.decodeRow) };
}

function sourcesOf(query: SelectNode, schema: AnySchema): Source[] {
  return [query.from, ...query.joins.map((join) => join.source)].map(({ name, table }, i) => {
    const meta = must(schema.tablesByName.get(table), "compile: the builder refuses unknown tables");
    return { name, alias: `t${i}`, meta };
  });
}

/** A local-only table does not exist here: it reads as empty. */
function sourceSql({ meta, alias }: Source): string {
  if (!meta.changeLogSuppressed) return `${quoteName(meta.source)} AS ${alias}`;
  return `(SELECT ${meta.columns.map(({ def }) => `NULL AS ${quoteName(def.name)}`).join(", ")} WHERE 0) AS ${alias}`;
}

function withSql(sources: readonly Source[], { shadows }: CompileScope, params: SqlParams): string {
  const metas = new Map(sources.map(({ meta }) => [meta.source, meta]));
  const ctes: string[] = [];
  for (const [table, meta] of metas) {
    const pending = shadows?.get(table);
    if (pending !== undefined && pending.size > 0 && !meta.changeLogSuppressed)
      ctes.push(shadowSql(meta, pending, params));
  }
  return ctes.length === 0 ? "" : `WITH ${ctes.join(", ")} `;
}

function outputOf(query: SelectNode, sources: readonly Source[], columnSql: (column: ColumnNode) => string): Output {
  if (query.projection !== null) return projectedOutput(query.projection, columnSql);
  const shape = shapeResult<Slots>(query, slotScope(namesOf(query)), (rows, slot) => rows[slot] ?? null);
  const width = sources.reduce((sum, { meta }) => sum + meta.columns.length, 0);
  const parts = sources.map((source) => (width > limits.sqlResultColumnsMax ? imageOutput(source) : rowOutput(source)));
  const starts: number[] = [];
  const columns = parts.flatMap((part, i) => {
    starts.push(i === 0 ? 0 : (starts[i - 1] as number) + (parts[i - 1] as SourceOutput).columns.length);
    return part.columns;
  });
  return { columns, decodeRow: (row) => shape(parts.map((part, i) => part.decode(row, starts[i] as number))) };
}

function projectedOutput(
  projection: NonNullable<SelectNode["projection"]>,
  columnSql: (column: ColumnNode) => string,
): Output {
  return {
    columns: projection.map(({ column }) => readSql(column.kind, columnSql(column))),
    decodeRow: (row) =>
      Object.fromEntries(projection.map(({ key, column }, i) => [key, fromSql(column.kind, row[`c${i}`])])),
  };
}

interface SourceOutput {
  readonly columns: readonly string[];
  /** The source's row, whose columns begin at `start`; null on the empty side of an outer join. */
  readonly decode: (row: SqlRow, start: number) => Row | null;
}

function rowOutput({ alias, meta }: Source): SourceOutput {
  const idAt = meta.columns.findIndex(({ def }) => def.kind === "id");
  return {
    columns: meta.columns.map(({ def }) => readSql(def.kind, `${alias}.${quoteName(def.name)}`)),
    decode: (row, start) => {
      if (row[`c${start + idAt}`] === null) return null;
      const decoded: { [column: string]: Value } = {};
      meta.columns.forEach(({ def }, i) => (decoded[def.name] = fromSql(def.kind, row[`c${start + i}`])));
      return decoded;
    },
  };
}

/** The row as one JSON column, where the columns of all sources are more than an engine returns. */
function imageOutput({ alias, meta }: Source): SourceOutput {
  return {
    columns: [`iif(${alias}."id" IS NULL, NULL, ${imageSql(meta, alias)})`],
    decode: (row, start) => {
      const image = row[`c${start}`];
      return image === null ? null : parseImage(meta, image as string);
    },
  };
}
