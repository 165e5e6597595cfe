// Owns: the line of one process's pushes on Postgres. They run one after another there anyway (log-order.ts); who waited for
// the lock with a connection in hand would leave none of the pool for pulls.
// Invariants:
//   1. At most `limits.postgresPushesAtOnce` have a connection: one at work, the others on their way to the lock.
//   2. First come, first served; beyond `limits.postgresPushesWaitingMax` the answer is `server/retry`.

import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";
import type { SqlExecutor } from "./sql-executor.ts";

class PushLine {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async run<T>(push: () => Promise<T>): Promise<T> {
    if (this.#running >= limits.postgresPushesAtOnce) await this.#turn();
    else this.#running += 1;
    try {
      return await push();
    } finally {
      // Whoever is next takes the place over.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= limits.postgresPushesWaitingMax) throw serverError("server/retry", {});
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}

const lines = new WeakMap<SqlExecutor, PushLine>();

/** Runs a push when it is its turn; where the engine needs no line, at once. */
export function inPushLine<T>(executor: SqlExecutor, push: () => Promise<T>): Promise<T> {
  if (executor.dialect === "sqlite") return push();
  let line = lines.get(executor);
  if (line === undefined) lines.set(executor, (line = new PushLine()));
  return line.run(push);
}
