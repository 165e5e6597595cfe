// Owns: LaterRead: a read of the disk that is due in a while, unless what it is for comes about before.

import type { Env } from "../../core/lib/env.ts";

export class LaterRead {
  readonly #env: Env;
  readonly #read: () => void;
  #timer: ReturnType<Env["setTimeout"]> | null = null;
  #closed = false;
  #place = -1;

  constructor(env: Env, read: () => void) {
    this.#env = env;
    this.#read = read;
  }

  /**
   * Reads in so many milliseconds, or when an earlier call said for the same `place`. A tab that gets on misses nothing: others
   * write faster than it follows.
   */
  plan(waitMs: number, place = -1): void {
    if (this.#closed) return;
    if (place !== this.#place) this.cancel();
    this.#place = place;
    this.#timer ??= this.#env.setTimeout(() => {
      this.#timer = null;
      this.#read();
    }, waitMs);
  }

  cancel(): void {
    if (this.#timer !== null) this.#env.clearTimeout(this.#timer);
    this.#timer = null;
  }

  close(): void {
    this.#closed = true;
    this.cancel();
  }
}
