// Owns: conditions as SQLite text, three-valued as `predicate.ts` has them.

import type { ColumnNode, CompareOp, Expr, Operand } from "../../core/query/ast.ts";
import { packJson } from "./json-params.ts";
import type { SqlParams } from "./sql-params.ts";
import { balanced } from "./sql-text.ts";
import { boundSql, cellSql, toCell, toParam } from "./sql-value.ts";

export interface ExprScope {
  readonly params: SqlParams;
  readonly columnSql: (column: ColumnNode) => string;
}

const operators: Record<CompareOp, string> = { eq: "=", ne: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" };

/** The condition as SQL text; its values go to `scope.params`. */
export function compileExpr(expr: Expr, scope: ExprScope): string {
  switch (expr.type) {
    case "and":
      return expr.args.length === 0
        ? "1"
        : balanced(
            expr.args.map((arg) => compileExpr(arg, scope)),
            "AND",
          );
    case "or":
      return expr.args.length === 0
        ? "0"
        : balanced(
            expr.args.map((arg) => compileExpr(arg, scope)),
            "OR",
          );
    case "not":
      return `NOT (${compileExpr(expr.arg, scope)})`;
    case "compare":
      return `${operandSql(expr.left, scope)} ${operators[expr.op]} ${operandSql(expr.right, scope)}`;
    case "in":
      return compileIn(expr, scope);
    case "isNull":
      return `${operandSql(expr.operand, scope)} IS ${expr.negated ? "NOT NULL" : "NULL"}`;
    case "like":
      // The builder leaves no `\` open at the end of a pattern, where engines differ.
      return `${operandSql(expr.operand, scope)} LIKE ${scope.params.value(expr.pattern)} ESCAPE '\\'`;
    case "between":
      return `${operandSql(expr.operand, scope)} BETWEEN ${operandSql(expr.low, scope)} AND ${operandSql(expr.high, scope)}`;
  }
}

function operandSql(operand: Operand, { params, columnSql }: ExprScope): string {
  if (operand.type === "column") return columnSql(operand);
  return boundSql(operand.kind, params.value(toParam(operand.kind, operand.value)));
}

function compileIn(expr: Extract<Expr, { type: "in" }>, scope: ExprScope): string {
  const { kind } = expr.operand;
  const operand = operandSql(expr.operand, scope);
  const lists = packJson(expr.values.map(({ value }) => toCell(kind, value)));
  if (lists.length === 0) return expr.negated ? "1" : "0";
  const not = expr.negated ? "NOT " : "";
  const terms = lists.map(
    (list) => `${operand} ${not}IN (SELECT ${cellSql(kind, "value")} FROM json_each(${scope.params.whole(list)}))`,
  );
  return balanced(terms, expr.negated ? "AND" : "OR");
}
