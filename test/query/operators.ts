// Owns: which operators a query holds, at any depth: what the fuzz counts, one by one and in pairs.

import type { Expr, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import type { Operand } from "../../packages/plasma-sync/src/core/query/ast.ts";

/** Every operator of the grammar. */
export const ALL_OPERATORS = [
  "innerJoin",
  "leftJoin",
  "rightJoin",
  "fullJoin",
  "selfJoin",
  "alias",
  "fromSubquery",
  "where",
  "eq",
  "ne",
  "gt",
  "gte",
  "lt",
  "lte",
  "columns",
  "and",
  "or",
  "not",
  "in",
  "notIn",
  "isNull",
  "isNotNull",
  "like",
  "between",
  "exists",
  "notExists",
  "inQuery",
  "notInQuery",
  "correlated",
  "groupBy",
  "having",
  "distinct",
  "desc",
  "limit",
  "offset",
  "after",
  "projection",
  "include",
  "one",
  "count",
  "countDistinct",
  "sum",
  "avg",
  "min",
  "max",
] as const;

export function operatorsOf(query: SelectNode): string[] {
  const found = new Set<string>();
  collect(query, found, new Set());
  return [...found];
}

interface Walk {
  readonly found: Set<string>;
  /** Sources of this query and of those around it. */
  readonly scope: ReadonlySet<string>;
  readonly own: ReadonlySet<string>;
}

function collect(query: SelectNode, found: Set<string>, outer: ReadonlySet<string>): void {
  const sources = [query.from, ...query.joins.map(({ source }) => source)];
  const own = new Set(sources.map(({ name }) => name));
  const walk: Walk = { found, own, scope: new Set([...outer, ...own]) };
  const tables = sources.map(({ table }) => table).filter((table) => table !== "");
  if (new Set(tables).size < tables.length) found.add("selfJoin");
  for (const { name, table, query: derived } of sources) {
    if (derived === undefined) {
      if (name !== table) found.add("alias");
    } else {
      found.add("fromSubquery");
      collect(derived, found, new Set());
    }
  }
  for (const { kind, on } of query.joins) {
    found.add(`${kind}Join`);
    collectExpr(on, walk);
  }
  if (query.where !== null) collectExpr(query.where, walk);
  if (query.having !== null) collectExpr(query.having, walk);
  for (const [name, isThere] of Object.entries(clausesOf(query))) if (isThere) found.add(name);
  const terms = [...(query.projection ?? []), ...query.orderBy].map(({ column }) => column);
  for (const term of [...terms, ...query.groupBy]) collectOperand(term, walk);
  for (const include of query.includes) collect(include.query, found, walk.scope);
}

const clausesOf = (query: SelectNode): Readonly<Record<string, boolean>> => ({
  where: query.where !== null,
  groupBy: query.groupBy.length > 0,
  having: query.having !== null,
  distinct: query.distinct,
  desc: query.orderBy.some(({ direction }) => direction === "desc"),
  limit: query.limit !== null && !query.one,
  offset: query.offset > 0,
  after: query.after !== null,
  projection: query.projection !== null,
  include: query.includes.length > 0,
  one: query.one,
});

function collectOperand(operand: Operand, { found, own }: Walk): void {
  if (operand.type === "aggregate") found.add(operand.fn);
  const column = operand.type === "aggregate" ? operand.column : operand;
  if (column?.type === "column" && !own.has(column.source)) found.add("correlated");
}

function collectExpr(expr: Expr, walk: Walk): void {
  const { found } = walk;
  found.add(nameOf(expr));
  if (expr.type === "and" || expr.type === "or") {
    for (const arg of expr.args) collectExpr(arg, walk);
    return;
  }
  if (expr.type === "not") {
    collectExpr(expr.arg, walk);
    return;
  }
  if (expr.type === "exists" || expr.type === "inQuery") collect(expr.query, found, walk.scope);
  const operands = operandsOf(expr);
  if (operands.filter(({ type }) => type !== "value").length > 1) found.add("columns");
  for (const operand of operands) collectOperand(operand, walk);
}

function operandsOf(expr: Exclude<Expr, { readonly type: "and" | "or" | "not" }>): readonly Operand[] {
  if (expr.type === "compare") return [expr.left, expr.right];
  if (expr.type === "between") return [expr.operand, expr.low, expr.high];
  return expr.type === "exists" ? [] : [expr.operand];
}

function nameOf(expr: Expr): string {
  if (expr.type === "compare") return expr.op;
  if (!("negated" in expr) || !expr.negated) return expr.type;
  return { in: "notIn", isNull: "isNotNull", exists: "notExists", inQuery: "notInQuery" }[expr.type];
}
