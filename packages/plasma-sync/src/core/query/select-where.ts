// Owns: `selectWhere`, the plain select that Plasma itself makes for look-ups.

import type { Expr, SelectNode } from "./ast.ts";

/** All rows of a table for which a condition is true, by id. */
export const selectWhere = (table: string, where: Expr | null): SelectNode => ({
  type: "select",
  from: { name: table, table },
  joins: [],
  where,
  groupBy: [],
  having: null,
  distinct: false,
  orderBy: [{ column: { type: "column", source: table, column: "id", kind: "id" }, direction: "asc" }],
  after: null,
  limit: null,
  offset: 0,
  projection: null,
  includes: [],
  one: false,
});
