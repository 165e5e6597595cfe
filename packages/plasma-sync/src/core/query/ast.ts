// Owns: the query AST: plain data that says what a query means. `evaluate`, SQL and the incremental pipeline execute it.
// Invariants:
//   1. Built only by the builder, which has checked every name and kind: executors do not check again.
//   2. `orderBy` is total: the builder has appended the primary keys of all sources that it did not already hold.
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

export type Operand = ColumnNode | ValueNode;
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
  | { readonly type: "between"; readonly operand: Operand; readonly low: Operand; readonly high: Operand };

/** `name` is how this query calls the rows; `table` is where they come from. */
export interface SourceNode {
  readonly name: string;
  readonly table: string;
}

export interface JoinNode {
  readonly kind: "inner" | "left";
  readonly source: SourceNode;
  readonly on: Expr;
}

export interface OrderNode {
  readonly column: ColumnNode;
  readonly direction: "asc" | "desc";
}

/**
 * A select. Result rows: without projection and joins the row of `from`; without projection but with joins
 * `{ [source name]: row | null }`; with a projection `{ [key]: value }`.
 */
export interface SelectNode {
  readonly type: "select";
  readonly from: SourceNode;
  readonly joins: readonly JoinNode[];
  readonly where: Expr | null;
  readonly orderBy: readonly OrderNode[];
  readonly limit: number | null;
  readonly offset: number;
  readonly projection: readonly { readonly key: string; readonly column: ColumnNode }[] | null;
}

export interface InsertNode {
  readonly type: "insert";
  readonly table: string;
  /** As the app gave them: defaults, ids and checks come when the statement runs. */
  readonly rows: readonly { readonly [column: string]: unknown }[];
}

export interface UpdateNode {
  readonly type: "update";
  readonly table: string;
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
