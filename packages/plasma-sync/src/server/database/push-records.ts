// Owns: the statements by which a push reads and writes what it records: clients, outcomes, origin, the guard.

import { jsonItems, jsonTexts } from "../sql/json-params.ts";
import { tagSql } from "../sql/log-tag.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import type { DialectName, SqlRow, SqlStatement } from "./sql-executor.ts";
import type { ClientRecord, MutationOrigin, PushScope, RecordedRefusal } from "./push-transaction.ts";

/** The table whose name marks the failure of `guardStatement`. */
export const GUARD_TABLE = "_plasma_guard";

export const readVersion: SqlStatement = {
  text: `SELECT coalesce(max(row_version), 0) AS version FROM _plasma_changes`,
  params: [],
};

/** Records of the scope's clients. */
export const readClients = (dialect: DialectName, { idsByClient }: PushScope): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    `SELECT client_id, client_group_id, replica_id, last_mutation_id FROM _plasma_client_mutations ` +
      `WHERE client_id IN (SELECT value FROM ${jsonTexts(dialect, "?1")})`,
  ),
  params: [JSON.stringify([...idsByClient.keys()])],
});

/** Refusals recorded for the scope's ids: one look into their index for each run of ids without a gap. */
export const readRefusals = (dialect: DialectName, { idsByClient }: PushScope): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    // Written as a cross join, so that SQLite searches the log for each run and not the other way round.
    `SELECT log.client_id, log.mutation_id, log.value FROM ${jsonItems(dialect, "?1")} AS wanted ` +
      `CROSS JOIN _plasma_changes AS log WHERE log.op = 'ack' AND log.value IS NOT NULL ` +
      `AND log.client_id = wanted.value->>0 ` +
      `AND log.mutation_id BETWEEN CAST(wanted.value->>1 AS BIGINT) AND CAST(wanted.value->>2 AS BIGINT)`,
  ),
  params: [JSON.stringify([...idsByClient].flatMap(([clientID, ids]) => runsOf(ids).map((run) => [clientID, ...run])))],
});

/** The first and the last of each run of ids that follow each other. */
function runsOf(ids: readonly number[]): readonly (readonly [first: number, last: number])[] {
  const runs: [number, number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && id <= run[1] + 1) run[1] = id;
    else runs.push([id, id]);
  }
  return runs;
}

export function toClients(rows: readonly SqlRow[]): Map<string, ClientRecord> {
  const records = rows.map((row) => ({
    clientID: String(row["client_id"]),
    clientGroupID: String(row["client_group_id"]),
    replicaID: row["replica_id"] as string | null,
    lastMutationID: Number(row["last_mutation_id"]),
  }));
  return new Map(records.map((record) => [record.clientID, record]));
}

export const toRefusals = (rows: readonly SqlRow[]): RecordedRefusal[] =>
  rows.map((row) => ({
    clientID: String(row["client_id"]),
    id: Number(row["mutation_id"]),
    error: JSON.parse(String(row["value"])) as { code: string; message: string },
  }));

export interface Guard {
  /** The log's version that the push read at its start. */
  readonly version: number;
  readonly tablesRead: Iterable<string>;
  /** Last mutation id per client as read; null for a client that was unknown. */
  readonly lastIDs: Iterable<readonly [clientID: string, lastMutationID: number | null]>;
  /** Of the blobs that its refs name. */
  readonly blobKeys: readonly string[];
}

/** For SQLite. Fails, by a null in `_plasma_guard`, when something that the push read has changed since. */
export const guardStatement = ({ version, tablesRead, lastIDs, blobKeys }: Guard): SqlStatement => ({
  text:
    `INSERT INTO ${GUARD_TABLE} (held) SELECT NULL WHERE EXISTS (` +
    `SELECT 1 FROM _plasma_changes WHERE row_version > ?1 AND table_name IN (SELECT value FROM json_each(?2))) ` +
    // A compaction has removed entries that would have shown a change.
    `OR EXISTS (SELECT 1 FROM _plasma_schema WHERE key = 'compacted' AND CAST(value AS BIGINT) > ?1) ` +
    `OR EXISTS (SELECT 1 FROM json_each(?3) AS client WHERE client.value->>1 IS NOT ` +
    `(SELECT last_mutation_id FROM _plasma_client_mutations WHERE client_id = client.value->>0))` +
    (blobKeys.length === 0 ? "" : ` OR ${isAnyBlobGone}`),
  params: [
    version,
    JSON.stringify([...tablesRead]),
    JSON.stringify([...lastIDs]),
    ...(blobKeys.length === 0 ? [] : [JSON.stringify(blobKeys)]),
  ],
});

