// Owns: what the database knows of blobs, as statements: the life of a key, from the first byte of an upload to its end.
//
//   upload begins:   key in `loose`, deletable in a day   (so that a killed process leaves nothing that nobody knows of)
//   bytes stored:    one commit: key out of `loose`, into `_plasma_blobs`, the group among the uploaders
//   collected:       one commit: blob and its uploaders gone, key in `loose`, deletable at once; then the bytes, then the key
//
// Invariants:
//   1. Every key under which a store holds bytes is in `_plasma_blobs` or in `loose`.
//   2. A key in `_plasma_blobs` has whole bytes in the store: it came there after they were stored, and they are deleted only
//      under keys in `loose` that somebody has claimed (`deletable_at` 0), from which no way leads back.

import type { DialectName, SqlExecutor, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import { holdLogOrder } from "../database/log-order.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";

export interface NewBlob {
  readonly hash: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly clientGroupID: string;
  readonly now: number;
}

export class BlobRecords {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  /** Before the first byte is stored. */
  async begin(key: string, now: number): Promise<void> {
    await this.#executor.run(
      this.#sql(
        `INSERT INTO _plasma_blob_loose (blob_key, deletable_at) VALUES (?1, ?2)`,
        key,
        now + limits.blobUploadMsMax,
      ),
    );
  }

  /** When it is known that nothing was stored under the key. */
  async forget(key: string): Promise<void> {
    await this.#executor.run(this.#sql(`DELETE FROM _plasma_blob_loose WHERE blob_key = ?1`, key));
  }

  /**
   * When the bytes are stored. The key under which the blob is kept: another one, when somebody has sent it before. Null when
   * the upload took so long that its key is being deleted.
   */
  async finish({ hash, key, sizeBytes, clientGroupID, now }: NewBlob): Promise<string | null> {
    const [found] = await this.#commit([
      this.#sql(
        `INSERT INTO _plasma_blobs (hash, blob_key, size_bytes, created_at, touched_at) ` +
          `SELECT ?1, blob_key, CAST(?3 AS BIGINT), CAST(?4 AS BIGINT), CAST(?4 AS BIGINT) FROM _plasma_blob_loose ` +
          `WHERE blob_key = ?2 AND deletable_at > 0 ` +
          `ON CONFLICT (hash) DO UPDATE SET touched_at = excluded.touched_at`,
        hash,
        key,
        sizeBytes,
        now,
      ),
      this.#sql(
        `INSERT INTO _plasma_blob_uploads (hash, client_group_id, uploaded_at) ` +
          `SELECT hash, ?2, CAST(?3 AS BIGINT) FROM _plasma_blobs WHERE hash = ?1 ` +
          `ON CONFLICT (hash, client_group_id) DO UPDATE SET uploaded_at = excluded.uploaded_at`,
        hash,
        clientGroupID,
        now,
      ),
      this.#sql(
        `DELETE FROM _plasma_blob_loose WHERE blob_key = ?1 AND EXISTS (SELECT 1 FROM _plasma_blobs WHERE blob_key = ?1)`,
        key,
      ),
      this.#sql(`SELECT blob_key FROM _plasma_blobs WHERE hash = ?1`, hash),
    ]);
    return found === undefined ? null : String(found["blob_key"]);
  }

  /** When the bytes under `lost` are gone from the store: `key`, which is still loose, takes its place. */
  async replace(hash: string, lost: string, key: string): Promise<void> {
    const isLoose = `EXISTS (SELECT 1 FROM _plasma_blob_loose WHERE blob_key = ?3 AND deletable_at > 0)`;
    await this.#commit([
      this.#sql(
        `UPDATE _plasma_blobs SET blob_key = ?3 WHERE hash = ?1 AND blob_key = ?2 AND ${isLoose}`,
        hash,
        lost,
        key,
      ),
      this.#sql(
        `DELETE FROM _plasma_blob_loose WHERE blob_key = ?1 AND EXISTS (SELECT 1 FROM _plasma_blobs WHERE blob_key = ?1)`,
        key,
      ),
    ]);
  }

  #sql(text: string, ...params: SqlStatement["params"]): SqlStatement {
    return { text: withPlaceholders(this.#executor.dialect, text), params };
  }

  #commit(statements: readonly SqlStatement[]): Promise<readonly SqlRow[]> {
    return commitInOrder(this.#executor, statements).then((answers) => answers.at(-1) ?? []);
  }
}

/** One commit that no push and no collection runs beside; the rows of each statement. */
export async function commitInOrder(
  executor: SqlExecutor,
  statements: readonly SqlStatement[],
): Promise<readonly (readonly SqlRow[])[]> {
  const hold = holdLogOrder(executor.dialect);
  for (let attempt = 0; ; attempt++) {
    try {
      return (await executor.batch([...hold, ...statements])).slice(hold.length);
    } catch (cause) {
      if (executor.classify(cause) !== "conflict") throw cause;
      if (attempt >= limits.blobCommitRetriesMax) throw serverError("server/retry", {}, { cause });
    }
  }
}

/** A column of a row that holds a blob. */
export interface BlobRef {
  readonly hash: string;
  readonly table: string;
  readonly rowID: string;
  readonly column: string;
}

export const toBlobRef = (row: SqlRow): BlobRef => ({
  hash: String(row["hash"]),
  table: String(row["table_name"]),
  rowID: String(row["row_id"]),
  column: String(row["column_name"]),
});

/** The blob of a hash and the first of the refs to it, one row each; none when there is no ref or no blob. */
export const readBlobWithRefs = (dialect: DialectName, hash: string, refsMax: number): SqlStatement => ({
  text: withPlaceholders(
    dialect,
    `SELECT b.blob_key, b.size_bytes, r.hash, r.table_name, r.row_id, r.column_name ` +
      `FROM _plasma_blobs AS b JOIN _plasma_blob_refs AS r ON r.hash = b.hash ` +
      `WHERE b.hash = ?1 ORDER BY r.table_name, r.row_id, r.column_name LIMIT ${refsMax}`,
  ),
  params: [hash],
});
