// Owns: the query AST: plain data that says what a query means. `evaluate`, SQL and the incremental pipeline execute it.
// Invariants:
//   1. Built only by the builder, which has checked every name and kind: executors do not check again.
//   2. `orderBy` is total: the builder has appended the primary keys of all sources (grouped or distinct: all projected
//      terms) that it did not already hold.
//   3. JSON-able but for bigint and bytes inside values: two equal queries have equal `queryKey`s.

import type { ColumnKind, Value } from "../schema/value.ts";

/** A column of a source of the query; `source` is the source's name in this query (alias or table name). */
export interface ColumnNode {
  readonly type: "column";
  readonly source: string;
  readonly column: string;
  readonly kind: ColumnKind;
}

/** A literal, of the kind of the column that it is compared with. */
export interface ValueNode {
  readonly type: "value";
  readonly value: Value;
  readonly kind: ColumnKind;
}

export type AggregateFunction = "count" | "countDistinct" | "sum" | "avg" | "min" | "max";

/** An aggregate over a group's tuples; `column` is null for `count()` alone, which counts tuples. */
export interface AggregateNode {
  readonly type: "aggregate";
  readonly fn: AggregateFunction;
  readonly column: ColumnNode | null;
  /** Of the result. */
  readonly kind: ColumnKind;
}

/** What a select computes per result row: projected, ordered by, tested by `having`. */
export type Term = ColumnNode | AggregateNode;
/** Aggregates stand in `having` only. */
export type Operand = Term | ValueNode;
export type CompareOp = "eq" | "ne" | "gt" | "gte" | "lt" | "lte";

/** A condition: true, false or unknown (three-valued; a row passes where it is true). Made by `eq`, `and`, … */
export type Expr =
  | { readonly type: "compare"; readonly op: CompareOp; readonly left: Operand; readonly right: Operand }
  /** True when empty. */
  | { readonly type: "and"; readonly args: readonly Expr[] }
  /** False when empty. */
  | { readonly type: "or"; readonly args: readonly Expr[] }
  | { readonly type: "not"; readonly arg: Expr }
  /** As SQL: with a null among `values`, no match is unknown; an empty list is false. */
  | { readonly type: "in"; readonly operand: Operand; readonly values: readonly ValueNode[]; readonly negated: boolean }
  | { readonly type: "isNull"; readonly operand: Operand; readonly negated: boolean }
  /** ASCII case folded, `%` and `_` wildcards, `\` escapes. */
  | { readonly type: "like"; readonly operand: Operand; readonly pattern: string }
  | { readonly type: "between"; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  /** True or false. Subqueries stand in `where` only; their columns may be of the queries around them. */
  | { readonly type: "exists"; readonly query: SelectNode; readonly negated: boolean }
  /** As `in`, over the one term that the subquery projects. */
  | { readonly type: "inQuery"; readonly operand: Operand; readonly query: SelectNode; readonly negated: boolean };

/** `name` is how this query calls the rows; `table` is where they come from: "" where `query` says it. */
export interface SourceNode {
  readonly name: string;
  readonly table: string;
  /** A subquery whose results are the rows. It sees no other source. */
  readonly query?: SelectNode;
}

export type JoinKind = "inner" | "left" | "right" | "full";

export interface JoinNode {
  readonly kind: JoinKind;
  readonly source: SourceNode;
  readonly on: Expr;
}

export interface OrderNode {
  readonly column: Term;
  readonly direction: "asc" | "desc";
}

export interface IncludeNode {
  readonly key: string;
  /** Correlated: its columns may be those of the query that includes it. */
  readonly query: SelectNode;
}

/**
 * A select, executed in this order: joins, `where`, groups, `having`, projection, `distinct`, order, `after`, offset and
 * limit, includes. Result rows: without projection and joins the row of `from`; without projection but with joins
 * `{ [source name]: row | null }`; with a projection `{ [key]: value }`; and a key for each include.
 */
export interface SelectNode {
  readonly type: "select";
  readonly from: SourceNode;
  readonly joins: readonly JoinNode[];
  readonly where: Expr | null;
  /** Rows are groups where this or an aggregate is there; without columns all tuples (also none) are one group. */
  readonly groupBy: readonly ColumnNode[];
  readonly having: Expr | null;
  readonly distinct: boolean;
  readonly orderBy: readonly OrderNode[];
  /** Values for `orderBy`: only rows that come after a row with these. */
  readonly after: readonly Value[] | null;
  readonly limit: number | null;
  readonly offset: number;
  readonly projection: readonly { readonly key: string; readonly column: Term }[] | null;
  readonly includes: readonly IncludeNode[];
  /** The result is the first row or null, not a list. The limit is 1. */
  readonly one: boolean;
}

export interface InsertNode {
  readonly type: "insert";
  readonly table: string;
  /** As the app gave them: defaults, ids and checks come when the statement runs. */
  readonly rows: readonly { readonly [column: string]: unknown }[];
  /** What happens to a row whose id is taken; null refuses the statement. */
  readonly onConflict: ConflictNode | null;
}

export type ConflictNode =
  | { readonly do: "nothing" }
  | { readonly do: "update"; readonly set: { readonly [column: string]: unknown } };

export interface UpdateNode {
  readonly type: "update";
  readonly table: string;
  /** Values, or Increments. */
  readonly set: { readonly [column: string]: unknown };
  /** Null only where the app said `.all()`. */
  readonly where: Expr | null;
}

export interface DeleteNode {
  readonly type: "delete";
  readonly table: string;
  readonly where: Expr | null;
}

export type WriteNode = InsertNode | UpdateNode | DeleteNode;

/** What a select returns per row; see SelectNode. */
export type ResultRow = { readonly [key: string]: unknown };

/** Whether the rows of a select are groups of tuples. */
export const isGrouped = ({ groupBy, having, orderBy, projection }: SelectNode): boolean =>
  groupBy.length > 0 ||
  having !== null ||
  (projection ?? []).some(({ column }) => column.type === "aggregate") ||
  orderBy.some(({ column }) => column.type === "aggregate");

/** Equal for equal terms. */
export const termKey = (term: Term): string =>
  term.type === "column"
    ? `${term.source}.${term.column}`
    : `${term.fn}(${term.column === null ? "" : termKey(term.column)})`;
