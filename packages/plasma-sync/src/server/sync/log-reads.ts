// Owns: the statements that pulls read the change log and the clients' records with, and their rows as typed entries.

import type { Rejection } from "../../core/protocol/pull.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import type { Position } from "./cookie.ts";

/** Whose advances and rejections a pull tells: a replica's, or where it sends no replicaID, its group's. */
export interface Audience {
  readonly clientGroupID: string;
  readonly replicaID: string | undefined;
}

export interface LogEntry {
  readonly version: number;
  readonly tag: string;
  /** `ack`: the origin's mutation id is processed; `value` then holds its error when it was refused. */
  readonly op: "put" | "del" | "ack";
  readonly table: string | null;
  readonly rowID: string | null;
  /** JSON image before and after. */
  readonly before: string | null;
  readonly value: string | null;
  readonly clientGroupID: string | null;
  readonly clientID: string | null;
  readonly replicaID: string | null;
  readonly mutationID: number | null;
}

/** Where the log ends, whether a cookie's entry is there, and who owns the asking client: one row. */
export interface PullHead {
  readonly version: number;
  readonly tag: string | null;
  /** Tag of the entry at the cookie's version; null when there is none. */
  readonly anchorTag: string | null;
  /** Row entries at and below this version may be gone; 0 where nothing was compacted. */
  readonly compactedTo: number;
  /** Null for a client that has not pushed yet. */
  readonly owner: { readonly clientGroupID: string; readonly replicaID: string | null } | null;
}

type Dialect = SqlExecutor["dialect"];

export const readHead = (dialect: Dialect, clientID: string, anchor: number): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    "SELECT h.row_version, h.tag, a.tag AS anchor_tag, c.client_group_id, c.replica_id, s.value AS compacted" +
      " FROM (SELECT 1 AS x) AS one" +
      " LEFT JOIN (SELECT row_version, tag FROM _plasma_changes ORDER BY row_version DESC LIMIT 1) AS h ON 1 = 1" +
      " LEFT JOIN _plasma_changes AS a ON a.row_version = ?1" +
      " LEFT JOIN _plasma_client_mutations AS c ON c.client_id = ?2" +
      " LEFT JOIN _plasma_schema AS s ON s.key = 'compacted'",
  ),
  params: [anchor, clientID],
});

export interface LogRange {
  readonly after: number;
  /** The last version to read; null: as far as there is. */
  readonly upTo: number | null;
  readonly limit: number;
  readonly bytesMax: number;
}

/** Entries of the range, the first always; they end before the one that those before it leave no bytes for. */
export const readLog = (dialect: Dialect, { after, upTo, limit, bytesMax }: LogRange): SqlStatement => {
  const columns =
    'row_version, tag, op, table_name, row_id, "before", value, client_group_id, client_id, replica_id, mutation_id';
  const bytes = `coalesce(octet_length("before"), 0) + coalesce(octet_length(value), 0)`;
  const range = `row_version > ?1${upTo === null ? "" : " AND row_version <= ?4"} ORDER BY row_version LIMIT ?2`;
  // Sizes are summed apart from the images, which large ones would be copied for.
  const end =
    "SELECT max(row_version) FROM (SELECT row_version, bytes, sum(bytes) OVER (ORDER BY row_version) AS total FROM" +
    ` (SELECT row_version, ${bytes} AS bytes FROM _plasma_changes WHERE ${range}) AS sized) AS summed` +
    " WHERE total - bytes < ?3";
  return {
    text: withPlaceholders(
      dialect,
      `SELECT ${columns} FROM _plasma_changes WHERE row_version > ?1 AND row_version <= (${end}) ORDER BY row_version`,
    ),
    params: upTo === null ? [after, limit, bytesMax] : [after, limit, bytesMax, upTo],
  };
};

export const readLastIDs = (dialect: Dialect, audience: Audience): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    `SELECT client_id, last_mutation_id FROM _plasma_client_mutations WHERE ${audienceText(audience)}`,
  ),
  params: audienceParams(audience),
});

/** Refusals that are still kept. No limit: they are the audience's own of 30 days, each at most a message long. */
export const readRejections = (dialect: Dialect, audience: Audience, since: number): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    "SELECT client_id, mutation_id, value FROM _plasma_changes" +
      ` WHERE op = 'ack' AND value IS NOT NULL AND ${audienceText(audience)} AND created_at >= ?${audienceParams(audience).length + 1}` +
      " ORDER BY row_version",
  ),
  params: [...audienceParams(audience), since],
});

const audienceText = ({ replicaID }: Audience): string =>
  replicaID === undefined ? "client_group_id = ?1" : "client_group_id = ?1 AND replica_id = ?2";
const audienceParams = ({ clientGroupID, replicaID }: Audience): string[] =>
  replicaID === undefined ? [clientGroupID] : [clientGroupID, replicaID];

export function toHead(row: SqlRow): PullHead {
  const clientGroupID = textOrNull(row["client_group_id"]);
  return {
    version: Number(row["row_version"] ?? 0),
    tag: textOrNull(row["tag"]),
    anchorTag: textOrNull(row["anchor_tag"]),
    compactedTo: Number(row["compacted"] ?? 0),
    owner: clientGroupID === null ? null : { clientGroupID, replicaID: textOrNull(row["replica_id"]) },
  };
}

/** Whether the log still has the entry at which a position was given, and all that came after it. */
export const isOfLog = ({ version, tag }: Position, head: Pick<PullHead, "anchorTag" | "compactedTo">): boolean =>
  version >= head.compactedTo && (version === 0 ? tag === null : tag !== null && head.anchorTag === tag);

export const toLogEntry = (row: SqlRow): LogEntry => ({
  version: Number(row["row_version"]),
  tag: String(row["tag"]),
  op: row["op"] as LogEntry["op"],
  table: textOrNull(row["table_name"]),
  rowID: textOrNull(row["row_id"]),
  before: textOrNull(row["before"]),
  value: textOrNull(row["value"]),
  clientGroupID: textOrNull(row["client_group_id"]),
  clientID: textOrNull(row["client_id"]),
  replicaID: textOrNull(row["replica_id"]),
  mutationID: row["mutation_id"] === null ? null : Number(row["mutation_id"]),
});

export const toLastIDs = (rows: readonly SqlRow[]): { [clientID: string]: number } =>
  Object.fromEntries(rows.map((row) => [String(row["client_id"]), Number(row["last_mutation_id"])]));

export const toRejections = (rows: readonly SqlRow[]): Rejection[] =>
  rows.map((row) => toRejection(String(row["client_id"]), Number(row["mutation_id"]), String(row["value"])));

export function toRejection(clientID: string, id: number, recorded: string): Rejection {
  const { code, message } = JSON.parse(recorded) as { readonly code: string; readonly message: string };
  return { clientID, id, code, message };
}

const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
