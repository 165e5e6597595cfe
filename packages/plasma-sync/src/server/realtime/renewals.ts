// Owns: asking `auth` again for many sockets, a few at a time: a poke after a quiet while concerns all of a room at once.

import { Turns } from "../../core/lib/turns.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import type { Renewal } from "./listener.ts";

export class Renewals {
  readonly #turns: Turns;

  constructor(runningMax: number) {
    this.#turns = new Turns(runningMax);
  }

  /** Never rejects: who cannot be asked now comes again. The queue holds at most one call per socket. */
  async run(renew: () => Promise<Renewal>): Promise<Renewal> {
    try {
      return await this.#turns.run(renew);
    } catch {
      return { ok: false, code: closeCodes.comeAgain, reason: "server/retry" };
    }
  }
}
