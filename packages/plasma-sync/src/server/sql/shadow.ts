// Owns: shadowing a table by pending rows: a CTE of the table's name that a select then reads in its place.

import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { packJson } from "./json-params.ts";
import type { SqlParams } from "./sql-params.ts";
import { quoteName } from "./sql-text.ts";
import { cellSql, toCell } from "./sql-value.ts";

/** Pending rows of one table by id; null for a deleted one. */
export type PendingRows = ReadonlyMap<string, Row | null>;

/** The CTEs, comma separated, that put `pending` over the table's stored rows. */
export function shadowSql(meta: TableMeta, pending: PendingRows, params: SqlParams): string {
  const names = meta.columns.map(({ def }) => quoteName(def.name)).join(", ");
  const cells = meta.columns.map(({ def }, i) => cellSql(def.kind, `entry->>${i + 2}`)).join(", ");
  const pendingName = quoteName(`_plasma_pending.${meta.name}`);
  const lists = packJson([...pending].map(([id, row]) => pendingEntry(meta, id, row)));
  const placeholders = lists.map((list) => `(${params.whole(list)})`).join(", ");
  const table = quoteName(meta.name);
  return (
    `${pendingName}(entry) AS MATERIALIZED (SELECT item.value FROM (VALUES ${placeholders}) AS list, json_each(list.column1) AS item), ` +
    `${table}(${names}) AS (SELECT ${names} FROM main.${table} WHERE "id" NOT IN (SELECT entry->>0 FROM ${pendingName}) ` +
    `UNION ALL SELECT ${cells} FROM ${pendingName} WHERE entry->>1 = 1)`
  );
}

/** `[id, 0]` for a deleted row, `[id, 1, …cells]` for any other. */
function pendingEntry(meta: TableMeta, id: string, row: Row | null): unknown[] {
  if (row === null) return [id, 0];
  return [id, 1, ...meta.columns.map(({ def }) => toCell(def.kind, row[def.name] ?? null))];
}
