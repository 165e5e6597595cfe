// Owns: the DDL of what the database knows of blobs. Who reads and writes it: server/blob.
//
//   _plasma_blobs         hash → the key of its bytes in the store; one row per blob that may be used
//   _plasma_blob_uploads  which groups have sent those bytes: their mutations may refer to them
//   _plasma_blob_refs     which column of which row holds which hash; by triggers (file-triggers.ts)
//   _plasma_blob_loose    keys under which a store may hold bytes that are no blob's: uploads under way or broken off, blobs that
//                         were collected. Not before `deletable_at` (0: somebody is deleting them now) are they deleted.

import type { DialectName } from "../database/sql-executor.ts";
import { functionSql, nowSql, originFrom } from "./trigger-sql.ts";

export const blobTableStatements = (
  dialect: DialectName,
  { text, int, end }: { readonly text: string; readonly int: string; readonly end: string },
): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS _plasma_blobs (
    hash ${text} PRIMARY KEY NOT NULL,
    blob_key ${text} NOT NULL,
    size_bytes ${int} NOT NULL,
    created_at ${int} NOT NULL,
    touched_at ${int} NOT NULL
  )${end}`,
  `CREATE TABLE IF NOT EXISTS _plasma_blob_uploads (
    hash ${text} NOT NULL,
    client_group_id ${text} NOT NULL,
    uploaded_at ${int} NOT NULL,
    PRIMARY KEY (hash, client_group_id)
  )${end}`,
  `CREATE TABLE IF NOT EXISTS _plasma_blob_refs (
    hash ${text} NOT NULL,
    table_name ${text} NOT NULL,
    row_id ${text} NOT NULL,
    column_name ${text} NOT NULL,
    PRIMARY KEY (table_name, row_id, column_name)
  )${end}`,
  `CREATE INDEX IF NOT EXISTS _plasma_blob_refs_hash ON _plasma_blob_refs (hash, table_name, row_id)`,
  `CREATE TABLE IF NOT EXISTS _plasma_blob_loose (
    blob_key ${text} PRIMARY KEY NOT NULL,
    deletable_at ${int} NOT NULL
  )${end}`,
  `CREATE INDEX IF NOT EXISTS _plasma_blob_loose_time ON _plasma_blob_loose (deletable_at)`,
  ...touchTrigger(dialect),
];

/** A blob that loses a ref is as young as a new one: whoever has just removed a file may want it back. */
function touchTrigger(dialect: DialectName): readonly string[] {
  const name = "_plasma_blob_unreferenced";
  const latest = dialect === "sqlite" ? "max" : "greatest";
  const now = `(SELECT ${nowSql(dialect)} FROM ${originFrom[dialect]})`;
  const touch = `UPDATE _plasma_blobs SET touched_at = ${latest}(touched_at, ${now}) WHERE hash = OLD.hash`;
  const on = `AFTER DELETE ON _plasma_blob_refs`;
  if (dialect === "sqlite") return [`CREATE TRIGGER IF NOT EXISTS ${name} ${on} BEGIN ${touch}; END`];
  return [functionSql(name, touch), `CREATE OR REPLACE TRIGGER ${name} ${on} FOR EACH ROW EXECUTE FUNCTION ${name}()`];
}
