// Owns: finding the ids that a condition pins, so that rows can be looked up instead of searched.

import type { Expr, SelectNode } from "./ast.ts";

/**
 * The only ids that rows of `source` can have where `where` is true; null when it does not pin them. The rest of the
 * condition still has to be tested.
 */
export function pinnedIdsOf(where: Expr | null, source: string): readonly string[] | null {
  if (where === null) return null;
  switch (where.type) {
    case "compare": {
      const { op, left, right } = where;
      if (op !== "eq") return null;
      const [column, value] = left.type === "column" ? [left, right] : [right, left];
      if (column.type !== "column" || value.type !== "value" || !isID(column, source)) return null;
      return value.value === null ? [] : [value.value as string];
    }
    case "in": {
      const { operand, values, negated } = where;
      if (negated || operand.type !== "column" || !isID(operand, source)) return null;
      return [...new Set(values.flatMap(({ value }) => (value === null ? [] : [value as string])))];
    }
    case "and": {
      for (const arg of where.args) {
        const ids = pinnedIdsOf(arg, source);
        if (ids !== null) return ids;
      }
      return null;
    }
    default:
      return null;
  }
}

const isID = (column: { readonly source: string; readonly column: string }, source: string): boolean =>
  column.column === "id" && column.source === source;

/** The ids that a select pins on its first source. */
export const pinnedIds = (query: SelectNode): readonly string[] | null => pinnedIdsOf(query.where, query.from.name);
