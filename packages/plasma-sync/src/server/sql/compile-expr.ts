// Owns: conditions as SQLite text, three-valued as `predicate.ts` has them.

import type { ColumnNode, CompareOp, Expr, Operand } from "../../core/query/ast.ts";
import type { ColumnKind } from "../../core/schema/value.ts";
import { packJson } from "./json-params.ts";
import type { SqlParams } from "./sql-params.ts";
import { balanced, quoteText } from "./sql-text.ts";
import { toCell, toParam } from "./sql-value.ts";

export interface ExprScope {
  readonly params: SqlParams;
  readonly columnSql: (column: ColumnNode) => string;
}

const operators: Record<CompareOp, string> = { eq: "=", ne: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" };

/** The condition as SQL text; its values go to `scope.params`. */
export function compileExpr(expr: Expr, scope: ExprScope): string {
  switch (expr.type) {
    case "and":
      return expr.args.length === 0 ? "1" : balanced(expr.args.map((arg) => compileExpr(arg, scope)), "AND");
    case "or":
      return expr.args.length === 0 ? "0" : balanced(expr.args.map((arg) => compileExpr(arg, scope)), "OR");
    case "not":
      return `NOT (${compileExpr(expr.arg, scope)})`;
    case "compare":
      return `${operandSql(expr.left, scope)} ${operators[expr.op]} ${operandSql(expr.right, scope)}`;
    case "in":
      return compileIn(expr, scope);
    case "isNull":
      return `${operandSql(expr.operand, scope)} IS ${expr.negated ? "NOT NULL" : "NULL"}`;
    case "like":
      return compileLike(expr, scope);
    case "between":
      return `${operandSql(expr.operand, scope)} BETWEEN ${operandSql(expr.low, scope)} AND ${operandSql(expr.high, scope)}`;
  }
}

function operandSql(operand: Operand, { params, columnSql }: ExprScope): string {
  if (operand.type === "column") return columnSql(operand);
  return comparableSql(operand.kind, params.value(toParam(operand.kind, operand.value)));
}

/** NUMERIC, not INTEGER: a bigint beyond 64 bits is then larger than every stored one, instead of equal to the largest. */
const comparableSql = (kind: ColumnKind, sql: string): string => (kind === "bigint" ? `CAST(${sql} AS NUMERIC)` : sql);

function compileIn(expr: Extract<Expr, { type: "in" }>, scope: ExprScope): string {
  const { kind } = expr.operand;
  const operand = operandSql(expr.operand, scope);
  const member = kind === "blob" ? "unhex(value)" : comparableSql(kind, "value");
  const lists = packJson(expr.values.map(({ value }) => toCell(kind, value)));
  if (lists.length === 0) return expr.negated ? "1" : "0";
  const not = expr.negated ? "NOT " : "";
  const terms = lists.map((list) => `${operand} ${not}IN (SELECT ${member} FROM json_each(${scope.params.whole(list)}))`);
  return balanced(terms, expr.negated ? "AND" : "OR");
}

function compileLike(expr: Extract<Expr, { type: "like" }>, scope: ExprScope): string {
  const { pattern, escape } = withClosedEscape(expr.pattern);
  return `${operandSql(expr.operand, scope)} LIKE ${scope.params.value(pattern)} ESCAPE ${quoteText(escape)}`;
}

/**
 * A `\` at the end stands for itself, but SQLite matches nothing with an open escape. The pattern then gets another escape
 * character, so that it grows by no byte (D1 refuses over 50).
 */
function withClosedEscape(pattern: string): { readonly pattern: string; readonly escape: string } {
  const isOpen = /^(?:[^\\]|\\.)*\\$/su.test(pattern);
  if (!isOpen) return { pattern, escape: "\\" };
  let code = 1;
  while (pattern.includes(String.fromCharCode(code))) code += 1;
  const escape = String.fromCharCode(code);
  return { pattern: pattern.replace(/\\(.)/gsu, (_, char: string) => escape + char), escape };
}
