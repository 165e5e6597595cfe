// Owns: reading the live tables by pages, in (table, id) order, for a client that has nothing or must sync anew.
//
//   page 1: clear, rows as of v1 ──► page 2: the log v1…v2, rows as of v2 ──► … ──► no rows left: the log to its end
//
// Each page first brings what the client holds from the version of the page before to the log's end (pull.ts), then reads on from
// there: so a page reads rows of a moment just past, however long the whole takes. Only the last page is told as a position.
//
// Why the result is right although rows change while pages are read. Let a row be read by the page taken at version v.
//   - By a rule over one row: it is read as it is now, at some v' ≥ v. No entry of it in (v, H], where H is the end of the log:
//     it is the same at v' and H. Else its image at v' is either the one before its first entry in (v, H], or the one after one of
//     them. So some window of the log holds it among the images that it asks: if the row is invisible at that window's end, the
//     client is sent a `del`, and if visible a `put`. From there on each window moves the client from one exact state of the
//     row to the next.
//   - By a rule that looks into other tables: the database shows the rows as of v exactly, and the windows go on from v. Rows
//     that have changed since v are read apart, so that the rest come in the order of the table's index.
//   - A row that moves behind the reader, or is inserted there, is not read but has an entry after v. One that a window tells
//     before the reader comes to it is told again then, or gone by then, of which a window tells.
// So no snapshot need be held between pages, nor between the statements of one page. A row is its id: a changed id is logged as
// a delete and an insert. A rule over one row runs in the database too, where it is a condition.
//
// Cost: O(rows) over all pages, whatever the history; one statement per table that a page reaches (two for such rules).

import * as limits from "../../core/limits.ts";
import { compareText } from "../../core/query/compare.ts";
import type { PatchOp } from "../../core/protocol/pull.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import type { SqlRow } from "../database/sql-executor.ts";
import type { AsOf } from "../sql/as-of.ts";
import type { BoundedSelect } from "../sql/bounded-select.ts";
import type { QueryRule } from "./read-rules.ts";
import type { ReadScope } from "./read-scope.ts";
import { rowsByID, selectByID, type IdRange } from "./rule-page.ts";
import { syncedTables, type TablePlace } from "./table-place.ts";
import { putOp } from "./visibility.ts";

/** Where a first sync stands: in the tables, or behind them all. */
export type SyncPlace = TablePlace | "log";

export interface TablePage {
  readonly patch: readonly PatchOp[];
  readonly rowsScanned: number;
  /** Where the next page goes on. */
  readonly next: SyncPlace;
}

/** Reads up to `limit` rows from `from` on, which names a table of the schema. As of `version`. */
export async function readTablePage(
  scope: ReadScope,
  version: number,
  { from, limit }: { readonly from: SyncPlace; readonly limit: number },
): Promise<TablePage> {
  const patch: PatchOp[] = [];
  const tables = syncedTables(scope.schema);
  let next: SyncPlace = from;
  let rowsScanned = 0;
  for (let reads = 0; next !== "log" && reads < limits.firstSyncReadsMax && rowsScanned < limit; reads++) {
    const { table, after } = next;
    const index = tables.findIndex(({ name }) => name === table);
    const meta = tables[index];
    if (meta === undefined) break;
    const range = { after, limit: limit - rowsScanned };
    const part = await readPart(scope, version, { meta, range });
    for (const row of part.shown) patch.push(putOp(meta, row));
    rowsScanned += part.rowsScanned;
    if (part.last === null) next = startOf(tables[index + 1]);
    else {
      next = { table, after: part.last };
      // Large rows end a page by their bytes.
      break;
    }
  }
  return { patch, rowsScanned, next };
}

/** Before every row of a table; behind the last table comes the log. */
export const startOf = (meta: TableMeta | undefined): SyncPlace =>
  meta === undefined ? "log" : { table: meta.name, after: "" };

interface Part {
  readonly shown: readonly Row[];
  readonly rowsScanned: number;
  /** The id with which the part ends; null when the table does. */
  readonly last: string | null;
}

interface PartRange {
  readonly meta: TableMeta;
  readonly range: IdRange;
}

async function readPart(scope: ReadScope, version: number, { meta, range }: PartRange): Promise<Part> {
  const rule = scope.rules.of(meta);
  if (rule.type === "query") return readByRule(scope, version, { meta, range, rule });
  const where = rule.where === null ? [] : [rule.where];
  const select = rowsByID(scope, meta, { query: selectByID(meta, where, range) });
  const { rows, isCut } = readingOf(select, await scope.executor.all(select), range);
  return { shown: rows.filter(rule.sees), rowsScanned: rows.length, last: isCut ? lastOf(rows) : null };
}

async function readByRule(
  scope: ReadScope,
  version: number,
  { meta, range, rule }: PartRange & { readonly rule: QueryRule },
): Promise<Part> {
  const query = selectByID(meta, [rule.where], range);
  const selectOf = (only?: AsOf["only"]) => rowsByID(scope, meta, { query, asOf: { version, ...(only && { only }) } });
  // A rule that reads its own table must find all of it there.
  const selects = rule.readsItself
    ? [selectOf()]
    : [selectOf({ table: meta.name, rows: "unchanged" }), selectOf({ table: meta.name, rows: "changed" })];
  // One batch: a row that changes between two statements would be in neither.
  const results = await scope.executor.batch(selects);
  const answers = selects.map((select, i) => readingOf(select, results[i] ?? [], range));
  const ends = answers.flatMap(({ rows, isCut }) => (isCut ? [lastOf(rows)] : [])).sort(compareText);
  const rows = answers.flatMap((answer) => answer.rows).sort((a, b) => compareText(idOfRow(a), idOfRow(b)));
  const end = ends[0] ?? null;
  const whole = end === null ? rows : rows.filter((row) => compareText(idOfRow(row), end) <= 0);
  const shown = whole.slice(0, range.limit);
  const isCut = end !== null || shown.length < whole.length || shown.length >= range.limit;
  return { shown, rowsScanned: shown.length, last: isCut ? lastOf(shown) : null };
}

function readingOf(select: BoundedSelect, found: readonly SqlRow[], { limit }: IdRange) {
  const { rows, isCut } = select.decode(found);
  return { rows: rows as readonly Row[], isCut: isCut || rows.length >= limit };
}

const idOfRow = (row: Row): string => row["id"] as string;
const lastOf = (rows: readonly Row[]): string => idOfRow(rows.at(-1) as Row);
