// Owns: which sources an expression or query names: what can be tested when, and what depends on the queries around.

import { termsOf } from "../../core/query/bind-select.ts";
import type { ColumnNode, Expr, SelectNode, Term } from "../../core/query/ast.ts";
import { sourcesOf } from "../../core/query/result-shape.ts";

/** The parts of a condition that all have to be true. */
export const conjunctsOf = (expr: Expr | null): readonly Expr[] =>
  expr === null ? [] : expr.type === "and" ? expr.args.flatMap(conjunctsOf) : [expr];

/** The subqueries of a condition, not those inside them. */
export function subqueriesOf(expr: Expr): readonly SelectNode[] {
  if (expr.type === "and" || expr.type === "or") return expr.args.flatMap(subqueriesOf);
  if (expr.type === "not") return subqueriesOf(expr.arg);
  return expr.type === "exists" || expr.type === "inQuery" ? [expr.query] : [];
}

/** Columns that a condition reads, also those in subqueries whose sources are outside of them. */
const columnsIn = (expr: Expr): readonly ColumnNode[] => [
  ...termsOf(expr).flatMap(columnOf),
  ...subqueriesOf(expr).flatMap(freeColumns),
];

/** The sources of those columns. */
export const namesIn = (expr: Expr): readonly string[] => columnsIn(expr).map(({ source }) => source);

/** Columns of the queries around that a query reads. */
export function freeColumns(query: SelectNode): readonly ColumnNode[] {
  const own = new Set(sourcesOf(query));
  const terms = [
    ...query.groupBy,
    ...query.orderBy.map(({ column }) => column),
    ...(query.projection ?? []).map(({ column }) => column),
  ];
  const columns = [
    ...query.joins.flatMap(({ on }) => columnsIn(on)),
    ...(query.where === null ? [] : columnsIn(query.where)),
    ...(query.having === null ? [] : columnsIn(query.having)),
    ...terms.flatMap(columnOf),
    ...query.includes.flatMap((include) => freeColumns(include.query)),
  ];
  return columns.filter(({ source }) => !own.has(source));
}

const columnOf = (term: Term): ColumnNode[] =>
  term.type === "column" ? [term] : term.column === null ? [] : [term.column];
