// Owns: which operators a query holds: what the fuzz counts, one by one and in pairs.

import type { Expr, SelectNode, Term } from "../../packages/plasma-sync/src/core/query/ast.ts";

/** Every operator of the grammar. */
export const ALL_OPERATORS = [
  "inner",
  "left",
  "right",
  "full",
  "derived",
  "where",
  "compare",
  "and",
  "or",
  "not",
  "in",
  "isNull",
  "like",
  "between",
  "exists",
  "inQuery",
  "correlated",
  "group",
  "having",
  "distinct",
  "order",
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

function collect(query: SelectNode, found: Set<string>, outer: ReadonlySet<string>): void {
  const own = new Set([query.from.name, ...query.joins.map(({ source }) => source.name)]);
  const scope = new Set([...outer, ...own]);
  const term = (node: Term): void => {
    if (node.type === "aggregate") found.add(node.fn);
    else if (outer.has(node.source) && !own.has(node.source)) found.add("correlated");
  };
  const expr = (node: Expr): void => collectExpr(node, { found, scope, term });
  if (query.from.query !== undefined) {
    found.add("derived");
    collect(query.from.query, found, new Set());
  }
  for (const join of query.joins) {
    found.add(join.kind);
    expr(join.on);
  }
  if (query.where !== null) {
    found.add("where");
    expr(query.where);
  }
  if (query.groupBy.length > 0) found.add("group");
  if (query.having !== null) {
    found.add("having");
    expr(query.having);
  }
  if (query.distinct) found.add("distinct");
  if (query.orderBy.length > 0) found.add("order");
  if (query.after !== null) found.add("after");
  if (query.limit !== null) found.add("limit");
  if (query.offset > 0) found.add("offset");
  if (query.one) found.add("one");
  if (query.projection !== null) found.add("projection");
  for (const { column } of [...(query.projection ?? []), ...query.orderBy]) term(column);
  for (const include of query.includes) {
    found.add("include");
    collect(include.query, found, scope);
  }
}

interface ExprWalk {
  readonly found: Set<string>;
  readonly scope: ReadonlySet<string>;
  readonly term: (node: Term) => void;
}

function collectExpr(node: Expr, walk: ExprWalk): void {
  walk.found.add(node.type);
  if (node.type === "and" || node.type === "or") for (const arg of node.args) collectExpr(arg, walk);
  else if (node.type === "not") collectExpr(node.arg, walk);
  else {
    if (node.type === "exists" || node.type === "inQuery") collect(node.query, walk.found, walk.scope);
    const operands = node.type === "compare" ? [node.left, node.right] : node.type === "exists" ? [] : [node.operand];
    for (const operand of operands) if (operand.type !== "value") walk.term(operand);
  }
}
