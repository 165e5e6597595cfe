// Owns: createReach: whether a commit can concern a select of one table at all, found by the values that its condition allows one
// column to have. With many live queries, most of those of a table pass most commits by: each then costs one bisection, and not
// an evaluation per changed row.
// Invariant: never false for a commit that changes the select's rows. (True for others costs time alone.)

import { lowerBound } from "../../core/lib/lower-bound.ts";
import { comparerOf } from "../../core/query/compare.ts";
import type { Expr, Operand } from "../../core/query/ast.ts";
import { compareFamily, type Row, type Value } from "../../core/schema/value.ts";
import type { QueryPlan } from "./plan.ts";
import type { Batch, EntryChange } from "./relation.ts";

/** Changed rows above which all selects look at all of them: sorting so many costs more than that. */
const CHANGES_MAX = 256;

/** What a condition allows a column to be, ends included; null: no end. */
interface Bounds {
  readonly low: Value;
  readonly high: Value;
}

type Compare = (a: Value, b: Value) => number;

/** Makes the test; null for a select that any commit to its tables can concern. */
export function createReach({ query, outer, sources, subqueries }: QueryPlan): ((batch: Batch) => boolean) | null {
  const [source] = sources;
  const isPlain = outer.length === 0 && sources.length === 1 && subqueries.length === 0 && query.includes.length === 0;
  if (!isPlain || source === undefined || source.query !== null || query.where === null) return null;
  const narrowest = boundsOf(query.where, source.name);
  if (narrowest === null) return null;
  const { column, compare, low, high } = narrowest;
  return ({ changes }) => {
    const changed = changes.get(source.table) ?? [];
    if (changed.length > CHANGES_MAX) return true;
    const values = sortedValues(changed, column, compare);
    const first = low === null ? 0 : lowerBound(values, (value) => compare(value, low) >= 0);
    return first < values.length && (high === null || compare(values[first] as Value, high) <= 0);
  };
}

/** Values of a commit's rows by column, in order: made for the first select that asks. */
const known = new WeakMap<readonly EntryChange<Row>[], Map<string, readonly Value[]>>();

function sortedValues(changes: readonly EntryChange<Row>[], column: string, compare: Compare): readonly Value[] {
  let byColumn = known.get(changes);
  if (byColumn === undefined) known.set(changes, (byColumn = new Map()));
  let values = byColumn.get(column);
  if (values === undefined) {
    // No comparison is true of null.
    const all = changes.flatMap(({ before, after }) => [before?.[column] ?? null, after?.[column] ?? null]);
    byColumn.set(column, (values = all.filter((value) => value !== null).sort(compare)));
  }
  return values;
}

/** The bounds of the column that has the most ends. */
function boundsOf(where: Expr, source: string): (Bounds & { column: string; compare: Compare }) | null {
  const byColumn = new Map<string, Bounds & { column: string; compare: Compare }>();
  for (const expr of conjuncts(where)) {
    const found = endsOf(expr);
    if (found === null || found.of.type !== "column" || found.of.source !== source) continue;
    const { column, kind } = found.of;
    const family = compareFamily(kind);
    if (family === null) continue;
    // Of two ends on one side either holds: the first is as good.
    const { low = null, high = null } = byColumn.get(column) ?? {};
    byColumn.set(column, {
      column,
      compare: comparerOf(family),
      low: low ?? found.low,
      high: high ?? found.high,
    });
  }
  const ends = ({ low, high }: Bounds): number => Number(low !== null) + Number(high !== null);
  return [...byColumn.values()].filter((bounds) => ends(bounds) > 0).sort((a, b) => ends(b) - ends(a))[0] ?? null;
}

const conjuncts = (expr: Expr): Expr[] => (expr.type === "and" ? expr.args.flatMap(conjuncts) : [expr]);

const valueOf = (operand: Operand): Value => (operand.type === "value" ? operand.value : null);

function endsOf(expr: Expr): (Bounds & { of: Operand }) | null {
  if (expr.type === "between") return { of: expr.operand, low: valueOf(expr.low), high: valueOf(expr.high) };
  if (expr.type !== "compare" || expr.op === "ne") return null;
  const value = valueOf(expr.right);
  const isLow = expr.op !== "lt" && expr.op !== "lte";
  const isHigh = expr.op !== "gt" && expr.op !== "gte";
  return { of: expr.left, low: isLow ? value : null, high: isHigh ? value : null };
}
