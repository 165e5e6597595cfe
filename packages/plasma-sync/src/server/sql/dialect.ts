// Owns: Dialect, what two SQL engines write differently. dialect-sqlite.ts and dialect-postgres.ts implement it; everything
// else of a select is the same text for both.

import type { AggregateFunction } from "../../core/query/ast.ts";
import type { ColumnKind, Value } from "../../core/schema/value.ts";
import type { SqlParams } from "./sql-params.ts";

export interface Dialect {
  /** Values that one statement may bind. */
  readonly paramsMax: number;
  /** Where the `n`th bound value stands, from 1. */
  readonly placeholder: (n: number) => string;
  /** Binds a value; the SQL has the type that columns of the kind have. */
  readonly value: (params: SqlParams, kind: ColumnKind, value: Value) => string;
  /** Binds a list as JSON: selects of one column that together have its values. None for an empty list. */
  readonly list: (params: SqlParams, kind: ColumnKind, values: readonly Value[]) => string[];
  /** Whether the operand is in such a list of `count` items. */
  readonly isIn: (operand: string, list: string, count: number) => string;
  /** NULL, of the type that columns of the kind have. */
  readonly nullOf: (kind: ColumnKind) => string;
  /** As `like.ts` has it. */
  readonly like: (operand: string, pattern: string) => string;
  /** An aggregate over a column of `kind`, in the type that columns of the result's kind have. */
  readonly aggregate: (
    fn: Exclude<AggregateFunction, "count" | "countDistinct">,
    kind: ColumnKind,
    sql: string,
  ) => string;
  /** One term of ORDER BY: null first ascending, last descending. */
  readonly order: (sql: string, direction: "asc" | "desc", isNullable: boolean) => string;
  /** A term of ORDER BY over the rows of a subquery. */
  readonly ofSubquery: (sql: string) => string;
  readonly limit: (params: SqlParams, limit: number | null, offset: number) => string;
  /** The condition of a full join, where `left` and `right` are columns of its two sides. */
  readonly fullJoin: (on: string, left: string, right: string) => string;
  /** How a column of a result is selected, so that `fromSql` can read it. */
  readonly read: (kind: ColumnKind, sql: string) => string;
  /** How a value stands in `jsonArray`, so that `fromCell` can read it. */
  readonly cell: (kind: ColumnKind, sql: string) => string;
  /** A JSON array of cells, of at most `limits.sqlJsonObjectColumnsMax`. */
  readonly jsonArray: (cells: readonly string[]) => string;
  /** The JSON arrays in the column `v` of an ordered subselect, as one JSON array. */
  readonly jsonRows: (subselect: string) => string;
  /** JSON made by the two above, as a column of a result: text. */
  readonly readJson: (json: string) => string;
  /** JSON made by `jsonRows`, as a cell. */
  readonly jsonCell: (json: string) => string;
  /** A table's stored rows, inside a CTE of the table's own name. */
  readonly stored: (table: string) => string;
  /**
   * Of each row that entries of the log match, the image before the first of them, where there was one: `row_id`, and
   * `image` in the form that the two below read.
   */
  readonly undone: (entries: string) => string;
  /** The value of a column, as it is stored, out of an image. `key` is a literal. */
  readonly imageCell: (kind: ColumnKind, image: string, key: string) => string;
  /** A value that the planner takes for a column of the kind, so that rows of two places are searched as one table. */
  readonly likeColumn: (kind: ColumnKind, sql: string) => string;
  /** Whether the image has no such column. */
  readonly isAbsent: (image: string, key: string) => string;
}
