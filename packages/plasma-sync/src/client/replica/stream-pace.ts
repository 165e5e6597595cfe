// Owns: StreamPace: the rows that are read because all will be wanted some day give way to those that somebody waits for now.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";

export class StreamPace {
  readonly #env: Env;
  #reading = 0;
  /** Whether a read is under way, or one began since `giveWay` looked last. */
  #isBusy = false;

  constructor(env: Env) {
    this.#env = env;
  }

  /** Runs a read that somebody waits for. */
  async first<T>(read: () => Promise<T>): Promise<T> {
    this.#reading += 1;
    this.#isBusy = true;
    try {
      return await read();
    } finally {
      this.#reading -= 1;
    }
  }

  /**
   * Between two steps of a stream: resolves when nobody reads, and nobody has for a moment; at once when the stream `isUrgent`,
   * and after a while in any case.
   */
  async giveWay(isUrgent: () => boolean): Promise<void> {
    for (let i = 0; i < limits.streamPausesMax; i++) {
      if (!this.#isBusy || isUrgent()) return;
      this.#isBusy = this.#reading > 0;
      await new Promise<void>((resolve) => this.#env.setTimeout(resolve, limits.streamPauseMs));
    }
  }
}
