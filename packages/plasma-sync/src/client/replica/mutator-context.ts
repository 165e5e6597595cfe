// Owns: MutatorContext: the `ctx` that the app makes for mutators, and the last one for when it cannot.

import type { ReplicaTransaction } from "./replica-transaction.ts";

export class MutatorContext {
  readonly #make: () => unknown;
  readonly #tables: Iterable<string>;
  #last: { readonly value: unknown } | null = null;

  /** `tables`: the names of all. */
  constructor(make: () => unknown, tables: Iterable<string>) {
    this.#make = make;
    this.#tables = tables;
  }

  /** For a call. */
  async forCall(): Promise<unknown> {
    this.#last = { value: await this.#make() };
    return this.#last.value;
  }

  /** For replays: the last context known when the app cannot make one now. */
  async forReplay(transaction: ReplicaTransaction): Promise<unknown> {
    try {
      return await this.forCall();
    } catch (error) {
      if (this.#last !== null) return this.#last.value;
      // Nothing runs, so nothing is known of what it would read: any change must try again.
      for (const table of this.#tables) transaction.reads.tables.add(table);
      throw error;
    }
  }
}
