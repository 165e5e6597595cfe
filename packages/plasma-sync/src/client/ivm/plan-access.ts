// Owns: where rows of a query's first source come from: ids, an index, or all of them.

import type { ColumnNode, Expr, SelectNode, Term } from "../../core/query/ast.ts";
import { isGrouped } from "../../core/query/ast.ts";
import { pinnedIdsOf } from "../../core/query/pinned-ids.ts";
import { slotScope, type Slots } from "../../core/query/predicate.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { compareFamily, type Row, type Value } from "../../core/schema/value.ts";
import { indexSpec, lookupSpec } from "./row-order.ts";
import { namesIn } from "./source-names.ts";
import { keyColumnOf, type IndexColumn, type IndexSpec, type RowReader, type Visit } from "./source.ts";

/** One own source. */
export interface PlannedSource {
  readonly name: string;
  readonly meta: TableMeta;
  /** How the state calls it: the table, or a name made of the subquery. */
  readonly table: string;
  readonly query: SelectNode | null;
}

/** An equality of an own column with one of a query around. */
export interface OuterEquality {
  readonly expr: Expr;
  readonly slot: number;
  readonly own: ColumnNode;
  readonly outer: ColumnNode;
}

/** `covers`: columns whose equality the access tests. Only `ordered` yields rows in the query's order. */
export type Access = { readonly covers?: readonly string[] } & (
  | { readonly type: "scan" }
  | { readonly type: "ids"; readonly ids: (outer: Slots) => readonly string[] }
  | {
      readonly type: "lookup";
      readonly spec: IndexSpec;
      readonly prefixes: (outer: Slots) => readonly (readonly Value[])[];
    }
  | {
      readonly type: "ordered";
      readonly spec: IndexSpec;
      readonly prefix: (outer: Slots) => readonly Value[];
      /** Values behind the prefix at which the query's rows begin. */
      readonly start: readonly Value[];
    }
);

export interface AccessInput {
  readonly query: SelectNode;
  /** Conjuncts that depend on nothing around. */
  readonly where: readonly Expr[];
  readonly first: PlannedSource;
  /** Equalities of the first source with columns of the queries around. */
  readonly equal: readonly OuterEquality[];
  /** Of the sources around. */
  readonly names: readonly string[];
}

type ReadOuter = (outer: Slots) => Value;

export function planAccess(input: AccessInput): Access {
  const { query, where, first, equal, names } = input;
  const key = keyColumnOf(first.meta);
  const ids = first.query === null ? pinnedIdsOf({ type: "and", args: where }, first.name) : null;
  if (ids !== null) return { type: "ids", ids: () => ids };
  const scope = slotScope(names);
  // Of several equalities of a column the first with the query around counts: the plan takes that one for covered.
  const fixed = new Map<string, ReadOuter>([
    ...[...equalitiesOf(where, first.name)].map(([column, value]): [string, ReadOuter] => [column, () => value]),
    ...equal.toReversed().map(({ own, outer }): [string, ReadOuter] => [own.column, scope.read(outer)]),
  ]);
  const outerID = equal.find(({ own }) => own.column === "id" && first.query === null);
  if (outerID !== undefined) {
    const read = scope.read(outerID.outer);
    return { type: "ids", ids: (outer) => textsOf(read(outer)), covers: ["id"] };
  }
  // What a query around asks again and again is worth an index that nobody declared.
  const wanted = equal[0]?.own.column ?? (names.length > 0 ? where.map(nullColumnOf).find(isText) : undefined);
  const columns = prefixOf(first, fixed, wanted === undefined || fixed.has(wanted) ? wanted : undefined);
  const reads = columns.map((column) => fixed.get(column) as ReadOuter);
  const prefix = (outer: Slots): Value[] => reads.map((read) => read(outer));
  const asc = columns.map((column): IndexColumn => ({ column, direction: "asc" }));
  // Rows of a nested select are few and asked for often: in order they need no sorting.
  const isSorted = query.limit !== null || query.after !== null || equal.length > 0;
  const order = isSorted ? orderOfFirst(query, first, columns) : null;
  if (order !== null) {
    const start = startOf(query, where, { first, columns: order, fixed: columns });
    return { type: "ordered", spec: indexSpec([...asc, ...order], key), prefix, start, covers: columns };
  }
  if (columns.length > 0)
    return { type: "lookup", spec: indexSpec(asc, key), prefixes: (outer) => [prefix(outer)], covers: columns };
  for (const column of [...candidatesOf(first)].flatMap((list) => list.slice(0, 1))) {
    const list = listOf(where, first.name, column);
    if (list !== null) {
      const prefixes = list.map((value) => [value]);
      return { type: "lookup", spec: lookupSpec(column, key), prefixes: () => prefixes };
    }
  }
  return { type: "scan" };
}

export interface RowVisit {
  readonly outer: Slots;
  /** Ordered access only: begin at the place of this row. */
  readonly from: Row | null;
  readonly visit: Visit<Row>;
}

/** Shows rows of a query's first source, by its access path. */
export function visitRows(access: Access, reader: RowReader, { outer, from, visit }: RowVisit): void {
  switch (access.type) {
    case "ids":
      for (const id of access.ids(outer)) {
        const row = reader.get(id);
        if (row !== undefined && !visit(row)) return;
      }
      return;
    case "lookup": {
      const index = reader.index(access.spec);
      let isWanted = true;
      for (const prefix of access.prefixes(outer)) {
        if (isWanted) index.visit(prefix, NOWHERE, (row) => (isWanted = visit(row)));
      }
      return;
    }
    case "ordered": {
      const prefix = access.prefix(outer);
      const start =
        from === null
          ? access.start
          : access.spec.columns.slice(prefix.length).map(({ column }) => from[column] ?? null);
      reader.index(access.spec).visit(prefix, start, visit);
      return;
    }
    default:
      for (const row of reader.rows()) if (!visit(row)) return;
  }
}

