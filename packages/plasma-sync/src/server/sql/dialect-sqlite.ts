// Owns: the dialect of SQLite, D1 and Durable Objects.

import * as limits from "../../core/limits.ts";
import { isJsonKind } from "../../core/schema/value.ts";
import type { Dialect } from "./dialect.ts";
import { packJson } from "./json-params.ts";
import { boundSql, cellSql, readSql, sqlType, toCell, toParam } from "./sql-value.ts";

export const sqliteDialect: Dialect = {
  paramsMax: limits.sqlParamsMax,
  placeholder: (n) => `?${n}`,
  value: (params, kind, value) => boundSql(kind, params.value(toParam(kind, value))),
  list: (params, kind, values) =>
    packJson(values.map((value) => toCell(kind, value))).map(
      (list) => `SELECT ${cellSql(kind, "value")} FROM json_each(${params.whole(list)})`,
    ),
  isIn: (operand, list) => `${operand} IN (${list})`,
  nullOf: () => "NULL",
  // The builder leaves no `\` open at the end of a pattern, where engines differ.
  like: (operand, pattern) => `${operand} LIKE ${pattern} ESCAPE '\\'`,
  aggregate: (fn, _kind, sql) => `${fn}(${sql})`,
  order: (sql, direction) => (direction === "asc" ? `${sql} ASC` : `${sql} DESC`),
  // SQLite 3.53 takes the order of a subquery for that of the groups made of its rows, and does not sort them. The plus
  // changes no value and keeps the collation, but is no column for the planner.
  ofSubquery: (sql) => `+${sql}`,
  limit: (params, limit, offset) => `LIMIT ${params.value(limit ?? -1)} OFFSET ${params.value(offset)}`,
  fullJoin: (on) => on,
  read: readSql,
  cell: (kind, sql) => {
    if (kind === "blob") return `iif(${sql} IS NULL, NULL, hex(${sql}))`;
    return isJsonKind(kind) ? `json(${sql})` : readSql(kind, sql);
  },
  jsonArray: (cells) => `json_array(${cells.join(", ")})`,
  // Concatenated, since json_group_array would parse what is JSON already.
  jsonRows: (subselect) => `(SELECT '[' || coalesce(group_concat(v, ','), '') || ']' FROM (${subselect}))`,
  readJson: (json) => json,
  jsonCell: (json) => `json(${json})`,
  stored: (table) => `main.${table}`,
  undone: (entries) =>
    `SELECT row_id, "before" AS image FROM _plasma_changes WHERE row_version IN ` +
    `(SELECT min(row_version) FROM _plasma_changes WHERE ${entries} GROUP BY row_id) AND "before" IS NOT NULL`,
  // A stored JSON null is in the image what SQL's is.
  imageCell: (kind, image, key) =>
    isJsonKind(kind) ? `nullif(${image} -> ${key}, 'null')` : cellSql(kind, `(${image} ->> ${key})`),
  // It takes a compound into the query around it only where columns have the same affinities in both.
  likeColumn: (kind, sql) => (kind === "blob" ? sql : `CAST(${sql} AS ${sqlType(kind)})`),
  isAbsent: (image, key) => `${image} -> ${key} IS NULL`,
};
