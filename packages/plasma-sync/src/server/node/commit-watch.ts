// Owns: CommitWatch: hearing of the commits of all processes for as long as a hub lives, where the engine tells of them.

import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";

export class CommitWatch {
  readonly #executor: SqlExecutor;
  readonly #env: Env;
  readonly #onCommit: () => void;
  #unwatch: (() => void) | null = null;
  #retry: TimerHandle | null = null;
  #isStopped = false;

  constructor(executor: SqlExecutor, env: Env, onCommit: () => void) {
    this.#executor = executor;
    this.#env = env;
    this.#onCommit = onCommit;
    void this.#start();
  }

  stop(): void {
    this.#isStopped = true;
    this.#unwatch?.();
    if (this.#retry !== null) this.#env.clearTimeout(this.#retry);
  }

  /** A database that is not there yet is asked again: polls bring until then what it would tell. */
  async #start(): Promise<void> {
    this.#retry = null;
    try {
      const unwatch = await this.#executor.watchCommits?.(() => {
        if (!this.#isStopped) this.#onCommit();
      });
      if (this.#isStopped) unwatch?.();
      else this.#unwatch = unwatch ?? null;
    } catch {
      if (!this.#isStopped) this.#retry = this.#env.setTimeout(() => void this.#start(), limits.commitWatchRetryMs);
    }
  }
}
