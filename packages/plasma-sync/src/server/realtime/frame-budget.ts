// Owns: how many frames a socket may send: a bucket that fills by time.

export interface FrameBudgetOptions {
  readonly perSecond: number;
  readonly burst: number;
}

export class FrameBudget {
  readonly #options: FrameBudgetOptions;
  #left: number;
  #at: number;

  constructor(now: number, options: FrameBudgetOptions) {
    this.#options = options;
    this.#left = options.burst;
    this.#at = now;
  }

  /** Takes as many; false when there are fewer. A clock that goes back fills nothing. */
  take(now: number, count = 1): boolean {
    const { perSecond, burst } = this.#options;
    const passedMs = Math.max(0, now - this.#at);
    this.#at = now;
    this.#left = Math.min(burst, this.#left + (passedMs / 1000) * perSecond);
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }
}
