// Owns: which rows of a table a page of the log can have moved in or out of sight, where the table's read rule looks into
// other tables: a condition that names them, made so that the database finds them by index. Pure.
//
//   rule of todos:  exists(members where members.listId = todos.listId and members.userId = "ada")
//   log page:       todos t7 changed; member m1 (list l5, ada) came; member m2 (list l6, grace) left
//   candidates:     todos.id in (t7)  or  todos.listId in (l5)            m2 fails what the rule says of members alone
//
// Invariants:
//   1. Every row whose visibility differs between the two ends of the page is named. More may be: each is asked anyway.
//   2. Where a subquery is linked to the row by no equality, all rows are named.
//   3. Images of both sides of a change count: a row may leave by what was, and enter by what is.

import type { ColumnNode, Expr, SelectNode } from "../../core/query/ast.ts";
import { hasSubquery, termsOf } from "../../core/query/bind-select.ts";
import { compileFilter } from "../../core/query/predicate.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Value } from "../../core/schema/value.ts";
import type { LogChanges } from "./log-changes.ts";

/** The rows that the changes may have moved, as a condition on `table`; null for none. `where` is its bound rule. */
export function candidatesOf(table: string, where: Expr, changes: LogChanges): Expr | null {
  const own = changes.idsOf(table);
  const id: ColumnNode = { type: "column", source: table, column: "id", kind: "id" };
  const terms = reachOf(where, { outer: table, isPositive: true, changes });
  if (own.length > 0) terms.push(isAmong(id, own));
  return terms.length === 0 ? null : anyOf(terms);
}

const EVERY_ROW: Expr = { type: "and", args: [] };
const allOf = (args: readonly Expr[]): Expr => ({ type: "and", args });
const anyOf = (args: readonly Expr[]): Expr => (args.includes(EVERY_ROW) ? EVERY_ROW : { type: "or", args });

interface ReachScope {
  /** The source whose rows are wanted. */
  readonly outer: string;
  /** Whether the condition counts only where it is true, so that unknown is as good as false. */
  readonly isPositive: boolean;
  readonly changes: LogChanges;
}

/** Conditions on rows of `outer` for which a subquery of `expr` may have changed its answer. */
function reachOf(expr: Expr, scope: ReachScope): Expr[] {
  switch (expr.type) {
    case "and":
    case "or":
      return expr.args.flatMap((arg) => reachOf(arg, scope));
    case "not":
      return reachOf(expr.arg, { ...scope, isPositive: false });
    case "exists":
    case "inQuery":
      return reachOfSubquery(expr, scope);
    default:
      return [];
  }
}

type Subquery = Extract<Expr, { readonly query: SelectNode }>;

function reachOfSubquery(expr: Subquery, scope: ReachScope): Expr[] {
  const { query } = expr;
  const { changes } = scope;
  if (!tablesOf(query).some((table) => changes.has(table))) return [];
  const link = linkOf(expr, scope);
  if (link === null) return [EVERY_ROW];
  const { name, table } = query.from;
  const conditions = conjunctsOf(query.where);
  const local = allOf(conditions.filter((condition) => isAbout(condition, name)));
  const isMeant = compileFilter(local, name);
  const values = changes
    .imagesOf(table)
    .filter(isMeant)
    .map((row) => row[link.inner.column] ?? null);
  const reached = conditions.flatMap((condition) => reachOf(condition, { outer: name, isPositive: true, changes }));
  const terms: Expr[] = [];
  if (values.some((value) => value !== null)) terms.push(isAmong(link.outer, values));
  if (reached.length > 0) {
    const rows = { ...selectWhere(table, allOf([anyOf(reached), local])), from: query.from };
    terms.push({ type: "inQuery", operand: link.outer, query: { ...rows, ...shows(link.inner) }, negated: false });
  }
  return terms;
}

/** An equality between a column of the rows wanted and one of the subquery's: a changed row reaches what it equals. */
interface Link {
  readonly outer: ColumnNode;
  readonly inner: ColumnNode;
}

function linkOf(expr: Subquery, { outer, isPositive, changes: { schema } }: ReachScope): Link | null {
  const { query } = expr;
  const isPlain =
    query.from.query === undefined &&
    query.joins.length === 0 &&
    query.groupBy.length === 0 &&
    query.having === null &&
    query.offset === 0 &&
    query.after === null &&
    // One row is enough for `exists`; a list that is cut depends on rows that no link names.
    (query.limit === null || (expr.type === "exists" && query.limit > 0)) &&
    (query.projection ?? []).every(({ column }) => column.type === "column");
  if (!isPlain || query.from.name === outer) return null;
  for (const condition of conjunctsOf(query.where)) {
    if (condition.type !== "compare" || condition.op !== "eq") continue;
    const { left, right } = condition;
    if (left.type !== "column" || right.type !== "column") continue;
    if (left.source === outer && right.source === query.from.name) return { outer: left, inner: right };
    if (right.source === outer && left.source === query.from.name) return { outer: right, inner: left };
  }
  if (expr.type === "exists") return null;
  const [shown] = query.projection ?? [];
  const { operand } = expr;
  if (operand.type !== "column" || operand.source !== outer || shown?.column.type !== "column") return null;
  if (shown.column.source !== query.from.name) return null;
  // A null on either side makes the answer unknown for rows that equal nothing.
  const isSafe = isPositive && !expr.negated;
  const link = { outer: operand, inner: shown.column };
  return isSafe || (isNeverNull(schema, link.inner, query.from.table) && isNeverNull(schema, operand, outer))
    ? link
    : null;
}

/** Of a source that is no table of that name (an alias), nothing is known. */
const isNeverNull = (schema: AnySchema, { column }: ColumnNode, table: string): boolean =>
  schema.tablesByName.get(table)?.columnsByName.get(column)?.def.notNull === true;

const conjunctsOf = (where: Expr | null): readonly Expr[] => {
  if (where === null) return [];
  return where.type === "and" ? where.args.flatMap(conjunctsOf) : [where];
};

/** Whether the condition can be tested on a row of `source` alone. */
const isAbout = (expr: Expr, source: string): boolean =>
  !hasSubquery(expr) && termsOf(expr).every((term) => term.type === "column" && term.source === source);

function isAmong(operand: ColumnNode, values: readonly Value[]): Expr {
  const { kind } = operand;
  const nodes = [...new Set(values)].flatMap((value) =>
    value === null ? [] : [{ type: "value" as const, value, kind }],
  );
  return { type: "in", operand, values: nodes, negated: false };
}

const shows = (column: ColumnNode): Pick<SelectNode, "projection" | "orderBy"> => ({
  projection: [{ key: column.column, column }],
  orderBy: [],
});
