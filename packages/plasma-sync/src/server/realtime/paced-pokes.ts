// Owns: PacedPokes: plain pokes that go out a few at a time, so that the pulls they cause do not all come at once.
// Invariant: whoever is added is poked, unless it is gone by then, or was sent a patch meanwhile.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { POKE } from "./hub.ts";
import type { Listener } from "./listener.ts";

export class PacedPokes {
  readonly #env: Env;
  readonly #waiting = new Set<Listener>();
  #isTicking = false;

  constructor(env: Env) {
    this.#env = env;
  }

  add(listener: Listener): void {
    this.#waiting.add(listener);
    if (!this.#isTicking) this.#planTick();
  }

  /** It was told otherwise. */
  forget(listener: Listener): void {
    this.#waiting.delete(listener);
  }

  #planTick(): void {
    this.#isTicking = true;
    this.#env.setTimeout(() => this.#tick(), limits.pacedPokesMs);
  }

  #tick(): void {
    let sent = 0;
    for (const listener of this.#waiting) {
      if (sent === limits.pacedPokesMax) break;
      this.#waiting.delete(listener);
      if (listener.send(POKE)) sent += 1;
    }
    this.#isTicking = false;
    if (this.#waiting.size > 0) this.#planTick();
  }
}
