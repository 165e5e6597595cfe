// Owns: LaterRead: a read of the disk that is due in a while, unless what it is for comes about before.

import type { Env } from "../../core/lib/env.ts";

export class LaterRead {
  readonly #env: Env;
  readonly #read: () => void;
  #timer: ReturnType<Env["setTimeout"]> | null = null;
  #closed = false;

  constructor(env: Env, read: () => void) {
    this.#env = env;
    this.#read = read;
  }

  /** Reads in so many milliseconds, or when an earlier call said. */
  plan(waitMs: number): void {
    if (this.#closed) return;
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
