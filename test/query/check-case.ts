// Owns: checking a case: every executor against `evaluate`, at the start and after each commit, and queries that must answer
// as another does.

import type { Expr, ResultRow, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import { rowsOf, type Case } from "./case.ts";
import type { Executor } from "./executors.ts";
import { expectSame } from "./mismatch.ts";

/** Throws a Mismatch where something differs. */
export async function checkCase(given: Case, executors: readonly Executor[]): Promise<void> {
  const { query, expected, steps, rest, start, end } = given;
  if (rest !== null) {
    const all = evaluate({ ...query, limit: null }, rowsOf(start)).slice(1);
    expectSame("evaluate after a row", evaluate({ ...rest, limit: null, offset: 0 }, rowsOf(start)), all);
  }
  for (const executor of executors) {
    const follower = await executor.open(given);
    await follower.check(expected);
    if (rest !== null) await follower.ask("after a row", rest, evaluate(rest, rowsOf(start)));
    for (const step of steps) await follower.step(step);
  }
  const last = steps.at(-1)?.expected ?? expected;
  for (const [name, variant] of variantsOf(query, last))
    expectSame(`evaluate ${name}`, evaluate(variant, rowsOf(end)), last);
}

const both = (one: Expr, other: Expr): Expr => ({ type: "and", args: [one, other] });
const nothing: Expr = { type: "and", args: [] };

/** Queries with the same answer. */
export function variantsOf(query: SelectNode, answer: readonly ResultRow[]): (readonly [string, SelectNode])[] {
  const { where, limit } = query;
  const variants: (readonly [string, SelectNode])[] = [
    ["with a condition that is always true", { ...query, where: where === null ? nothing : both(where, nothing) }],
  ];
  if (limit === null) variants.push(["with a limit of all rows", { ...query, limit: answer.length }]);
  else if (answer.length < limit && !query.one) variants.push(["without its limit", { ...query, limit: null }]);
  if (where !== null)
    variants.push(
      ["with its condition twice", { ...query, where: both(where, where) }],
      ["with its condition negated twice", { ...query, where: { type: "not", arg: { type: "not", arg: where } } }],
      ["with its conditions in another order", { ...query, where: reversed(where) }],
    );
  return variants;
}

function reversed(expr: Expr): Expr {
  if (expr.type === "not") return { ...expr, arg: reversed(expr.arg) };
  return expr.type === "and" || expr.type === "or" ? { ...expr, args: expr.args.map(reversed).toReversed() } : expr;
}
