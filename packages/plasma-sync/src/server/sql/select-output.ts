// Owns: what a select shows, how it is read back, and includes, which are one JSON column each.
// Invariants:
//   1. An include is one correlated scalar subquery: its order and limit hold for each row.
//   2. No JSON call takes more than `limits.sqlJsonObjectColumnsMax` values: longer rows are arrays of arrays.

import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { ColumnKind, Row, Value } from "../../core/schema/value.ts";
import { anyColumn, compileBody, type Body, type Statement } from "./compile-body.ts";
import { termSql, type Names, type SqlSource } from "./compile-terms.ts";
import type { Dialect } from "./dialect.ts";
import { fromCell, fromSql } from "./sql-value.ts";

/** One value that a statement shows: as a column of its result, or inside a JSON array. */
interface Cell {
  readonly column: string;
  readonly json: string;
  readonly fromColumn: (raw: unknown) => unknown;
  readonly fromJson: (cell: unknown) => unknown;
}

/** One key of a result row, made of one or more cells. */
interface Field {
  readonly key: string;
  readonly cells: readonly Cell[];
  /** `values` are those of all cells; the field's begin at `start`. */
  readonly read: (values: readonly unknown[], start: number) => unknown;
}

export interface Output {
  readonly cells: readonly Cell[];
  /** Makes a result row of the cells' values. */
  readonly assemble: (values: readonly unknown[]) => ResultRow;
}

/** What a select shows. */
export function outputOf(body: Body, statement: Statement): Output {
  const { query, names } = body;
  const fields = [
    ...shownFields(body, statement.dialect),
    ...query.includes.map((include) => plainField(include.key, includeCell(include.query, names, statement))),
  ];
  const starts: number[] = [];
  const cells: Cell[] = [];
  for (const field of fields) {
    starts.push(cells.length);
    cells.push(...field.cells);
  }
  if (cells.length === 0) cells.push(valueCell("int", anyColumn(query), statement.dialect));
  const assemble = (values: readonly unknown[]): ResultRow => {
    // Assigned in a loop, because this runs once per result row.
    const row: { [key: string]: unknown } = {};
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as Field;
      row[field.key] = field.read(values, starts[i] as number);
    }
    return row;
  };
  return { cells, assemble };
}

/** The cells as one JSON array. */
export function packedCells({ cells }: Output, { jsonArray }: Dialect): string {
  let parts = cells.map(({ json }) => json);
  while (parts.length > limits.sqlJsonObjectColumnsMax) parts = chunksOf(parts).map(jsonArray);
  return jsonArray(parts);
}

/** A result row of what `packedCells` made. */
export function readPacked({ cells, assemble }: Output, packed: readonly unknown[]): ResultRow {
  let depth = 0;
  for (let n = cells.length; n > limits.sqlJsonObjectColumnsMax; n = Math.ceil(n / limits.sqlJsonObjectColumnsMax))
    depth += 1;
  const flat = depth === 0 ? packed : packed.flat(depth);
  return assemble(cells.map(({ fromJson }, i) => fromJson(flat[i] ?? null)));
}

const chunksOf = (parts: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(parts.length / limits.sqlJsonObjectColumnsMax) }, (_, i) =>
    parts.slice(i * limits.sqlJsonObjectColumnsMax, (i + 1) * limits.sqlJsonObjectColumnsMax),
  );

function shownFields({ query, names }: Body, dialect: Dialect): Field[] {
  const { projection, joins } = query;
  if (projection !== null)
    return projection.map(({ key, column }) =>
      plainField(key, valueCell(column.kind, termSql(column, names, dialect), dialect)),
    );
  const { sources } = names;
  if (joins.length > 0) return sources.map((source) => rowField(source, dialect));
  const { columns } = must(sources[0], "output: a select has a source");
  return columns.map(({ name, kind, sql }) => plainField(name, valueCell(kind, sql, dialect)));
}

const plainField = (key: string, cell: Cell): Field => ({ key, cells: [cell], read: (values, start) => values[start] });

/** The row of a joined source; null on the empty side of an outer join. */
function rowField({ name, columns, presence, isOptional }: SqlSource, dialect: Dialect): Field {
  const cells = columns.map(({ kind, sql }) => valueCell(kind, sql, dialect));
  let presenceAt = columns.findIndex(({ sql }) => sql === presence);
  if (isOptional && presenceAt < 0) presenceAt = cells.push(valueCell("int", presence, dialect)) - 1;
  return {
    key: name,
    cells,
    read: (values, start): Row | null => {
      if (isOptional && values[start + presenceAt] === null) return null;
      const row: { [column: string]: Value } = {};
      for (const [i, column] of columns.entries()) row[column.name] = values[start + i] as Value;
      return row;
    },
  };
}

const valueCell = (kind: ColumnKind, sql: string, dialect: Dialect): Cell => ({
  column: dialect.read(kind, sql),
  json: dialect.cell(kind, sql),
  fromColumn: (raw) => fromSql(kind, raw),
  fromJson: (cell) => fromCell(kind, cell),
});

function includeCell(query: SelectNode, outer: Names, statement: Statement): Cell {
  const { dialect } = statement;
  const body = compileBody(query, statement, { outer, order: "always" });
  const output = outputOf(body, statement);
  const json = dialect.jsonRows(`SELECT ${packedCells(output, dialect)} AS v ${body.text}`);
  const fromJson = (list: unknown) => {
    const rows = (list as (readonly unknown[])[]).map((packed) => readPacked(output, packed));
    return query.one ? (rows[0] ?? null) : rows;
  };
  return {
    column: dialect.readJson(json),
    json: dialect.jsonCell(json),
    fromColumn: (raw) => fromJson(JSON.parse(raw as string)),
    fromJson,
  };
}
