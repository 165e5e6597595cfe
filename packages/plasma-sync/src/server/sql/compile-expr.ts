// Owns: conditions as SQL text, three-valued as `predicate.ts` has them.

import { must } from "../../core/lib/assert.ts";
import type { CompareOp, Expr, Operand, SelectNode, Term } from "../../core/query/ast.ts";
import type { Dialect } from "./dialect.ts";
import type { SqlParams } from "./sql-params.ts";
import { balanced, FALSE, TRUE } from "./sql-text.ts";

export interface ExprScope {
  readonly dialect: Dialect;
  readonly params: SqlParams;
  readonly termSql: (term: Term) => string;
  /** A subquery in parentheses: any column of it, or the one that it projects. Absent where no subquery can stand. */
  readonly subquery?: (query: SelectNode, shows: "nothing" | "term") => string;
}

const operators: Record<CompareOp, string> = { eq: "=", ne: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" };

/** The condition as SQL text; its values go to `scope.params`. */
export function compileExpr(expr: Expr, scope: ExprScope): string {
  const operand = (node: Operand): string => operandSql(node, scope);
  switch (expr.type) {
    case "and":
    case "or":
      return chain(
        expr.args.map((arg) => compileExpr(arg, scope)),
        expr.type,
      );
    case "not":
      return `NOT (${compileExpr(expr.arg, scope)})`;
    case "compare":
      return `${operand(expr.left)} ${operators[expr.op]} ${operand(expr.right)}`;
    case "in":
      return compileIn(expr, scope);
    case "isNull":
      return `${operand(expr.operand)} IS ${expr.negated ? "NOT NULL" : "NULL"}`;
    case "like":
      return scope.dialect.like(operand(expr.operand), scope.dialect.value(scope.params, "text", expr.pattern));
    case "between":
      return `${operand(expr.operand)} BETWEEN ${operand(expr.low)} AND ${operand(expr.high)}`;
    case "exists":
      return `${not(expr)}EXISTS ${subquerySql(expr.query, "nothing", scope)}`;
    case "inQuery":
      return `${operand(expr.operand)} ${not(expr)}IN ${subquerySql(expr.query, "term", scope)}`;
  }
}

/** True for none of AND, false for none of OR. */
export function chain(terms: readonly string[], operator: "and" | "or"): string {
  if (terms.length === 0) return operator === "and" ? TRUE : FALSE;
  return balanced(terms, operator === "and" ? "AND" : "OR");
}

const not = ({ negated }: { readonly negated: boolean }): string => (negated ? "NOT " : "");

const subquerySql = (query: SelectNode, shows: "nothing" | "term", { subquery }: ExprScope): string =>
  must(subquery, "sql: the builder refuses subqueries here")(query, shows);

function operandSql(operand: Operand, { dialect, params, termSql }: ExprScope): string {
  return operand.type === "value" ? dialect.value(params, operand.kind, operand.value) : termSql(operand);
}

function compileIn(expr: Extract<Expr, { type: "in" }>, scope: ExprScope): string {
  const operand = operandSql(expr.operand, scope);
  const values = expr.values.map(({ value }) => value);
  const { dialect, params } = scope;
  const lists = dialect.list(params, expr.operand.kind, values);
  if (expr.negated)
    return chain(
      lists.map((list) => `${operand} NOT IN (${list})`),
      "and",
    );
  return chain(
    lists.map((list) => dialect.isIn(operand, list, values.length)),
    "or",
  );
}
