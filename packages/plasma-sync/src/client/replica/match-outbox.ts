// Owns: matchOutbox: what is pending after the outbox was read from disk anew.

import type { OutboxEntry } from "../store/store.ts";
import { createPending, type PendingMutation } from "./pending-mutation.ts";

/**
 * Mutations are told apart by their seeds: ids may have moved. `pending`: the outbox on disk, each entry as the mutation that this tab already runs where there is one, then those that may
 * not be there yet, as `isYetToCome` says. `gone`: the mutations that are neither.
 */
export function matchOutbox(
  outbox: readonly OutboxEntry[],
  before: readonly PendingMutation[],
  isYetToCome: (mutation: PendingMutation) => boolean,
): { pending: PendingMutation[]; gone: PendingMutation[] } {
  const known = new Map(before.map((mutation) => [mutation.entry.seed, mutation]));
  const stored = outbox.map((entry) => {
    const mutation = known.get(entry.seed) ?? createPending(entry, null);
    known.delete(entry.seed);
    return Object.assign(mutation, { entry, order: entry.order, durable: true });
  });
  const left = [...known.values()];
  const toCome = left.filter(isYetToCome);
  return { pending: [...stored, ...toCome], gone: left.filter((mutation) => !toCome.includes(mutation)) };
}
