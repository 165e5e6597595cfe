// Owns: reading the live tables by pages, in (table, id) order, for a client that has nothing or must sync anew.
//
//   page 1 (clear) … page n          the tables' rows; $tag and version of the cookie stay those of page 1: v1
//   then the log from v1             (pull.ts), until its end; only then is the client consistent and told of advances
//
// Why the result is right although rows change while pages are read. Let a row be read by the page taken at version v
// (v1 ≤ v), and let H be the end of the log replay.
//   - No entry of the row in (v1, H]: it is the same at v and H, so the client has it iff the caller sees it.
//   - Else the row's image at v is either the one before its first entry in (v1, H], or the one after one of them. So some
//     log page holds it among the images that it asks: if the row is invisible at that page's end, the client is sent a
//     `del`, and if visible a `put`. From there on each page moves the client from one exact state of the row to the next.
//   - A row that moves behind the reader, or is inserted there, is not read but has an entry after v1.
// So no snapshot need be held between pages, nor between the statements of one page: it is enough that v1 was read before
// the first row and the end of the log after the last. A row is its id: a changed id is logged as a delete and an insert.
//
// Cost: O(rows) over all pages, whatever the history; one statement per table that a page reaches.

import * as limits from "../../core/limits.ts";
import type { PatchOp } from "../../core/protocol/pull.ts";
import type { SelectNode } from "../../core/query/ast.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { compileSelect } from "../sql/compile-select.ts";
import { canRead, putOp } from "./visibility.ts";

/** Where a first sync stands: rows up to and with `after` were read, or all of them. */
export type SyncPlace = { readonly table: string; readonly after: string } | "log";

export interface TablePage {
  readonly patch: readonly PatchOp[];
  readonly rowsScanned: number;
  /** Where the next page goes on. */
  readonly next: SyncPlace;
}

interface TableReads {
  readonly schema: AnySchema;
  readonly executor: SqlExecutor;
  readonly ctx: unknown;
}

/** Tables that sync, in their order. */
export const syncedTables = (schema: AnySchema): readonly TableMeta[] =>
  [...schema.tablesByName.values()]
    .filter((meta) => !meta.changeLogSuppressed)
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Reads up to `limit` rows from `from` on. `from` names a table of the schema. */
export async function readTablePage(
  { schema, executor, ctx }: TableReads,
  from: SyncPlace,
  limit: number,
): Promise<TablePage> {
  const patch: PatchOp[] = [];
  const tables = syncedTables(schema);
  let next: SyncPlace = from;
  let rowsScanned = 0;
  for (let reads = 0; next !== "log" && reads < limits.firstSyncReadsMax && rowsScanned < limit; reads++) {
    const { table, after } = next;
    const index = tables.findIndex(({ name }) => name === table);
    const meta = tables[index];
    if (meta === undefined) break;
    const room = limit - rowsScanned;
    const statement = compileSelect(rowsAfter(meta, after, room), { schema, dialect: executor.dialect });
    const rows = statement.decode(await executor.all(statement)) as readonly Row[];
    for (const row of rows) if (canRead(meta, ctx, row)) patch.push(putOp(meta, row));
    rowsScanned += rows.length;
    next = rows.length < room ? startOf(tables[index + 1]) : { table, after: rows.at(-1)?.["id"] as string };
  }
  return { patch, rowsScanned, next };
}

/** Before every row of a table; behind the last table comes the log. Ids are never empty. */
export const startOf = (meta: TableMeta | undefined): SyncPlace =>
  meta === undefined ? "log" : { table: meta.name, after: "" };

function rowsAfter({ name }: TableMeta, after: string, limit: number): SelectNode {
  const where = {
    type: "compare",
    op: "gt",
    left: { type: "column", source: name, column: "id", kind: "id" },
    right: { type: "value", value: after, kind: "id" },
  } as const;
  return { ...selectWhere(name, where), limit };
}
