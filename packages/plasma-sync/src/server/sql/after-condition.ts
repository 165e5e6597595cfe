// Owns: `after` as a condition: the rows that come behind one with these values, nulls as the order has them.
// Invariant: it is as deep as the logarithm of its terms (D1 refuses a depth over 100).

import type { CompareOp, Expr, OrderNode, SelectNode, Term } from "../../core/query/ast.ts";
import type { Value } from "../../core/schema/value.ts";

interface Key {
  readonly order: OrderNode;
  readonly value: Value;
  readonly isNullable: boolean;
}

/** The condition, or null for a select without `after`. */
export function afterCondition(
  { orderBy, after }: SelectNode,
  { isNullable }: { readonly isNullable: (term: Term) => boolean },
): Expr | null {
  if (after === null) return null;
  const keys = orderBy.map((order, i): Key => ({
    order,
    value: after[i] ?? null,
    isNullable: isNullable(order.column),
  }));
  const condition = behind(keys);
  const [first] = keys;
  if (first === undefined || keys.length === 1 || first.value === null) return condition;
  const isDescending = first.order.direction === "desc";
  if (isDescending && first.isNullable) return condition;
  // It follows from the condition, and unlike that it is a range of an index.
  return { type: "and", args: [compare(isDescending ? "lte" : "gte", first), condition] };
}

/** Behind in the first half of the keys, or alike there and behind in the second. */
function behind(keys: readonly Key[]): Expr {
  const [first] = keys;
  if (first === undefined) return { type: "or", args: [] };
  if (keys.length === 1) return behindOne(first);
  const middle = keys.length >> 1;
  const head = keys.slice(0, middle);
  return {
    type: "or",
    args: [behind(head), { type: "and", args: [...head.map(alike), behind(keys.slice(middle))] }],
  };
}

function behindOne(key: Key): Expr {
  const { column: operand, direction } = key.order;
  if (direction === "asc") return key.value === null ? { type: "isNull", operand, negated: true } : compare("gt", key);
  if (key.value === null) return { type: "or", args: [] };
  const less = compare("lt", key);
  return key.isNullable ? { type: "or", args: [less, { type: "isNull", operand, negated: false }] } : less;
}

const alike = (key: Key): Expr =>
  key.value === null ? { type: "isNull", operand: key.order.column, negated: false } : compare("eq", key);

const compare = (op: CompareOp, { order: { column }, value }: Key): Expr => ({
  type: "compare",
  op,
  left: column,
  right: { type: "value", kind: column.kind, value },
});
