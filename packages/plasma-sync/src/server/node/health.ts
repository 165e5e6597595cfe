// Owns: the health endpoint: whether this process can answer requests, for load balancers. It tells nothing else.
// Invariant: at most one question to the database is under way, however often and by whomever health is asked.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { jsonResponse } from "../sync/answer.ts";

export class Health {
  readonly #executor: SqlExecutor;
  readonly #env: Env;
  #asking: Promise<boolean> | null = null;

  constructor(executor: SqlExecutor, env: Env) {
    this.#executor = executor;
    this.#env = env;
  }

  /** 200 when the database answers in time, else 503. */
  async respond(): Promise<Response> {
    const ok = await this.#inTime((this.#asking ??= this.#ask()));
    return jsonResponse(ok ? 200 : 503, { ok });
  }

  async #ask(): Promise<boolean> {
    try {
      await this.#executor.all({ text: "SELECT 1 AS one", params: [] });
      return true;
    } catch {
      return false;
    } finally {
      this.#asking = null;
    }
  }

  async #inTime(asking: Promise<boolean>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = this.#env.setTimeout(() => late.resolve(false), limits.healthMsMax);
    const ok = await Promise.race([asking, late.promise]);
    this.#env.clearTimeout(timer);
    return ok;
  }
}
