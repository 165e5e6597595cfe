// Owns: checking unique constraints by reading before writing, as mutators do on both sides.

import { PlasmaError } from "../error.ts";
import * as limits from "../limits.ts";
import { must } from "../lib/assert.ts";
import type { Expr, ValueNode } from "../query/ast.ts";
import { selectWhere } from "../query/select-where.ts";
import type { TableMeta } from "../schema/table.ts";
import type { Row, Value } from "../schema/value.ts";
import type { MutationStore } from "./mutation-store.ts";

/** Throws `constraint/unique` when one of `rows` would share its values with another row of the table. */
export async function checkUnique(store: MutationStore, meta: TableMeta, rows: readonly Row[]): Promise<void> {
  const own = new Set(rows.map((row) => row["id"]));
  for (const columns of meta.unique) {
    // A null makes a row unlike every other.
    const bound = rows.filter((row) => columns.every((column) => (row[column] ?? null) !== null));
    const keys = new Set(bound.map((row) => keyOf(row, columns)));
    if (keys.size < bound.length) fail(meta, columns);
    const step = rowsPerLookup(columns);
    for (let start = 0; start < bound.length; start += step) {
      const chunk = bound.slice(start, start + step);
      const found = (await store.select(selectWhere(meta.name, anyOf(meta, columns, chunk)))) as readonly Row[];
      if (found.some((row) => !own.has(row["id"] ?? null))) fail(meta, columns);
    }
  }
}

/** Values of one column travel as one list; those of several columns are a bound parameter each. */
const rowsPerLookup = (columns: readonly string[]): number =>
  columns.length === 1 ? limits.uniqueRowsPerLookup : Math.max(1, Math.floor(limits.sqlParamsMax / columns.length) - 1);

function fail(meta: TableMeta, columns: readonly string[]): never {
  throw new PlasmaError("constraint/unique", { table: meta.name, columns });
}

const keyOf = (row: Row, columns: readonly string[]): string =>
  JSON.stringify(columns.map((column) => textOf(row[column])));

/** Values of one column differ exactly when their texts do; columns of JSON are refused at definition. */
const textOf = (value: Value | undefined): string =>
  value instanceof Uint8Array ? value.join() : `${value as string | number | bigint | boolean}`;

function anyOf(meta: TableMeta, columns: readonly string[], rows: readonly Row[]): Expr {
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) {
    return {
      type: "in",
      operand: columnOf(meta, only),
      values: rows.map((row) => valueOf(meta, only, row)),
      negated: false,
    };
  }
  return { type: "or", args: rows.map((row) => allEqual(meta, columns, row)) };
}

const allEqual = (meta: TableMeta, columns: readonly string[], row: Row): Expr => ({
  type: "and",
  args: columns.map((column) => ({
    type: "compare",
    op: "eq",
    left: columnOf(meta, column),
    right: valueOf(meta, column, row),
  })),
});

const kindOf = (meta: TableMeta, column: string) =>
  must(meta.columnsByName.get(column), "unique: columns are checked at definition").def.kind;
const columnOf = (meta: TableMeta, column: string) =>
  ({ type: "column", source: meta.name, column, kind: kindOf(meta, column) }) as const;
const valueOf = (meta: TableMeta, column: string, row: Row): ValueNode => ({
  type: "value",
  value: row[column] ?? null,
  kind: kindOf(meta, column),
});
