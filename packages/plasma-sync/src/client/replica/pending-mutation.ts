// Owns: PendingMutation: one mutation that the server has not confirmed, with its effect on the view; and what it read,
// which decides whether a rebase must run it again.
// Invariants:
//   1. An `effect` never changes: a replay makes a new one.
//   2. A mutation whose effect is null has not run since it became known (loaded from disk, or made by another tab).

import type { Row } from "../../core/schema/value.ts";
import type { NewOutboxEntry, OutboxEntry } from "../store/store.ts";
import type { Deferred } from "./deferred.ts";
import type { RowMap } from "./row-map.ts";

/** Which rows a mutation read by id, and which tables it read in any other way (a range, an absence, a scan). */
export class ReadSet {
  readonly rows = new Map<string, Set<string>>();
  readonly tables = new Set<string>();

  addRows(table: string, ids: readonly string[]): void {
    let set = this.rows.get(table);
    if (set === undefined) this.rows.set(table, (set = new Set()));
    for (const id of ids) set.add(id);
  }
}

/** What one run of a mutation did. */
export interface Effect {
  /** Last image of each row that it wrote. Empty when it threw. */
  readonly writes: RowMap<Row | null>;
  readonly reads: ReadSet;
  /** What it threw, if it did. */
  readonly error: unknown;
}

/** How `.server` ends for the tab that made the mutation. */
export type ServerOutcome = Deferred<{ clientID: string; id: number }>;

export interface PendingMutation {
  /** As stored; replaced whole when another tab or a gap gives it a new identity. */
  entry: NewOutboxEntry | OutboxEntry;
  /** Place in the replica's order; null until this tab has seen the commit that appended it. */
  order: number | null;
  /** Whether it is known to be on disk. */
  durable: boolean;
  effect: Effect | null;
  state: "queued" | "sent" | "applied";
  attempts: number;
  lastError: string | null;
  /** Whether its failing replay was reported. */
  replayReported: boolean;
  /** Only in the tab that made it. */
  readonly outcome: ServerOutcome | null;
}

/** A pending mutation that nobody has run yet. */
export const createPending = (entry: NewOutboxEntry | OutboxEntry, outcome: ServerOutcome | null): PendingMutation => ({
  entry,
  order: "order" in entry ? entry.order : null,
  durable: "order" in entry,
  effect: null,
  state: "queued",
  attempts: 0,
  lastError: null,
  replayReported: false,
  outcome,
});

/** What names a mutation over all tabs. */
export const keyOf = ({ clientID, id }: { readonly clientID: string; readonly id: number }): string =>
  `${clientID}:${id}`;

/** Ordered mutations by order, then the others as they were made. */
export function inOrder(pending: readonly PendingMutation[]): PendingMutation[] {
  const at = ({ order }: PendingMutation) => order ?? Infinity;
  return [...pending].sort((a, b) => (at(a) === at(b) ? 0 : at(a) - at(b)));
}

/** Whether the effect may differ now that `dirty` rows have changed beneath it. */
export function dependsOn(effect: Effect, dirty: RowMap<true>): boolean {
  for (const [table, ids] of dirty.tables) {
    if (effect.reads.tables.has(table)) return true;
    if (sharesKey(effect.reads.rows.get(table), ids) || sharesKey(effect.writes.tables.get(table), ids)) return true;
  }
  return false;
}

type Keys = { readonly size: number; has(id: string): boolean; keys(): Iterable<string> };

function sharesKey(a: Keys | undefined, b: Keys): boolean {
  if (a === undefined) return false;
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  for (const id of small.keys()) if (large.has(id)) return true;
  return false;
}
