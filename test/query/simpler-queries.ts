// Owns: what a query becomes when one part of it is left out: for making cases that fail smaller.

import type { Expr, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";

/** Queries that lack one part each; all of them are valid. */
export function simplerQueries(query: SelectNode): SelectNode[] {
  const { from, where, having, includes, joins } = query;
  const simpler: SelectNode[] = [];
  if (where !== null) simpler.push(...[null, ...simplerExprs(where)].map((less) => ({ ...query, where: less })));
  if (having !== null && query.groupBy.length > 0)
    simpler.push(...[null, ...simplerExprs(having)].map((less) => ({ ...query, having: less })));
  if (query.limit !== null && !query.one) simpler.push({ ...query, limit: null });
  if (query.offset > 0) simpler.push({ ...query, offset: 0 });
  if (query.after !== null) simpler.push({ ...query, after: null });
  if (from.query !== undefined)
    simpler.push(...simplerQueries(from.query).map((less) => ({ ...query, from: { ...from, query: less } })));
  for (const [i, include] of includes.entries()) {
    simpler.push({ ...query, includes: includes.filter((other) => other !== include) });
    for (const less of simplerQueries(include.query))
      simpler.push({ ...query, includes: includes.with(i, { ...include, query: less }) });
  }
  for (const [i, join] of joins.entries()) {
    if (join.kind !== "inner") simpler.push({ ...query, joins: joins.with(i, { ...join, kind: "inner" }) });
    for (const on of simplerExprs(join.on)) simpler.push({ ...query, joins: joins.with(i, { ...join, on }) });
  }
  return simpler;
}

function simplerExprs(expr: Expr): Expr[] {
  switch (expr.type) {
    case "and":
    case "or":
      return [
        ...expr.args,
        ...expr.args.flatMap((arg, i) => simplerExprs(arg).map((less) => ({ ...expr, args: expr.args.with(i, less) }))),
      ];
    case "not":
      return [expr.arg, ...simplerExprs(expr.arg).map((arg) => ({ ...expr, arg }))];
    case "exists":
    case "inQuery":
      return simplerQueries(expr.query).map((query) => ({ ...expr, query }));
    case "in":
      return expr.values.map((value) => ({ ...expr, values: expr.values.filter((other) => other !== value) }));
    default:
      return [];
  }
}
