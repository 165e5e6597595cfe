// Owns: PendingList, the pending mutations of all tabs in the replica's one order, and by name.
// Invariants:
//   1. Ordered entries come first, by order, then those whose order is not known yet, as they were made.

import type { AppliedMutation } from "./replica-deps.ts";
import { keyOf, type PendingMutation } from "./pending-mutation.ts";

export class PendingList {
  #list: PendingMutation[] = [];
  #byKey = new Map<string, PendingMutation>();
  #hasFiles = false;

  get list(): readonly PendingMutation[] {
    return this.#list;
  }
  /** By `keyOf`. */
  get byKey(): ReadonlyMap<string, PendingMutation> {
    return this.#byKey;
  }
  /** Whether one of them has files to wait for. */
  get hasFiles(): boolean {
    return this.#hasFiles;
  }

  /** Adds a mutation whose order is not known yet. */
  add(mutation: PendingMutation): void {
    this.#list.push(mutation);
    this.#byKey.set(keyOf(mutation.entry), mutation);
    this.#hasFiles ||= mutation.entry.files !== undefined;
  }

  /** These are all, in order. */
  replace(pending: readonly PendingMutation[]): void {
    this.#list = [...pending];
    this.#byKey = new Map(pending.map((mutation) => [keyOf(mutation.entry), mutation]));
    this.#hasFiles = pending.some(({ entry }) => entry.files !== undefined);
  }

  /** The server has applied these. */
  applied(applied: readonly AppliedMutation[]): void {
    for (const { clientID, id, seed } of applied) {
      const mutation = this.named({ clientID, id }, seed);
      if (mutation === undefined) continue;
      mutation.state = "applied";
      mutation.outcome?.resolve({ clientID, id });
    }
  }

  /** The mutation of that seed. It may have another name here, if this tab has yet to hear that ids moved. */
  named(name: { readonly clientID: string; readonly id: number }, seed: string): PendingMutation | undefined {
    const mutation = this.#byKey.get(keyOf(name));
    return mutation?.entry.seed === seed ? mutation : this.#list.find(({ entry }) => entry.seed === seed);
  }
}
