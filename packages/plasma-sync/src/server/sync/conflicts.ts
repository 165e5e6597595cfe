// Owns: conflicts of updates: which rows of an update a client of another replica has changed since the mutation's maker last
// pulled (`base`, their cookie at the call), and what the table's `resolveConflict` makes of them.
// Invariants:
//   1. Asked once per row and mutation: what it gave is the mutation's own from then on.
//   2. `base` is the row as the maker may have had it: as of their cookie, if they could see it then. A cookie that the log
//      does not reach back to gives no base, and every change that the log holds counts.
//   3. What it returns is a row of the table with the same id, checked like one that a mutator writes.
//   4. Changes by nobody's client (raw SQL, `createServerDb`) are no conflict: they are the server's own.

import { PlasmaError } from "../../core/error.ts";
import type { RowChange, StatementScope } from "../../core/mutation/statement.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import { mergeUpdate } from "../../core/schema/complete-row.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { MutationOrigin, ServerStore } from "../database/push-transaction.ts";
import type { SqlExecutor, SqlStatement } from "../database/sql-executor.ts";
import { hasID } from "../database/table-reads.ts";
import { parseImage } from "../migration/log-image.ts";
import { compileSelect } from "../sql/compile-select.ts";
import { jsonTexts } from "../sql/json-params.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import { parseCookie } from "./cookie.ts";
import type { ReadRules } from "./read-rules.ts";

export interface ConflictScope {
  readonly dialect: SqlExecutor["dialect"];
  readonly store: ServerStore;
  readonly rules: ReadRules;
  readonly ctx: unknown;
  readonly origin: MutationOrigin;
  /** The maker's cookie at the call. */
  readonly base: string | undefined;
}

/** What a mutation's updates go through. */
export function createResolve(scope: ConflictScope): NonNullable<StatementScope["resolve"]> {
  const asked = new Set<string>();
  let position: Promise<BasePosition> | null = null;
  return async (meta, changes) => {
    const { resolveConflict } = meta;
    const isNew = ({ before }: RowChange) => !asked.has(keyOf(meta, before));
    if (resolveConflict === undefined || !changes.some(isNew)) return changes;
    const base = await (position ??= readPosition(scope));
    const rowsByID = await readConflicts(scope, meta, {
      base,
      ids: changes.filter(isNew).map(({ before }) => rowID(before)),
    });
    for (const { before } of changes) asked.add(keyOf(meta, before));
    return changes.map((change) => {
      const row = rowsByID.get(rowID(change.before));
      if (row === undefined) return change;
      const conflict = { base: row, current: change.before, incoming: change.after, ctx: scope.ctx };
      return { before: change.before, after: checked(meta, change.before, resolveConflict(conflict)) };
    });
  };
}

const rowID = (row: Row): string => row["id"] as string;
const keyOf = (meta: TableMeta, row: Row): string => `${meta.name} ${rowID(row)}`;

function checked(meta: TableMeta, current: Row, result: unknown): Row {
  const refuse = (why: string): never => {
    throw new PlasmaError("mutation/definition", { name: `resolveConflict of "${meta.name}"`, why });
  };
  if (typeof result !== "object" || result === null)
    return refuse("it returns no row. Return current, incoming or a mix.");
  if ("then" in result) return refuse("it is asynchronous. Return the row itself.");
  const { id, ...columns } = result as { readonly [column: string]: Value };
  if (id !== current["id"]) throw new PlasmaError("data/id-change", { table: meta.name });
  const missing = meta.columns.find(({ def }) => def.name !== "id" && columns[def.name] === undefined)?.def.name;
  if (missing !== undefined) throw new PlasmaError("data/missing", { table: meta.name, column: missing });
  return mergeUpdate(meta, current, columns);
}

interface BasePosition {
  readonly version: number;
  /** Whether the state at the version is known. */
  readonly isKnown: boolean;
}

async function readPosition({ dialect, store, base }: ConflictScope): Promise<BasePosition> {
  const cookie = cookieOrNull(base);
  const [row] = await store.readLog({
    text: withPlaceholders(
      dialect,
      "SELECT (SELECT tag FROM _plasma_changes WHERE row_version = ?1) AS tag," +
        " (SELECT value FROM _plasma_schema WHERE key = 'compacted') AS compacted",
    ),
    params: [cookie?.version ?? 0],
  });
  const compactedTo = Number(row?.["compacted"] ?? 0);
  const isKnown =
    cookie !== null && cookie.version >= compactedTo && (cookie.version === 0 || row?.["tag"] === cookie.tag);
  return isKnown ? { version: cookie.version, isKnown } : { version: compactedTo, isKnown };
}

/** A mutation is not refused for a cookie that no server made: it only says less. */
function cookieOrNull(base: string | undefined) {
  try {
    return base === undefined ? null : parseCookie(base);
  } catch {
    return null;
  }
}

interface ConflictReads {
  readonly base: BasePosition;
  readonly ids: readonly string[];
}

/** The rows that another replica's client has changed since, each as its maker had it. */
async function readConflicts(scope: ConflictScope, meta: TableMeta, { base, ids }: ConflictReads) {
  const found = await scope.store.readLog(conflictsStatement(scope, meta, { base, ids }));
  const images = new Map(found.map((row) => [String(row["row_id"]), row["before"] as string | null]));
  const rows = new Map<string, Row | null>();
  if (images.size === 0) return rows;
  const seen = base.isKnown ? await readSeen(scope, meta, { base, ids: [...images.keys()] }) : () => false;
  for (const [id, image] of images) {
    const row = image === null ? null : parseImage(meta, image);
    rows.set(id, row !== null && seen(row) ? row : null);
  }
  return rows;
}

/** With the row's image before its first entry after the base. */
function conflictsStatement({ dialect, origin }: ConflictScope, meta: TableMeta, reads: ConflictReads): SqlStatement {
  const mine = "CAST(?4 AS TEXT)";
  const isForeign = `client_id IS NOT NULL AND (replica_id IS DISTINCT FROM ${mine} OR (${mine} IS NULL AND client_id <> CAST(?5 AS TEXT)))`;
  const text =
    'SELECT changed.row_id, log."before" FROM (SELECT row_id, min(row_version) AS first FROM _plasma_changes' +
    ` WHERE table_name = ?1 AND row_version > ?2 AND row_id IN (SELECT value FROM ${jsonTexts(dialect, "?3")})` +
    ` GROUP BY row_id HAVING max(CASE WHEN ${isForeign} THEN 1 ELSE 0 END) = 1) AS changed` +
    " JOIN _plasma_changes AS log ON log.row_version = changed.first";
  return {
    text: withPlaceholders(dialect, text),
    params: [meta.name, reads.base.version, JSON.stringify(reads.ids), origin.replicaID, origin.clientID],
  };
}

/** Whether the maker could see a row as of the base. */
async function readSeen(
  { dialect, store, rules }: ConflictScope,
  meta: TableMeta,
  { base, ids }: ConflictReads,
): Promise<(row: Row) => boolean> {
  const rule = rules.of(meta);
  if (rule.type === "row") return rule.sees;
  const where = { type: "and", args: [hasID(meta.name, ids), rule.where] } as const;
  const select = compileSelect(selectWhere(meta.name, where), {
    schema: rules.schema,
    dialect,
    asOf: { version: base.version, isAboutFew: true },
  });
  const visible = new Set(select.decode(await store.readLog(select)).map((row) => row["id"]));
  return (row) => visible.has(row["id"]);
}
