// Owns: snapshotAsOf: all synced rows as they were at a cookie: the live tables, with what the log says of later changes
// undone (sql/as-of.ts).
// Invariants:
//   1. The check of the cookie and the rows of all tables are of one moment: a compaction cannot come between.
//   2. Rules are not asked: this is for trusted code.

import { selectWhere } from "../../core/query/select-where.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import type { SqlExecutor, SqlRow } from "../database/sql-executor.ts";
import { serverError } from "../server-error.ts";
import { compileSelect, type CompiledSelect } from "../sql/compile-select.ts";
import { parseCookie, type Cookie } from "../sync/cookie.ts";
import { readHead, toHead } from "../sync/log-reads.ts";
import { syncedTables } from "../sync/table-place.ts";

export type Snapshot = Map<string, Map<string, Row>>;

export interface SnapshotOptions {
  readonly schema: AnySchema;
  readonly executor: SqlExecutor;
  /** A cookie that a pull returned, whosever. */
  readonly cookie: string;
}

/**
 * The rows of every synced table as of the cookie: table → id → row, everybody's. It holds them all in memory, and costs
 * what the tables and the log behind the cookie hold.
 *
 * @throws PlasmaError `pull/cookie` for what is no cookie; `snapshot/compacted` when the log was compacted above it;
 *   `snapshot/history` when it is of another database, or of this one before a backup was put back.
 * @example
 * const before = await snapshotAsOf({ schema, executor, cookie });
 * const title = before.get("todos")?.get(todoId)?.title;
 */
export async function snapshotAsOf({ schema, executor, cookie: text }: SnapshotOptions): Promise<Snapshot> {
  const cookie = parseCookie(text);
  const asOf = { version: Math.min(cookie.version, Number.MAX_SAFE_INTEGER) };
  const reads = syncedTables(schema).map((meta) => ({
    meta,
    select: compileSelect(selectWhere(meta.name, null), {
      schema,
      dialect: executor.dialect,
      asOf,
    }),
  }));
  const statements = [readHead(executor.dialect, "", asOf.version), ...reads.map(({ select }) => select)];
  const [headRows = [], ...results] = await executor.batch(statements.map(({ text, params }) => ({ text, params })));
  checkHead(cookie, headRows);
  return new Map(reads.map(({ meta, select }, i) => [meta.name, rowsByID(select, results[i] ?? [])]));
}

function checkHead({ version, tag }: Cookie, [row = {}]: readonly SqlRow[]): void {
  const { compactedTo, anchorTag } = toHead(row);
  // An ack at the cookie may have stayed where row entries behind it are gone.
  if (version < compactedTo) throw serverError("snapshot/compacted", { version, compactedTo });
  if (version === 0 ? tag !== null : tag === null || tag !== anchorTag)
    throw serverError("snapshot/history", { version });
}

const rowsByID = (select: CompiledSelect, found: readonly SqlRow[]): Map<string, Row> =>
  new Map((select.decode(found) as readonly Row[]).map((row) => [row["id"] as string, row]));
