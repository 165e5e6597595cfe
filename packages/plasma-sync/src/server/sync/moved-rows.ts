// Owns: the rows that a page of the log, from version `from` to `to`, moved in or out of the caller's sight where a rule looks
// into other tables. Candidates (rule-reach.ts) are asked twice, as of `from` and as of `to`:
//
//   seen at to, and changed or not seen at from ──► put        seen at from, not at to ──► del        else nothing
//
// Invariants:
//   1. Both states are exact, whenever the statements run: the same page asked again gives the same ops.
//   2. Ops come in (table, id) order, at most `limit` rows a part; `next` says where the next part of the same page begins.
//   3. An id is told only when the caller sees the row at one of the two versions.

import type { Expr } from "../../core/query/ast.ts";
import { compareText } from "../../core/query/compare.ts";
import * as limits from "../../core/limits.ts";
import type { PatchOp } from "../../core/protocol/pull.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { hasID } from "../database/table-reads.ts";
import { compileSelect } from "../sql/compile-select.ts";
import { syncedTables, type TablePlace } from "./table-place.ts";
import type { LogChanges } from "./log-changes.ts";
import type { ReadScope } from "./read-scope.ts";
import { idOf, rowsByID, selectByID, type IdRange } from "./rule-page.ts";
import { candidatesOf } from "./rule-reach.ts";
import { putOp } from "./visibility.ts";

export interface LogWindow {
  readonly from: number;
  readonly to: number;
  readonly changes: LogChanges;
}

export interface MovedRows {
  readonly patch: readonly PatchOp[];
  readonly rowsScanned: number;
  /** Null when nothing is left. */
  readonly next: TablePlace | null;
  /** Whether the database was asked anything: then the log must not have been compacted meanwhile. */
  readonly hasAsked: boolean;
}

/** Reads the moved rows behind `place`; from the first on when it is null. */
export async function readMovedRows(
  scope: ReadScope,
  window: LogWindow,
  { place, limit }: { readonly place: TablePlace | null; readonly limit: number },
): Promise<MovedRows> {
  const patch: PatchOp[] = [];
  let rowsScanned = 0;
  let reads = 0;
  for (const meta of syncedTables(scope.schema)) {
    if (place !== null && compareText(meta.name, place.table) < 0) continue;
    const rule = window.changes.isEmpty ? null : scope.rules.of(meta);
    const candidates = rule?.type === "query" ? candidatesOf(meta.name, rule.where, window.changes) : null;
    if (rule?.type !== "query" || candidates === null) continue;
    const after = place?.table === meta.name ? place.after : "";
    if (rowsScanned >= limit || reads >= limits.firstSyncReadsMax)
      return { patch, rowsScanned, next: { table: meta.name, after }, hasAsked: true };
    reads += 2;
    const range = { after, limit: limit - rowsScanned };
    const part = await readPart(scope, window, { meta, rule: rule.where, candidates, range });
    patch.push(...part.patch);
    rowsScanned += part.rowsScanned;
    if (part.last !== null) return { patch, rowsScanned, next: { table: meta.name, after: part.last }, hasAsked: true };
  }
  return { patch, rowsScanned, next: null, hasAsked: reads > 0 };
}

/** Whether the caller has rows of which only the database can say if the changes moved them. */
export const mayHaveMoved = ({ schema, rules }: ReadScope, changes: LogChanges): boolean =>
  !changes.isEmpty &&
  syncedTables(schema).some((meta) => {
    const rule = rules.of(meta);
    return rule.type === "query" && candidatesOf(meta.name, rule.where, changes) !== null;
  });

interface Part {
  readonly meta: TableMeta;
  readonly rule: Expr;
  readonly candidates: Expr;
  readonly range: IdRange;
}

/** Candidates of one table; `last` is the id with which the part ends, null when it holds the rest. */
async function readPart(scope: ReadScope, window: LogWindow, part: Part) {
  const { meta, range } = part;
  const seenBefore = await readIDs(scope, window.from, part);
  const seenNow = await readRows(scope, window.to, { ...part, also: seenBefore });
  // Up to where both lists are whole.
  const ends = [
    ...(seenBefore.length >= range.limit ? [seenBefore.at(-1) ?? ""] : []),
    ...(seenNow.isCut ? [seenNow.rows.at(-1)?.["id"] as string] : []),
  ].sort(compareText);
  const last = ends[0] ?? null;
  const isWithin = (id: string) => last === null || compareText(id, last) <= 0;
  const changed = new Set(window.changes.idsOf(meta.name));
  const before = new Set(seenBefore);
  const patch: PatchOp[] = [];
  for (const row of seenNow.rows) {
    const id = row["id"] as string;
    if (isWithin(id) && (changed.has(id) || !before.has(id))) patch.push(putOp(meta, row));
    before.delete(id);
  }
  for (const id of before) if (isWithin(id)) patch.push({ op: "del", table: meta.name, id });
  return { patch, last, rowsScanned: Math.max(seenBefore.length, seenNow.rows.length) };
}

async function readIDs({ schema, executor }: ReadScope, version: number, part: Part): Promise<string[]> {
  const { meta, rule, candidates, range } = part;
  const column = idOf(meta.name);
  const query = { ...selectByID(meta, [candidates, rule], range), projection: [{ key: "id", column }] };
  const select = compileSelect(query, { schema, dialect: executor.dialect, asOf: { version, isAboutFew: true } });
  return select.decode(await executor.all(select)).map((row) => row["id"] as string);
}

/** Rows that were seen before are asked for by their ids, too: a `del` must not rest on how candidates were named. */
async function readRows(scope: ReadScope, version: number, part: Part & { readonly also: readonly string[] }) {
  const { meta, rule, candidates, range, also } = part;
  // An `or` with a term that names nothing keeps SQLite from looking the others up by index.
  const named: Expr = also.length === 0 ? candidates : { type: "or", args: [candidates, hasID(meta.name, also)] };
  const query = selectByID(meta, [named, rule], range);
  const select = rowsByID(scope, meta, { query, asOf: { version, isAboutFew: true } });
  const { rows, isCut } = select.decode(await scope.executor.all(select));
  return { rows: rows as readonly Row[], isCut: isCut || rows.length >= range.limit };
}
