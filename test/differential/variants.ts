// Owns: queries that must mean the same as another: metamorphic checks, which need no second executor.

import type { Expr, SelectNode } from "../../packages/plasma-sync/src/core/query/ast.ts";

/** Names and queries with the same answer. */
export function variantsOf(query: SelectNode): (readonly [string, SelectNode])[] {
  const { where } = query;
  const nothing: Expr = { type: "and", args: [] };
  const both = (one: Expr, other: Expr): Expr => ({ type: "and", args: [one, other] });
  const variants: (readonly [string, SelectNode])[] = [
    ["with a condition that is always true", { ...query, where: where === null ? nothing : both(where, nothing) }],
  ];
  if (query.limit === null) variants.push(["with a limit beyond all rows", { ...query, limit: 1_000_000 }]);
  if (where !== null)
    variants.push(
      ["with its condition twice", { ...query, where: both(where, where) }],
      ["with its condition negated twice", { ...query, where: { type: "not", arg: { type: "not", arg: where } } }],
    );
  if (where?.type === "and" || where?.type === "or")
    variants.push([
      "with its conditions in another order",
      { ...query, where: { ...where, args: where.args.toReversed() } },
    ]);
  return variants;
}
