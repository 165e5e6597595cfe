// Owns: planQuery: how a select is executed on sources: where rows of its first source come from, how each join is looked
// up, and at which stage each part of the condition is tested.
// Invariants:
//   1. A stage's filter tests every conjunct of `where` whose sources are all there after that stage: filters commute with
//      the joins behind them, left joins included.
//   2. Access and links only narrow: `filters` and `on` still test the whole condition.

import { must } from "../../core/lib/assert.ts";
import type { ColumnNode, Expr, JoinKind, Operand, SelectNode } from "../../core/query/ast.ts";
import { sourcesOf } from "../../core/query/result-shape.ts";
import { pinnedIdsOf } from "../../core/query/pinned-ids.ts";
import { compileExpr, slotScope, type Slots } from "../../core/query/predicate.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Value } from "../../core/schema/value.ts";
import { indexSpec, lookupSpec } from "./row-order.ts";
import type { IndexColumn, IndexSpec } from "./source.ts";

/** Where rows of the first source come from. Only `ordered` yields them in the query's order. */
export type Access =
  | { readonly type: "scan" }
  | { readonly type: "ids"; readonly ids: readonly string[] }
  | { readonly type: "lookup"; readonly spec: IndexSpec; readonly prefixes: readonly (readonly Value[])[] }
  | { readonly type: "ordered"; readonly spec: IndexSpec; readonly prefix: readonly Value[] };

/** An equality of a join: rows match only where the column of an earlier slot equals the column of the joined row. */
export interface Link {
  readonly slot: number;
  readonly column: string;
  readonly spec: IndexSpec;
  readonly joinedColumn: string;
  readonly joinedSpec: IndexSpec;
}

export interface JoinPlan {
  readonly kind: JoinKind;
  readonly on: (rows: Slots) => boolean;
  /** Null: every row has to be tried. */
  readonly link: Link | null;
}

export interface QueryPlan {
  readonly query: SelectNode;
  /** Tables by slot. */
  readonly tables: readonly string[];
  readonly access: Access;
  /** `joins[i]` adds slot i + 1. */
  readonly joins: readonly JoinPlan[];
  /** By slot: tested when the slot has been added; null passes all. */
  readonly filters: readonly (((rows: Slots) => boolean) | null)[];
}

/** Plans a select. */
export function planQuery(query: SelectNode, schema: AnySchema): QueryPlan {
  const sources = sourcesOf(query);
  const where = conjunctsOf(query.where);
  return {
    query,
    tables: [query.from.table, ...query.joins.map(({ source }) => source.table)],
    access: planAccess(
      query,
      where,
      must(schema.tablesByName.get(query.from.table), "plan: the builder refuses unknown tables"),
    ),
    joins: query.joins.map(({ kind, on }, i) => ({
      kind,
      on: compileTest(on, sources),
      link: linkOf(on, sources, i + 1),
    })),
    filters: sources.map((_, slot) => {
      const args = where.filter((expr) => lastSlotOf(expr, sources) === slot);
      return args.length === 0 ? null : compileTest({ type: "and", args }, sources);
    }),
  };
}

function compileTest(expr: Expr, sources: readonly string[]): (rows: Slots) => boolean {
  const test = compileExpr(expr, slotScope(sources));
  return (rows) => test(rows) === true;
}

const conjunctsOf = (expr: Expr | null): readonly Expr[] =>
  expr === null ? [] : expr.type === "and" ? expr.args.flatMap(conjunctsOf) : [expr];

/** The last slot that an expression reads; 0 when it reads none. */
const lastSlotOf = (expr: Expr, sources: readonly string[]): number =>
  Math.max(0, ...columnsOf(expr).map(({ source }) => sources.indexOf(source)));

function columnsOf(expr: Expr): ColumnNode[] {
  switch (expr.type) {
    case "and":
    case "or":
      return expr.args.flatMap(columnsOf);
    case "not":
      return columnsOf(expr.arg);
    case "compare":
      return [expr.left, expr.right].filter(isColumn);
    case "between":
      return [expr.operand, expr.low, expr.high].filter(isColumn);
    case "exists":
      return [];
    default:
      return [expr.operand].filter(isColumn);
  }
}

