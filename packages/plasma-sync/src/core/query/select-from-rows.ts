// Owns: `selectFromRows`, a plain select over a few rows in hand: what planning would cost more than.

import type { Row } from "../schema/value.ts";
import { isGrouped, type ResultRow, type SelectNode } from "./ast.ts";
import { hasSubquery } from "./bind-select.ts";
import { compileFilter, slotScope, type Slots } from "./predicate.ts";
import { compareBy, shapeResult } from "./result-shape.ts";

/** Whether a select reads one table and shows its rows, whole or projected, and nothing else. */
export const isPlainSelect = (query: SelectNode): boolean =>
  query.from.query === undefined &&
  query.joins.length + query.includes.length === 0 &&
  !query.distinct &&
  query.after === null &&
  !isGrouped(query) &&
  (query.where === null || !hasSubquery(query.where));

/** The result of a plain select over all rows that it can have. */
export function selectFromRows(query: SelectNode, rows: readonly Row[]): ResultRow[] {
  const { from, where, orderBy, limit, offset } = query;
  const scope = slotScope([from.name]);
  const tuples = rows.filter(compileFilter(where, from.name)).map((row): Slots => [row]);
  if (tuples.length > 1) tuples.sort(compareBy(orderBy, scope));
  return tuples
    .slice(offset, limit === null ? undefined : offset + limit)
    .map(shapeResult(query, scope, (tuple: Slots) => tuple[0] ?? null));
}
