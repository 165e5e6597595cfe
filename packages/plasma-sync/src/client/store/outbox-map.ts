// Owns: OutboxMap, an outbox in memory: entries by order and the last id of each client, changed as a commit says.

import type { Rejection } from "../../core/protocol/pull.ts";
import { planUnsent } from "./plan-commit.ts";
import type { OutboxEntry, SyncCommit, UnsentRejection } from "./store.ts";

export class OutboxMap {
  readonly entries = new Map<number, OutboxEntry>();
  readonly lastIDs = new Map<string, number>();

  inOrder(): OutboxEntry[] {
    return [...this.entries.values()].sort((a, b) => a.order - b.order);
  }

  append(entries: readonly OutboxEntry[]): void {
    for (const entry of entries) this.#keep(entry);
  }

  /** The seed of the entry that this refuses, if it is there. Asked before `sync`. */
  seedOf({ clientID, id }: Rejection): string | undefined {
    for (const entry of this.entries.values()) if (entry.clientID === clientID && entry.id === id) return entry.seed;
    return undefined;
  }

  sync({ confirmed, rejected, replace = [], unsent }: SyncCommit): void {
    for (const [order, { clientID, id }] of this.entries) {
      const isRejected = rejected.some((one) => one.clientID === clientID && one.id === id);
      if (isRejected || id <= (confirmed[clientID] ?? 0)) this.entries.delete(order);
    }
    for (const entry of replace) this.#keep(entry);
    if (unsent !== undefined) this.#takeOut(unsent);
  }

  clear(): void {
    this.entries.clear();
    this.lastIDs.clear();
  }

  #takeOut(unsent: UnsentRejection): void {
    const { clientID, id } = unsent;
    const later = [...this.entries.values()].filter((entry) => entry.clientID === clientID && entry.id >= id);
    const plan = planUnsent(
      later.sort((a, b) => a.id - b.id),
      unsent,
    );
    if (plan === null) return;
    this.entries.delete(plan.order);
    for (const entry of plan.moved) this.entries.set(entry.order, entry);
    this.lastIDs.set(clientID, (this.lastIDs.get(clientID) ?? 0) - 1);
  }

  #keep(entry: OutboxEntry): void {
    this.entries.set(entry.order, entry);
    this.lastIDs.set(entry.clientID, Math.max(entry.id, this.lastIDs.get(entry.clientID) ?? 0));
  }
}
