// Owns: serverLiveSelect: a result that is fetched again whenever tables changed, for dashboards and jobs on the server.
// Invariants:
//   1. A poll is one statement. It costs what the log got since the last one, not what the tables hold.
//   2. A change that commits after a fetch has begun is fetched again: the log's end is read before.
//   3. After `stop` nothing is called any more, whatever was under way.

import { systemEnv, type Env, type TimerHandle } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import { metaOf, type AnyTable } from "../core/schema/table.ts";
import type { SqlExecutor } from "./database/sql-executor.ts";
import { serverError } from "./server-error.ts";
import { jsonTexts } from "./sql/json-params.ts";
import { withPlaceholders } from "./sql/placeholders.ts";

export interface ServerLiveSelectOptions<Result> {
  readonly executor: SqlExecutor;
  /** The tables whose changes are waited for. Default: any synced table. */
  readonly tables?: readonly (AnyTable | string)[];
  /** Milliseconds from the end of one poll to the next. Default 1000. */
  readonly pollIntervalMs?: number;
  /** Makes the result. Called once at the start, then after changes; never twice at once. */
  readonly fetch: () => Result | PromiseLike<Result>;
  /** Told of each result. */
  readonly onChange: (result: Result) => void | Promise<void>;
  /** Told of what the database, `fetch` or `onChange` threw. Polling goes on, more slowly while errors follow each other. */
  readonly onError?: (error: unknown) => void;
  /** Clock and timers. Default: the platform's. */
  readonly env?: Env;
}

/**
 * Polls the change log and calls `fetch`, then `onChange`, at the start and whenever a table changed, whoever changed it.
 * Returns `stop`. The tables must be there (`ensureSchema`). On Workers, use it only inside a Durable Object.
 *
 * @throws PlasmaError `server/option` when `pollIntervalMs` is not 1 or more.
 * @example
 * const db = createServerDb({ schema, executor });
 * const stop = serverLiveSelect({
 *   executor,
 *   tables: [todos],
 *   fetch: () => db.select({ open: count() }).from(todos).where(eq(todos.state, "open")),
 *   onChange: ([row]) => gauge.set(row?.open ?? 0),
 * });
 */
export function serverLiveSelect<Result>(options: ServerLiveSelectOptions<Result>): () => void {
  const { pollIntervalMs = limits.serverLivePollMs } = options;
  if (!(pollIntervalMs >= 1))
    throw serverError("server/option", { of: "serverLiveSelect", option: "pollIntervalMs", why: "must be 1 or more." });
  const live = new ServerLiveSelect(options, pollIntervalMs);
  live.start();
  return () => live.stop();
}

/** A place in the log. The tag tells a log that was put back to an older state. */
interface LogEnd {
  readonly version: number;
  readonly tag: string | null;
}

class ServerLiveSelect<Result> {
  readonly #options: ServerLiveSelectOptions<Result>;
  readonly #env: Env;
  readonly #pollIntervalMs: number;
  /** Up to where the last result knows of changes; null before the first. */
  #seen: LogEnd | null = null;
  #failures = 0;
  #timer: TimerHandle | null = null;
  #isStopped = false;

  constructor(options: ServerLiveSelectOptions<Result>, pollIntervalMs: number) {
    this.#options = options;
    this.#env = options.env ?? systemEnv;
    this.#pollIntervalMs = pollIntervalMs;
  }

  start(): void {
    void this.#poll();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) this.#env.clearTimeout(this.#timer);
  }

  async #poll(): Promise<void> {
    try {
      await this.#look();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (!this.#isStopped) this.#report(error);
    }
    if (this.#isStopped) return;
    const delayMs = Math.min(this.#pollIntervalMs * 2 ** this.#failures, this.#delayMsMax);
    this.#timer = this.#env.setTimeout(() => void this.#poll(), delayMs);
  }

  get #delayMsMax(): number {
    return Math.max(this.#pollIntervalMs, limits.serverLiveBackoffMsMax);
  }

  async #look(): Promise<void> {
    const { end, hasChanges } = await this.#readLog();
    if (!hasChanges) this.#seen = end;
    if (!hasChanges || this.#isStopped) return;
    const result = await this.#options.fetch();
    if (this.#isStopped) return;
    this.#seen = end;
    await this.#options.onChange(result);
  }

  async #readLog(): Promise<{ readonly end: LogEnd; readonly hasChanges: boolean }> {
    const { executor, tables } = this.#options;
    const { dialect } = executor;
    const seen = this.#seen;
    const names = tables?.map((table) => (typeof table === "string" ? table : metaOf(table).name));
    const isMeant =
      names === undefined ? "op <> 'ack'" : `table_name IN (SELECT value FROM ${jsonTexts(dialect, "?2")})`;
    const text =
      `SELECT h.row_version, h.tag, a.tag AS seen_tag, s.value AS compacted, ` +
      `CASE WHEN EXISTS (SELECT 1 FROM _plasma_changes WHERE row_version > ?1 AND ${isMeant}) THEN 1 ELSE 0 END AS changed ` +
      `FROM (SELECT 1 AS x) AS one ` +
      `LEFT JOIN (SELECT row_version, tag FROM _plasma_changes ORDER BY row_version DESC LIMIT 1) AS h ON 1 = 1 ` +
      `LEFT JOIN _plasma_changes AS a ON a.row_version = ?1 LEFT JOIN _plasma_schema AS s ON s.key = 'compacted'`;
    const params = [seen?.version ?? 0, ...(names === undefined ? [] : [JSON.stringify(names)])];
    const [row = {}] = await executor.all({ text: withPlaceholders(dialect, text), params });
    const end = { version: Number(row["row_version"] ?? 0), tag: (row["tag"] ?? null) as string | null };
    if (seen === null) return { end, hasChanges: true };
    const isOfLog = (row["seen_tag"] ?? null) === seen.tag && Number(row["compacted"] ?? 0) <= seen.version;
    return { end, hasChanges: !isOfLog || Number(row["changed"]) === 1 };
  }

  #report(error: unknown): void {
    try {
      this.#options.onError?.(error);
    } catch {
      return;
    }
  }
}
