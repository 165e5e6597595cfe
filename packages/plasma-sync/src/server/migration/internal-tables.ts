// Owns: the DDL of Plasma's own tables, the same columns in both dialects. All statements are idempotent.

import type { DialectName } from "../database/sql-executor.ts";
import { TELL_OF_COMMIT } from "../database/commit-notices.ts";
import { LOG_ORDER_FUNCTION, LOG_ORDER_TABLE } from "../database/log-order.ts";
import { quoteName } from "../sql/sql-text.ts";
import { blobTableStatements } from "./blob-tables.ts";

/** Bumped when a statement below changes what exists: it is part of the fingerprint that `ensureSchema` compares. */
export const INTERNAL_FORMAT = 2;

interface Words {
  readonly text: string;
  readonly int: string;
  /** Numbers that only grow, in the order in which they are given out. */
  readonly version: string;
  readonly end: string;
}

const words: { readonly [dialect in DialectName]: Words } = {
  sqlite: { text: "TEXT", int: "INTEGER", version: "INTEGER PRIMARY KEY AUTOINCREMENT", end: " STRICT" },
  postgres: {
    text: 'TEXT COLLATE "C"',
    int: "BIGINT",
    version: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    end: "",
  },
};

export function internalTableStatements(dialect: DialectName): readonly string[] {
  const statements = commonStatements(words[dialect]);
  const ofDialect = dialect === "sqlite" ? sqliteStatements : postgresStatements;
  // The last ones have a trigger that names tables of the others.
  return [...statements, ...ofDialect, ...blobTableStatements(dialect, words[dialect])];
}

const commonStatements = ({ text, int, version, end }: Words): readonly string[] => [
  // One log of everything that a pull tells: row changes (put, del; by triggers) and processed mutation ids (ack; by pushes).
  `CREATE TABLE IF NOT EXISTS _plasma_changes (
    row_version ${version},
    table_name ${text},
    row_id ${text},
    op ${text} NOT NULL CHECK (op IN ('put', 'del', 'ack')),
    value ${text},
    before ${text},
    created_at ${int} NOT NULL,
    client_group_id ${text},
    client_id ${text},
    replica_id ${text},
    mutation_id ${int},
    tag ${text} NOT NULL
  )${end}`,
  // Finds the refusal of one mutation id. Applied ones are looked for by nobody: an index of them would cost every push.
  `CREATE INDEX IF NOT EXISTS _plasma_changes_refusals ON _plasma_changes (client_id, mutation_id)
    WHERE op = 'ack' AND value IS NOT NULL`,
  // Finds the rejections of a group (and replica), for a re-sync.
  `CREATE INDEX IF NOT EXISTS _plasma_changes_rejections ON _plasma_changes (client_group_id, replica_id, row_version)
    WHERE op = 'ack' AND value IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS _plasma_client_mutations (
    client_id ${text} PRIMARY KEY NOT NULL,
    client_group_id ${text} NOT NULL,
    replica_id ${text},
    last_mutation_id ${int} NOT NULL,
    updated_at ${int} NOT NULL
  )${end}`,
  `CREATE INDEX IF NOT EXISTS _plasma_client_mutations_group ON _plasma_client_mutations (client_group_id, replica_id)`,
  `CREATE TABLE IF NOT EXISTS _plasma_schema (key ${text} PRIMARY KEY NOT NULL, value ${text} NOT NULL)${end}`,
];

const sqliteStatements: readonly string[] = [
  // At most one row, there only while a push writes rows: whom the triggers name as the origin.
  `CREATE TABLE IF NOT EXISTS _plasma_origin_context (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    client_group_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    replica_id TEXT,
    mutation_id INTEGER NOT NULL,
    now INTEGER NOT NULL
  ) STRICT`,
  // Always empty: a batch whose reads no longer hold tries to put a null here and so fails whole.
  `CREATE TABLE IF NOT EXISTS _plasma_guard (held INTEGER NOT NULL) STRICT`,
];

const postgresStatements: readonly string[] = [
  // Called before each statement that writes a synced table, so that raw SQL stands in the log's order, and is told of, too.
  `CREATE OR REPLACE FUNCTION ${quoteName(LOG_ORDER_FUNCTION)}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $plasma$
    BEGIN LOCK TABLE ${LOG_ORDER_TABLE} IN EXCLUSIVE MODE; ${TELL_OF_COMMIT}; RETURN NULL; END $plasma$`,
];
