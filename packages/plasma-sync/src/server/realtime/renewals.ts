// Owns: asking `auth` again for many sockets, a few at a time: a poke after a quiet while concerns all of a room at once.

import { closeCodes } from "../../core/protocol/realtime.ts";
import type { Renewal } from "./listener.ts";

export class Renewals {
  readonly #runningMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(runningMax: number) {
    this.#runningMax = runningMax;
  }

  /** Never rejects: who cannot be asked now comes again. The queue holds at most one call per socket. */
  async run(renew: () => Promise<Renewal>): Promise<Renewal> {
    if (this.#running >= this.#runningMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      return await renew();
    } catch {
      return { ok: false, code: closeCodes.comeAgain, reason: "server/retry" };
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
