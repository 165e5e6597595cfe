// Owns: matchOutbox: what is pending after the outbox was read from disk anew.

import type { OutboxEntry } from "../store/store.ts";
import { createPending, keyOf, type PendingMutation } from "./pending-mutation.ts";

/**
 * `pending`: the outbox on disk, each entry as the mutation that this tab already runs where there is one, then those that may
 * not be there yet, as `isYetToCome` says. `gone`: the mutations that are neither.
 */
export function matchOutbox(
  outbox: readonly OutboxEntry[],
  before: readonly PendingMutation[],
  isYetToCome: (mutation: PendingMutation) => boolean,
): { pending: PendingMutation[]; gone: PendingMutation[] } {
  const known = new Map(before.map((mutation) => [keyOf(mutation.entry), mutation]));
  const stored = outbox.map((entry) => {
    const mutation = known.get(keyOf(entry)) ?? createPending(entry, null);
    known.delete(keyOf(entry));
    return Object.assign(mutation, { entry, order: entry.order, durable: true });
  });
  const left = [...known.values()];
  const toCome = left.filter(isYetToCome);
  return { pending: [...stored, ...toCome], gone: left.filter((mutation) => !toCome.includes(mutation)) };
}
