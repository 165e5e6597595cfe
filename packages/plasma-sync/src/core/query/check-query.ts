// Owns: the checks that builders make while a query is built: tables of the schema, columns of the query's sources.

import { PlasmaError } from "../error.ts";
import { TABLE_META, type AnyTable, type TableMeta } from "../schema/table.ts";
import type { AnySchema } from "../schema/schema.ts";
import type { ColumnNode, Expr, Operand } from "./ast.ts";

/** The metadata of a table that the schema has; any table where no schema is bound. Throws `query/unknown-table`. */
export function tableOf(table: AnyTable, schema: AnySchema | null): TableMeta {
  // Plain JavaScript can hand over anything.
  const meta = (table as AnyTable | null | undefined)?.[TABLE_META];
  if (meta !== undefined && (schema === null || schema.tablesByName.has(meta.source))) return meta;
  const known = schema === null ? [] : [...schema.tablesByName.keys()];
  throw new PlasmaError("query/unknown-table", { table: meta?.source ?? describe(table), known });
}

/** Checks that every column of a condition is one of `tables`. Throws `query/condition` for what is no condition. */
export function checkCondition(expr: Expr, tables: readonly TableMeta[]): void {
  if ((expr as Expr | null | undefined)?.type === undefined)
    throw new PlasmaError("query/condition", { got: describe(expr) });
  switch (expr.type) {
    case "and":
    case "or":
      for (const arg of expr.args) checkCondition(arg, tables);
      break;
    case "not":
      checkCondition(expr.arg, tables);
      break;
    case "compare":
      checkOperands([expr.left, expr.right], tables);
      break;
    case "between":
      checkOperands([expr.operand, expr.low, expr.high], tables);
      break;
    case "in":
    case "isNull":
    case "like":
      checkOperands([expr.operand], tables);
      break;
    default:
      throw new PlasmaError("query/condition", { got: describe(expr) });
  }
}

/** Checks that a column is one of `tables`. Throws `query/not-in-from` or `query/unknown-column`. */
export function checkColumn({ source, column }: ColumnNode, tables: readonly TableMeta[]): void {
  const meta = tables.find(({ name }) => name === source);
  if (meta === undefined) {
    throw new PlasmaError("query/not-in-from", { table: source, column, known: tables.map(({ name }) => name) });
  }
  if (!meta.columnsByName.has(column)) refuseColumn(column, meta);
}

/** Checks the names of what is inserted or set. Throws `query/unknown-column`. */
export function checkNames(record: { readonly [column: string]: unknown }, meta: TableMeta): void {
  for (const column of Object.keys(record)) if (!meta.columnsByName.has(column)) refuseColumn(column, meta);
}

function checkOperands(operands: readonly Operand[], tables: readonly TableMeta[]): void {
  for (const operand of operands) if (operand.type === "column") checkColumn(operand, tables);
}

function refuseColumn(column: string, { name, columnsByName }: TableMeta): never {
  throw new PlasmaError("query/unknown-column", { table: name, column, known: [...columnsByName.keys()] });
}

/** The kind of a value that is not what was expected, never the value. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