const NOWHERE: readonly Value[] = [];

const textsOf = (value: Value): string[] => (value === null ? [] : [value as string]);

const candidatesOf = ({ meta }: PlannedSource): readonly (readonly string[])[] => [
  ...meta.indexes,
  ...meta.unique,
  ...meta.columns.filter(({ def }) => def.ref !== undefined).map(({ def }) => [def.name]),
];

/** The columns to look up by: the longest beginning of a candidate that is fixed, and `wanted` in any case. */
function prefixOf(
  first: PlannedSource,
  fixed: ReadonlyMap<string, ReadOuter>,
  wanted: string | undefined,
): readonly string[] {
  const lists = candidatesOf(first).map((columns) => leading(columns, (column) => fixed.has(column)));
  const best = lists.reduce((one, other) => (other.length > one.length ? other : one), []);
  if (wanted === undefined || best.includes(wanted)) return best;
  return [wanted, ...[...fixed.keys()].filter((column) => column !== wanted && best.includes(column))];
}

function leading<T>(list: readonly T[], holds: (item: T) => boolean): readonly T[] {
  const end = list.findIndex((item) => !holds(item));
  return end < 0 ? list : list.slice(0, end);
}

/** The query's order as columns of the first source, or null where another source decides before its id does. */
function orderOfFirst(query: SelectNode, first: PlannedSource, fixed: readonly string[]): IndexColumn[] | null {
  if (isGrouped(query) || query.distinct || first.query !== null) return null;
  const columns: IndexColumn[] = [];
  for (const { column, direction } of query.orderBy) {
    if (column.type !== "column" || column.source !== first.name) return null;
    if (!fixed.includes(column.column)) columns.push({ column: column.column, direction });
    if (column.column === "id") return columns;
  }
  return null;
}

interface Range {
  readonly first: PlannedSource;
  readonly columns: readonly IndexColumn[];
  readonly fixed: readonly string[];
}

/** Where an ordered walk can begin: behind the cursor, or at the bound that `where` sets for the leading column. */
function startOf(query: SelectNode, where: readonly Expr[], { first, columns, fixed }: Range): readonly Value[] {
  const { after, orderBy } = query;
  if (after !== null) {
    const isOf = (term: Term, column: string): boolean =>
      term.type === "column" && term.source === first.name && term.column === column;
    // Where the rows all share a value that the cursor need not have, it is compared before those behind it.
    if (orderBy.some(({ column }) => fixed.some((name) => isOf(column, name)))) return [];
    return columns.map(({ column }) => after[orderBy.findIndex((order) => isOf(order.column, column))] ?? null);
  }
  const [leadingColumn] = columns;
  if (leadingColumn === undefined || fixed.includes(leadingColumn.column)) return [];
  const wanted = leadingColumn.direction === "asc" ? ["gt", "gte"] : ["lt", "lte"];
  for (const expr of where) {
    const bound = boundOf(expr, leadingColumn.direction);
    if (bound?.column.source !== first.name || bound.column.column !== leadingColumn.column) continue;
    if (bound.op === "between" || wanted.includes(bound.op)) return [bound.value];
  }
  return [];
}

function boundOf(expr: Expr, direction: "asc" | "desc"): { column: ColumnNode; op: string; value: Value } | null {
  if (expr.type === "between") {
    const end = direction === "asc" ? expr.low : expr.high;
    if (expr.operand.type !== "column" || end.type !== "value") return null;
    return { column: expr.operand, op: "between", value: end.value };
  }
  if (expr.type !== "compare" || expr.left.type !== "column" || expr.right.type !== "value") return null;
  return { column: expr.left, op: expr.op, value: expr.right.value };
}

const isText = (value: string | undefined): value is string => value !== undefined;

/** The column that must be null, where an index can have it: JSON has no order. */
function nullColumnOf(expr: Expr): string | undefined {
  if (expr.type !== "isNull" || expr.negated || expr.operand.type !== "column") return undefined;
  return compareFamily(expr.operand.kind) === null ? undefined : expr.operand.column;
}

/** Columns of `source` that must equal a value, or be null. */
function equalitiesOf(where: readonly Expr[], source: string): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const expr of where) {
    const nullColumn = nullColumnOf(expr);
    if (nullColumn !== undefined && namesIn(expr).includes(source)) values.set(nullColumn, null);
    if (expr.type !== "compare" || expr.op !== "eq") continue;
    const [column, value] = expr.left.type === "column" ? [expr.left, expr.right] : [expr.right, expr.left];
    if (column.type === "column" && value.type === "value" && column.source === source)
      values.set(column.column, value.value);
  }
  return values;
}

/** The values that `column` must be one of, or null. */
function listOf(where: readonly Expr[], source: string, column: string): readonly Value[] | null {
  for (const expr of where) {
    if (expr.type !== "in" || expr.negated || expr.operand.type !== "column") continue;
    // Equal bytes are not the same object, so a list of them could name rows twice.
    if (expr.operand.kind === "blob") continue;
    if (expr.operand.source === source && expr.operand.column === column)
      return [...new Set(expr.values.map(({ value }) => value))];
  }
  return null;
}
