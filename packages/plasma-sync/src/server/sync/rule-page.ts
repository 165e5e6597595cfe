// Owns: reading the rows of one table that a rule of the database shows, by id, as of a version of the log.

import type { ColumnNode, Expr, SelectNode } from "../../core/query/ast.ts";
import * as limits from "../../core/limits.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { AsOf } from "../sql/as-of.ts";
import { boundedSelect, type BoundedSelect } from "../sql/bounded-select.ts";
import { compileSelect } from "../sql/compile-select.ts";
import type { ReadScope } from "./read-scope.ts";

export interface IdRange {
  /** Ids after this one; "" is before all. */
  readonly after: string;
  readonly limit: number;
}

export const idOf = (table: string): ColumnNode => ({ type: "column", source: table, column: "id", kind: "id" });

/** Rows of the table in the order of their ids, for which `where` is true. */
export function selectByID({ name }: TableMeta, where: readonly Expr[], { after, limit }: IdRange): SelectNode {
  const isAfter = {
    type: "compare",
    op: "gt",
    left: idOf(name),
    right: { type: "value", value: after, kind: "id" },
  } as const;
  return { ...selectWhere(name, { type: "and", args: [isAfter, ...where] }), limit };
}

/** The statement for a page of whole rows; it ends early when they are large. */
export function rowsByID(
  scope: ReadScope,
  meta: TableMeta,
  { query, asOf }: { readonly query: SelectNode; readonly asOf?: AsOf },
): BoundedSelect {
  const { schema, executor } = scope;
  const { dialect } = executor;
  const compiled = compileSelect(query, { schema, dialect, ...(asOf === undefined ? {} : { asOf }) });
  const orderBy = meta.columns.findIndex(({ def }) => def.kind === "id");
  return boundedSelect(compiled, dialect, { orderBy, bytesMax: limits.pullPageBytesMax });
}