const isColumn = (operand: Operand): operand is ColumnNode => operand.type === "column";

function planAccess(query: SelectNode, where: readonly Expr[], meta: TableMeta): Access {
  const source = query.from.name;
  const ids = pinnedIdsOf(query.where, source);
  if (ids !== null) return { type: "ids", ids };
  const candidates = [
    ...meta.indexes,
    ...meta.unique,
    ...meta.columns.filter(({ def }) => def.ref !== undefined).map(({ def }) => [def.name]),
  ];
  const equal = equalitiesOf(where, source);
  const prefix = longest(candidates.map((columns) => leading(columns, (column) => equal.has(column))));
  const values = prefix.map((column) => equal.get(column) ?? null);
  const fixed = prefix.map((column): IndexColumn => ({ column, direction: "asc" }));
  const order = query.limit === null ? null : orderOfFirst(query, prefix);
  if (order !== null) return { type: "ordered", spec: indexSpec([...fixed, ...order]), prefix: values };
  if (prefix.length > 0) return { type: "lookup", spec: indexSpec(fixed), prefixes: [values] };
  for (const [column] of candidates) {
    const list = column === undefined ? null : listOf(where, source, column);
    if (list !== null && column !== undefined)
      return { type: "lookup", spec: lookupSpec(column), prefixes: list.map((value) => [value]) };
  }
  return { type: "scan" };
}

/** The query's order as columns of the first source, or null where another source decides before its id does. */
function orderOfFirst(query: SelectNode, fixed: readonly string[]): IndexColumn[] | null {
  const columns: IndexColumn[] = [];
  for (const { column, direction } of query.orderBy) {
    if (column.type !== "column" || column.source !== query.from.name) return null;
    if (!fixed.includes(column.column)) columns.push({ column: column.column, direction });
    if (column.column === "id") return columns;
  }
  return null;
}

/** Columns of `source` that must equal a value. */
function equalitiesOf(where: readonly Expr[], source: string): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const expr of where) {
    if (expr.type !== "compare" || expr.op !== "eq") continue;
    const [column, value] = isColumn(expr.left) ? [expr.left, expr.right] : [expr.right, expr.left];
    if (isColumn(column) && value.type === "value" && column.source === source) values.set(column.column, value.value);
  }
  return values;
}

/** The values that `column` must be one of, or null. */
function listOf(where: readonly Expr[], source: string, column: string): readonly Value[] | null {
  for (const expr of where) {
    if (expr.type !== "in" || expr.negated || !isColumn(expr.operand)) continue;
    // Equal bytes are not the same object, so a list of them could name rows twice.
    if (expr.operand.kind === "blob") continue;
    if (expr.operand.source === source && expr.operand.column === column)
      return [...new Set(expr.values.map(({ value }) => value))];
  }
  return null;
}

function leading<T>(list: readonly T[], holds: (item: T) => boolean): readonly T[] {
  const end = list.findIndex((item) => !holds(item));
  return end < 0 ? list : list.slice(0, end);
}

const longest = <T>(lists: readonly (readonly T[])[]): readonly T[] =>
  lists.reduce((best, list) => (list.length > best.length ? list : best), []);

/** The first equality of `on` between the joined slot and an earlier one. */
function linkOf(on: Expr, sources: readonly string[], joined: number): Link | null {
  for (const expr of conjunctsOf(on)) {
    if (expr.type !== "compare" || expr.op !== "eq" || !isColumn(expr.left) || !isColumn(expr.right)) continue;
    const isLeftJoined = sources.indexOf(expr.left.source) === joined;
    const [own, other] = isLeftJoined ? [expr.left, expr.right] : [expr.right, expr.left];
    const slot = sources.indexOf(other.source);
    if (sources.indexOf(own.source) !== joined || slot >= joined) continue;
    return {
      slot,
      column: other.column,
      spec: lookupSpec(other.column),
      joinedColumn: own.column,
      joinedSpec: lookupSpec(own.column),
    };
  }
  return null;
}
