// Owns: `inArray(operand, select)` as probes: three-valued, as SQL has it.

import type { ColumnNode, Expr, Operand, SelectNode } from "../../core/query/ast.ts";
import { must } from "../../core/lib/assert.ts";
import { membership, type Slots } from "../../core/query/predicate.ts";
import type { Value } from "../../core/schema/value.ts";
import { isPlainRelation, simplified } from "./plan.ts";
import { OPERAND, type Probe } from "./relation.ts";
import type { State } from "./source.ts";

/** What a condition with subqueries is asked of. */
export interface Asked {
  readonly rows: Slots;
  readonly state: State;
}

export interface MembershipScope {
  readonly add: (query: SelectNode, operand: Operand | null) => Probe;
  readonly isPositive: boolean;
  readonly canBeNull: (query: SelectNode, column: ColumnNode) => boolean;
}

/**
 * The test. Where `isPositive`, false will do for unknown: the condition is true of the same rows. `canBeNull` says whether
 * a column of the subquery can.
 */
export function createMembership(
  query: SelectNode,
  operand: Operand,
  { add, isPositive, canBeNull }: MembershipScope,
): (asked: Asked, value: Value) => boolean | null {
  const { key, column } = must(query.projection?.[0], "membership: the builder wants one term");
  const plain = simplified(query);
  const term = must(plain.projection?.[0], "membership: the builder wants one term").column;
  if (!isPlainRelation(plain) || term.type !== "column") {
    const whole = add(query, null);
    return ({ rows, state }, value) =>
      membership(
        whole.rows(rows, state).map((row) => row[key] as Value),
        column,
      )(value);
  }
  const match = add(
    and(plain, { type: "compare", op: "eq", left: term, right: { ...term, source: OPERAND, column: "value" } }),
    operand,
  );
  if (isPositive) return ({ rows, state }, value) => value !== null && match.test(rows, state, value);
  const any = add(plain, null);
  const unknown = canBeNull(plain, term)
    ? add(and(plain, { type: "isNull", operand: term, negated: false }), null)
    : null;
  return ({ rows, state }, value) => {
    if (value === null) return any.test(rows, state) ? null : false;
    if (match.test(rows, state, value)) return true;
    return unknown?.test(rows, state) === true ? null : false;
  };
}

const and = (query: SelectNode, expr: Expr & { readonly left?: ColumnNode | Operand }): SelectNode => ({
  ...query,
  where: query.where === null ? expr : { type: "and", args: [query.where, expr] },
});
