// Owns: the dialect of Postgres, from version 15 on.
// Invariants:
//   1. Every parameter is cast to the type that it is compared in, so that indexes stay usable and no type is guessed.
//   2. Text compares in the collation "C" of its column, which is code point order; the server's own does not matter.

import * as limits from "../../core/limits.ts";
import { isJsonKind, type ColumnKind, type Value } from "../../core/schema/value.ts";
import type { Dialect } from "./dialect.ts";
import { packJson } from "./json-params.ts";
import { postgresType, toCell, toParam } from "./sql-value.ts";

/** An int column may be compared with 0.5 or 2^70. */
const valueType = (kind: ColumnKind, value: Value): string =>
  typeof value === "number" && !Number.isSafeInteger(value) ? "float8" : postgresType(kind);

const widest = (kind: ColumnKind, values: readonly Value[]): string =>
  values.some((value) => valueType(kind, value) === "float8") ? "float8" : postgresType(kind);

export const postgresDialect: Dialect = {
  paramsMax: limits.postgresParamsMax,
  placeholder: (n) => `$${n}`,
  value: (params, kind, value) => `${params.value(toParam(kind, value))}::${valueType(kind, value)}`,
  list: (params, kind, values) =>
    packJson(values.map((value) => toCell(kind, value))).map((list) => {
      const cell = kind === "blob" ? "decode(e, 'hex')" : `e::${widest(kind, values)}`;
      return `SELECT ${cell} FROM jsonb_array_elements_text(${params.whole(list)}::jsonb) AS e`;
    }),
  // Few values are looked up in an index; many are hashed, where an array would be searched from its start for each row.
  isIn: (operand, list, count) =>
    count <= limits.postgresArrayItemsMax ? `${operand} = ANY (ARRAY(${list}))` : `${operand} IN (${list})`,
  nullOf: (kind) => `NULL::${postgresType(kind)}`,
  // Under the collation "C" ILIKE folds ASCII only. `\` escapes by itself.
  like: (operand, pattern) => `${operand} ILIKE ${pattern}`,
  aggregate,
  // Where nulls go is said only where there can be some: a plain order is that of a plain index.
  order: (sql, direction, isNullable) =>
    direction === "asc"
      ? `${sql} ASC${isNullable ? " NULLS FIRST" : ""}`
      : `${sql} DESC${isNullable ? " NULLS LAST" : ""}`,
  ofSubquery: (sql) => sql,
  limit: (params, limit, offset) =>
    (limit === null ? "" : `LIMIT ${params.value(limit)}::bigint `) + `OFFSET ${params.value(offset)}::bigint`,
  // A full join wants an equation of its two sides to hash or merge by. This one is always true, and no planner knows.
  fullJoin: (on, left, right) => `(num_nulls(${left}) < 0) = (num_nulls(${right}) < 0) AND (${on})`,
  read: (kind, sql) => (isJsonKind(kind) ? `(${sql})::text` : sql),
  cell: (kind, sql) => {
    if (kind === "bigint") return `(${sql})::text`;
    if (kind === "blob") return `encode(${sql}, 'hex')`;
    return isJsonKind(kind) ? `(${sql})::json` : sql;
  },
  jsonArray: (cells) => `json_build_array(${cells.join(", ")})`,
  jsonRows: (subselect) => `(SELECT coalesce(json_agg(list.v), '[]') FROM (${subselect}) AS list)`,
  readJson: (json) => `(${json})::text`,
  jsonCell: (json) => json,
  stored: (table) => table,
  // Not by the smallest version of each row: the planner would take that for a handful of rows, and search all of them for
  // each row of the rest of the query.
  undone: (entries) =>
    `SELECT row_id, "before"::jsonb AS image FROM (SELECT DISTINCT ON (row_id) row_id, "before" FROM _plasma_changes ` +
    `WHERE ${entries} ORDER BY row_id, row_version) AS first WHERE "before" IS NOT NULL`,
  imageCell: (kind, image, key) => {
    if (isJsonKind(kind)) return `nullif(${image} -> ${key}, 'null')`;
    return kind === "blob" ? `decode(${image} ->> ${key}, 'hex')` : `(${image} ->> ${key})::${postgresType(kind)}`;
  },
  likeColumn: (_kind, sql) => sql,
  isAbsent: (image, key) => `${image} -> ${key} IS NULL`,
};

function aggregate(fn: "sum" | "avg" | "min" | "max", kind: ColumnKind, sql: string): string {
  // The sum of a bigint column is numeric, and so is the mean.
  if (fn === "sum") return `sum(${sql})::${postgresType(kind)}`;
  if (fn === "avg") return `avg(${sql})::float8`;
  if (kind === "boolean") return fn === "min" ? `bool_and(${sql})` : `bool_or(${sql})`;
  return kind === "blob" ? `decode(${fn}(encode(${sql}, 'hex') COLLATE "C"), 'hex')` : `${fn}(${sql})`;
}
