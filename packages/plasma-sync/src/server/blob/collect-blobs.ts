// Owns: collectBlobs: deleting blobs to which no row refers any more, and what broken uploads have left.
// Invariants:
//   1. A blob goes in one commit that finds no ref to it. A push that refers to it commits before, and the collection finds the
//      ref; or after, and finds no blob (on D1 and Durable Objects its guard sees to that). Never both.
//   2. Bytes are deleted under keys that nothing can refer to any more, after the commit that made them so. Cut off between
//      the two, the next run goes on: the keys are in `_plasma_blob_loose` until their bytes are gone.
//   3. An upload of the same content has another key: it neither is hit nor disturbs.

import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { SqlExecutor, SqlParam, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import { serverError } from "../server-error.ts";
import { jsonTexts } from "../sql/json-params.ts";
import { withPlaceholders } from "../sql/placeholders.ts";
import { commitInOrder } from "./blob-records.ts";
import type { BlobStore } from "./blob-store.ts";

export interface CollectBlobsOptions {
  readonly executor: SqlExecutor;
  /** The store of the handler's option `blobs.default`. */
  readonly blobs: BlobStore;
  /**
   * Milliseconds for which a blob was neither sent nor referred to before it goes. Default: 7 days. A device may fall asleep
   * between the upload of a file and the push that refers to it; when it wakes up later than this, its change is refused.
   */
  readonly graceMs?: number;
  /** Default: the platform's clock. */
  readonly env?: Env;
}

export interface BlobCollection {
  /** Blobs that this call took away. */
  readonly deleted: number;
  /** Their bytes. */
  readonly deletedBytes: number;
  /** Whether it stopped early, because the database allows no more statements in one request. Call again, or next time. */
  readonly hasMore: boolean;
}

/** Statements of the largest step, with the lock on Postgres. */
const STEP_STATEMENTS = 8;

/**
 * Deletes the bytes of files to which no row has referred for `graceMs`. For a cron job; safe to run beside pushes and
 * uploads, twice at once, and again after it was cut off. The tables must be there (`ensureSchema`).
 *
 * @throws PlasmaError `server/option`; `server/retry` when other writers won every time. What database and store throw.
 * @example
 * export default {
 *   fetch: (request, env) => handlerOf(env)(request),
 *   scheduled: (event, env, ctx) =>
 *     ctx.waitUntil(collectBlobs({ executor: fromD1(env.DB), blobs: fromR2(env.FILES) })),
 * };
 */
export async function collectBlobs(options: CollectBlobsOptions): Promise<BlobCollection> {
  const { executor, blobs, graceMs = limits.blobGraceMs, env = systemEnv } = options;
  if (!Number.isSafeInteger(graceMs) || graceMs < 0)
    throw serverError("server/option", {
      of: "collectBlobs",
      option: "graceMs",
      why: "must be a whole number of 0 or more.",
    });
  const collector = new Collector(executor, blobs);
  const isUnreferencedDone = await collector.looseUnreferenced(env.now() - graceMs);
  const isLooseDone = await collector.deleteLoose(env.now());
  const { deleted, deletedBytes } = collector;
  return { deleted, deletedBytes, hasMore: !(isUnreferencedDone && isLooseDone) };
}

class Collector {
  deleted = 0;
  deletedBytes = 0;
  readonly #executor: SqlExecutor;
  readonly #store: BlobStore;
  #statementsLeft: number;

  constructor(executor: SqlExecutor, store: BlobStore) {
    this.#executor = executor;
    this.#store = store;
    this.#statementsLeft = executor.pushStatementsMax;
  }

  /** Takes the blobs away to which nothing has referred since `before`; returns whether it came to the end. */
  async looseUnreferenced(before: number): Promise<boolean> {
    for (let after = ""; ;) {
      // Room is left for the other half, so that both get on.
      if (this.#statementsLeft < 2 * STEP_STATEMENTS) return false;
      const [page] = await this.#all(
        `SELECT max(hash) AS bound, coalesce(sum(CASE WHEN touched_at < ?2 AND NOT EXISTS ` +
          `(SELECT 1 FROM _plasma_blob_refs AS r WHERE r.hash = b.hash) THEN 1 ELSE 0 END), 0) AS found ` +
          `FROM (SELECT hash, touched_at FROM _plasma_blobs WHERE hash > ?1 ORDER BY hash LIMIT ${limits.blobCollectionMax}) AS b`,
        after,
        before,
      );
      const bound = page?.["bound"] ?? null;
      if (bound === null) return true;
      if (Number(page?.["found"]) > 0) await this.#loose(after, String(bound), before);
      after = String(bound);
    }
  }

  async #loose(after: string, bound: string, before: number): Promise<void> {
    const selection =
      `(SELECT hash FROM _plasma_blobs AS b WHERE hash > ?1 AND hash <= ?2 AND touched_at < ?3 ` +
      `AND NOT EXISTS (SELECT 1 FROM _plasma_blob_refs AS r WHERE r.hash = b.hash))`;
    const [, , gone = []] = await this.#commit([
      this.#sql(`DELETE FROM _plasma_blob_uploads WHERE hash IN ${selection}`, after, bound, before),
      this.#sql(
        `INSERT INTO _plasma_blob_loose (blob_key, deletable_at) SELECT blob_key, 0 FROM _plasma_blobs WHERE hash IN ${selection}`,
        after,
        bound,
        before,
      ),
      this.#sql(`DELETE FROM _plasma_blobs WHERE hash IN ${selection} RETURNING size_bytes`, after, bound, before),
    ]);
    this.deleted += gone.length;
    for (const row of gone) this.deletedBytes += Number(row["size_bytes"]);
  }

  /** Deletes the bytes under loose keys whose time has come; returns whether it came to the end. */
  async deleteLoose(now: number): Promise<boolean> {
    for (;;) {
      if (this.#statementsLeft < STEP_STATEMENTS) return false;
      // Claimed first: an upload that is late finds its key taken, and does not come to name deleted bytes.
      const [claimed = []] = await this.#commit([
        this.#sql(
          `UPDATE _plasma_blob_loose SET deletable_at = 0 WHERE blob_key IN (SELECT blob_key FROM _plasma_blob_loose ` +
            `WHERE deletable_at <= ?1 ORDER BY deletable_at LIMIT ${limits.blobListKeysMax}) RETURNING blob_key`,
          now,
        ),
      ]);
      const keys = claimed.map((row) => String(row["blob_key"]));
      if (keys.length === 0) return true;
      await this.#store.delete(keys);
      const texts = jsonTexts(this.#executor.dialect, "?1");
      await this.#all(
        `DELETE FROM _plasma_blob_loose WHERE blob_key IN (SELECT value FROM ${texts})`,
        JSON.stringify(keys),
      );
      if (keys.length < limits.blobListKeysMax) return true;
    }
  }

  #sql(text: string, ...params: readonly SqlParam[]): SqlStatement {
    return { text: withPlaceholders(this.#executor.dialect, text), params };
  }

  #all(text: string, ...params: readonly SqlParam[]): Promise<readonly SqlRow[]> {
    this.#statementsLeft -= 1;
    return this.#executor.all(this.#sql(text, ...params));
  }

  #commit(statements: readonly SqlStatement[]): Promise<readonly (readonly SqlRow[])[]> {
    this.#statementsLeft -= statements.length;
    return commitInOrder(this.#executor, statements);
  }
}
