// Owns: the DDL of Plasma's own tables. All statements are idempotent.

/** Bumped when a statement below changes what exists: it is part of the fingerprint that `ensureSchema` compares. */
export const INTERNAL_FORMAT = 1;

export const internalTableStatements: readonly string[] = [
  // One log of everything that a pull tells: row changes (put, del; by triggers) and processed mutation ids (ack; by pushes).
  `CREATE TABLE IF NOT EXISTS _plasma_changes (
    row_version INTEGER PRIMARY KEY AUTOINCREMENT,
    table_name TEXT,
    row_id TEXT,
    op TEXT NOT NULL CHECK (op IN ('put', 'del', 'ack')),
    value TEXT,
    before TEXT,
    created_at INTEGER NOT NULL,
    client_group_id TEXT,
    client_id TEXT,
    replica_id TEXT,
    mutation_id INTEGER,
    tag TEXT NOT NULL
  ) STRICT`,
  // Finds the outcome of one mutation id.
  `CREATE INDEX IF NOT EXISTS _plasma_changes_acks ON _plasma_changes (client_id, mutation_id) WHERE op = 'ack'`,
  // Finds the rejections of a group (and replica), for a re-sync.
  `CREATE INDEX IF NOT EXISTS _plasma_changes_rejections ON _plasma_changes (client_group_id, replica_id, row_version)
    WHERE op = 'ack' AND value IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS _plasma_client_mutations (
    client_id TEXT PRIMARY KEY NOT NULL,
    client_group_id TEXT NOT NULL,
    replica_id TEXT,
    last_mutation_id INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT`,
  `CREATE INDEX IF NOT EXISTS _plasma_client_mutations_group ON _plasma_client_mutations (client_group_id, replica_id)`,
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
  `CREATE TABLE IF NOT EXISTS _plasma_schema (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT`,
];
