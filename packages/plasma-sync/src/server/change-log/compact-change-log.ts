// Owns: compactChangeLog: forgetting old row entries of the change log, and outcomes whose time is over.
// Invariants:
//   1. `_plasma_schema` says under the key `compacted` up to which version row entries may be missing. It moves in the same
//      commit as they go, and never back. Below it a cookie is not continued.
//   2. The entry at that version stays: a cookie at it goes on, and its tag still tells one history from another.
//   3. Acks below it stay for `limits.outcomeKeepMs`; a client's last id is no entry and stays for ever.
//   4. Each commit covers a bounded number of entries; between two of them pushes and pulls run.

import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { SqlExecutor, SqlParam, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import { serverError } from "../server-error.ts";
import { withPlaceholders } from "../sql/placeholders.ts";

export type CompactionOptions = {
  readonly executor: SqlExecutor;
  /** Default: the platform's clock. */
  readonly env?: Env;
} & (
  | {
      /** The row version up to which entries may go. */
      readonly safeUpToVersion: number;
    }
  | {
      /** Milliseconds: how long a client may be away and still be told only what changed. */
      readonly keepMs: number;
    }
);

export interface Compaction {
  /** The log's bound: clients below it sync anew. 0 when nothing was ever compacted. */
  readonly compactedTo: number;
  /** Row entries that this call removed. */
  readonly deleted: number;
  /** Whether it stopped early, because the database allows no more statements in one request. Call again, or next time. */
  readonly hasMore: boolean;
}

/** Statements of the largest step: the look for its end, and a commit of two. */
const STEP_STATEMENTS = 3;

/**
 * Removes row entries of the change log that no client needs which was here within `keepMs` (or is at `safeUpToVersion` or
 * above). Clients that were away for longer sync anew, by difference, and lose nothing. Rejections are told for 30 days,
 * outcomes kept for 90, whatever is asked. Safe to run beside pushes and pulls, and again after it was cut off. The tables
 * must be there (`ensureSchema`).
 *
 * @throws PlasmaError `server/option`; `server/retry` when other writers won every time. What the database throws.
 * @example
 * export default {
 *   fetch: (request, env) => handlerOf(env)(request),
 *   scheduled: (event, env, ctx) =>
 *     ctx.waitUntil(compactChangeLog({ executor: fromD1(env.DB), keepMs: 14 * 86_400_000 })),
 * };
 */
export async function compactChangeLog(options: CompactionOptions): Promise<Compaction> {
  const { executor, env = systemEnv } = options;
  const isOver = overOf(options, env.now());
  const log = new CompactedLog(executor);
  let compactedTo = await log.readBound();
  let deleted = 0;
  for (;;) {
    if (!log.hasRoom) return { compactedTo, deleted, hasMore: true };
    const bound = await log.nextBound(compactedTo, isOver);
    if (bound === null) break;
    deleted += await log.compact(compactedTo, bound);
    compactedTo = bound;
  }
  const isDone = await log.expireOutcomes(compactedTo, env.now() - limits.outcomeKeepMs);
  return { compactedTo, deleted, hasMore: !isDone };
}

/** A condition on an entry, with `?2` for its number. */
interface Condition {
  readonly text: "row_version <= ?2" | "created_at < ?2";
  readonly param: number;
}

function overOf(options: CompactionOptions, now: number): Condition {
  const [option, value] =
    "keepMs" in options
      ? (["keepMs", options.keepMs] as const)
      : (["safeUpToVersion", options.safeUpToVersion] as const);
  if (!Number.isSafeInteger(value) || value < 0)
    throw serverError("server/option", { of: "compactChangeLog", option, why: "must be a whole number of 0 or more." });
  return option === "keepMs"
    ? { text: "created_at < ?2", param: now - value }
    : { text: "row_version <= ?2", param: value };
}

class CompactedLog {
  readonly #executor: SqlExecutor;
  #statementsLeft: number;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
    this.#statementsLeft = executor.pushStatementsMax;
  }

  /** Whether the database allows one more step in this request. */
  get hasRoom(): boolean {
    return this.#statementsLeft >= STEP_STATEMENTS;
  }

  async readBound(): Promise<number> {
    const [row] = await this.#all("SELECT value FROM _plasma_schema WHERE key = 'compacted'");
    return Number(row?.["value"] ?? 0);
  }

  /** The last of the next entries that may go; null when there is none. */
  async nextBound(after: number, isOver: Condition): Promise<number | null> {
    const [row] = await this.#all(
      `SELECT max(row_version) AS bound FROM (SELECT row_version, created_at FROM _plasma_changes ` +
        `WHERE row_version > ?1 ORDER BY row_version LIMIT ${limits.compactionEntriesMax}) AS next WHERE ${isOver.text}`,
      after,
      isOver.param,
    );
    const bound = row?.["bound"] ?? null;
    return bound === null ? null : Number(bound);
  }

  /** Removes the row entries from the old bound, whose entry was kept, to the new one. Returns how many. */
  async compact(from: number, bound: number): Promise<number> {
    const move =
      `INSERT INTO _plasma_schema (key, value) VALUES ('compacted', ?1) ON CONFLICT (key) DO UPDATE ` +
      `SET value = excluded.value WHERE CAST(_plasma_schema.value AS BIGINT) < CAST(excluded.value AS BIGINT)`;
    const remove = (first: string, end: string) =>
      `DELETE FROM _plasma_changes WHERE row_version >= ${first} AND row_version < ${end} AND op <> 'ack' RETURNING row_version`;
    // One statement on Postgres: a serializable batch would make every push that meets it run again.
    if (this.#executor.dialect === "postgres") {
      const text = `WITH moved AS (${move}), gone AS (${remove("?2", "?3")}) SELECT row_version FROM gone`;
      return (await this.#again(() => this.#all(text, String(bound), from, bound))).length;
    }
    this.#statementsLeft -= 2;
    const statements = [this.#statement(move, String(bound)), this.#statement(remove("?1", "?2"), from, bound)];
    const [, gone = []] = await this.#again(() => this.#executor.batch(statements));
    return gone.length;
  }

  /** Below the bound only acks are left, the oldest first: goes on while the oldest of them are over. Returns whether it came to the end. */
  async expireOutcomes(bound: number, until: number): Promise<boolean> {
    const text =
      `DELETE FROM _plasma_changes WHERE row_version IN (SELECT row_version FROM _plasma_changes WHERE row_version < ?1 ` +
      `ORDER BY row_version LIMIT ${limits.compactionEntriesMax}) AND created_at < ?2 RETURNING row_version`;
    while (this.hasRoom) {
      const gone = await this.#again(() => this.#all(text, bound, until));
      if (gone.length < limits.compactionEntriesMax) return true;
    }
    return false;
  }

  #statement(text: string, ...params: readonly SqlParam[]): SqlStatement {
    return { text: withPlaceholders(this.#executor.dialect, text), params };
  }

  #all(text: string, ...params: readonly SqlParam[]): Promise<readonly SqlRow[]> {
    this.#statementsLeft -= 1;
    return this.#executor.all(this.#statement(text, ...params));
  }

  async #again<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await run();
      } catch (cause) {
        if (this.#executor.classify(cause) !== "conflict") throw cause;
        if (attempt >= limits.compactionRetriesMax) throw serverError("server/retry", {}, { cause });
      }
    }
  }
}
