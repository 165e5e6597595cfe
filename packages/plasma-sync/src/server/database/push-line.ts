// Owns: the line in which one process's pushes wait for the lock of the log's order (log-order.ts). Who waited for it with a
// connection in hand would leave none of the pool for pulls.
// Invariants:
//   1. One push at a time is on its way to the lock. It leaves the line when it has the lock, so that the next one is there
//      when it has ended, and one that never ends holds up nobody here.
//   2. First come, first served; beyond `limits.postgresPushesWaitingMax` the answer is `server/retry`.

import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";
import type { SqlExecutor } from "./sql-executor.ts";

class PushLine {
  #isTaken = false;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn, to what ends it. */
  async enter(): Promise<() => void> {
    if (this.#isTaken) await this.#turn();
    this.#isTaken = true;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      const next = this.#waiting.shift();
      // Whoever is next takes the place over: it is never free in between.
      if (next === undefined) this.#isTaken = false;
      else next();
    };
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= limits.postgresPushesWaitingMax) throw serverError("server/retry", {});
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}

const lines = new WeakMap<SqlExecutor, PushLine>();

/** Runs a push when it is its turn; it calls `onLock` when it has the lock. Where the engine needs no line, at once. */
export async function inPushLine<T>(executor: SqlExecutor, push: (onLock: () => void) => Promise<T>): Promise<T> {
  if (executor.dialect === "sqlite") return push(() => undefined);
  let line = lines.get(executor);
  if (line === undefined) lines.set(executor, (line = new PushLine()));
  const leave = await line.enter();
  try {
    return await push(leave);
  } finally {
    leave();
  }
}
