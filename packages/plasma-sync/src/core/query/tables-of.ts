// Owns: `tablesOf`: which tables a query reads, wherever they stand in it.

import type { Expr, SelectNode } from "./ast.ts";

/** The tables that a select reads: of joins, subqueries and included selects too. Without repeats. */
export function tablesOf(query: SelectNode): readonly string[] {
  const tables = new Set<string>();
  collect(query, tables);
  return [...tables];
}

function collect(query: SelectNode, tables: Set<string>): void {
  for (const source of [query.from, ...query.joins.map((join) => join.source)]) {
    if (source.query === undefined) tables.add(source.table);
    else collect(source.query, tables);
  }
  if (query.where !== null) collectIn(query.where, tables);
  for (const include of query.includes) collect(include.query, tables);
}

function collectIn(expr: Expr, tables: Set<string>): void {
  if (expr.type === "and" || expr.type === "or") for (const arg of expr.args) collectIn(arg, tables);
  else if (expr.type === "not") collectIn(expr.arg, tables);
  else if (expr.type === "exists" || expr.type === "inQuery") collect(expr.query, tables);
}