/** A key begins with the hash; another generation of the same blob has other uploaders. */
const isAnyBlobGone =
  `EXISTS (SELECT 1 FROM json_each(?4) AS used WHERE NOT EXISTS ` +
  `(SELECT 1 FROM _plasma_blobs WHERE hash = substr(used.value, 1, 64) AND blob_key = used.value))`;

/** Names the origin of the row changes that follow; null: none. On Postgres it ends with the transaction. */
export function originStatement(dialect: DialectName, origin: MutationOrigin | null, now: number): SqlStatement {
  if (dialect === "postgres") {
    const setting = origin === null ? "" : JSON.stringify({ ...originColumns(origin), now });
    return { text: `SELECT set_config('plasma.origin', $1, true)`, params: [setting] };
  }
  if (origin === null) return { text: `DELETE FROM _plasma_origin_context`, params: [] };
  return {
    text:
      `INSERT INTO _plasma_origin_context (id, client_group_id, client_id, replica_id, mutation_id, now) VALUES (1, ?1, ?2, ?3, ?4, ?5) ` +
      `ON CONFLICT (id) DO UPDATE SET client_group_id = excluded.client_group_id, client_id = excluded.client_id, ` +
      `replica_id = excluded.replica_id, mutation_id = excluded.mutation_id, now = excluded.now`,
    params: [...Object.values(originColumns(origin)), now],
  };
}

const originColumns = ({ clientGroupID, clientID, replicaID, mutationID }: MutationOrigin) => ({
  client_group_id: clientGroupID,
  client_id: clientID,
  replica_id: replicaID,
  mutation_id: mutationID,
});

export const isSameOrigin = (a: MutationOrigin | null, b: MutationOrigin | null): boolean =>
  a === null || b === null ? a === b : a.clientID === b.clientID && a.mutationID === b.mutationID;

export interface Ack {
  readonly origin: MutationOrigin;
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

/** Logs a processed mutation id. */
export const ackStatement = (dialect: DialectName, { origin, error }: Ack, now: number): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    `INSERT INTO _plasma_changes (op, value, created_at, client_group_id, client_id, replica_id, mutation_id, tag) ` +
      `VALUES ('ack', ?1, ?2, ?3, ?4, ?5, ?6, ${tagSql[dialect]})`,
  ),
  params: [
    error === undefined ? null : JSON.stringify({ code: error.code, message: error.message }),
    now,
    ...Object.values(originColumns(origin)),
  ],
});

/** Stores the last ids that the acks reach, one row per client. */
export function clientsStatement(dialect: DialectName, acks: readonly Ack[], now: number): SqlStatement {
  const last = new Map<string, MutationOrigin>();
  for (const { origin } of acks) {
    if (origin.mutationID > (last.get(origin.clientID)?.mutationID ?? 0)) last.set(origin.clientID, origin);
  }
  const records = [...last.values()].map((origin) => Object.values(originColumns(origin)));
  return {
    text: withPlaceholders(
      dialect,
      `INSERT INTO _plasma_client_mutations (client_group_id, client_id, replica_id, last_mutation_id, updated_at) ` +
        `SELECT value->>0, value->>1, value->>2, CAST(value->>3 AS BIGINT), CAST(?2 AS BIGINT) FROM ${jsonItems(dialect, "?1")} WHERE true ` +
        // A client keeps its owners: the push has checked that they are the same, or that no replica was known yet.
        `ON CONFLICT (client_id) DO UPDATE SET replica_id = coalesce(_plasma_client_mutations.replica_id, excluded.replica_id), ` +
        `last_mutation_id = excluded.last_mutation_id, updated_at = excluded.updated_at`,
    ),
    params: [JSON.stringify(records), now],
  };
}
