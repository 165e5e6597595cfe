// Owns: FoldSchedule: when a store folds: at rest after a commit that leaves enough to do, one fold at a time.
// Invariants:
//   1. Only a tab that writes rows or takes over syncing folds: that is the leader, as good as always.
//   2. A fold that fails changes nothing, and no commit fails for it: the next one sees to it that there is another.

import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { noRows, type RowsMeta } from "./layout.ts";

export class FoldSchedule {
  readonly #env: Env;
  readonly #fold: () => Promise<void>;
  #timer: TimerHandle | null = null;
  #running: Promise<void> | null = null;
  #isClosed = false;
  /** What the latest commit left. */
  #latest: RowsMeta = noRows;

  constructor(env: Env, fold: () => Promise<void>) {
    this.#env = env;
    this.#fold = fold;
  }

  /** Hears what a commit left to do. */
  note(rows: RowsMeta = noRows): void {
    this.#latest = rows;
    // Bursts are folded when they are over, but not never.
    if (this.#timer !== null && rows.journalled < 2 * limits.storeFoldRowsMin) this.#stopTimer();
    const { journalled, unindexed, isLegacy } = rows;
    const isDue = journalled >= limits.storeFoldRowsMin || unindexed > 0 || isLegacy;
    if (!isDue || this.#timer !== null || this.#running !== null || this.#isClosed) return;
    this.#timer = this.#env.setTimeout(() => {
      this.#timer = null;
      this.run().catch(() => undefined); // Invariant 2.
    }, limits.storeFoldDelayMs);
  }

  /** Folds now, or waits for the fold that is going on. */
  run(): Promise<void> {
    this.#stopTimer();
    const before = this.#latest;
    this.#running ??= this.#fold().finally(() => {
      this.#running = null;
      // What came meanwhile.
      if (this.#latest !== before) this.note(this.#latest);
    });
    return this.#running;
  }

  /** Whether the journal has grown so long that the next commit waits for a fold: the one that made it so is durable already. */
  get isBehind(): boolean {
    return this.#latest.journalled > limits.storeJournalRowsMax;
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#env.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
