// Owns: planRebase: what the view becomes when the base changes beneath pending mutations, or when the list of pending
// mutations changes. The view itself is untouched until the plan is committed.
//
//   view = base + pending effects        images = base rows beneath rows that pending mutations touched
//
//   1. An overlay starts as the images (that undoes every pending effect) with the patch on top: the new base.
//   2. Pending mutations go over it in order. One whose reads and writes meet no dirty row keeps its effect; any other
//      runs again, and what it wrote before and now becomes dirty for those after it.
//   3. The net difference between overlay and view is the plan's changes; equal rows keep their identity.
//   Rows of local-only tables are given as they are to be; mutations run again leave them alone.
//
// Invariants:
//   1. Cost is O(patch + rows touched by pending), never O(table).
//   2. A mutation that throws has no effect in the view and stays pending.
//   3. A mutation that could not read what it needed has not run: the plan says so with `failure`, and is shown only by those who
//      read everything anew next.

import { sameRow } from "../../core/lib/deep-equal.ts";
import type { Row } from "../../core/schema/value.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { RowChange } from "../ivm/source.ts";
import type { BaseChange } from "../store/store.ts";
import { dependsOn, ReadSet, type Effect, type PendingMutation } from "./pending-mutation.ts";
import { ReplicaTransaction } from "./replica-transaction.ts";
import { RowMap } from "./row-map.ts";

/** Base rows beneath rows that pending mutations touched. */
export type BaseImages = RowMap<Row | null>;

export interface RebaseInput {
  readonly runtime: QueryRuntime;
  readonly images: BaseImages;
  /** In order, those that leave already left out. */
  readonly pending: readonly PendingMutation[];
  /** Mutations whose effect is in the view and must leave it. */
  readonly gone: readonly PendingMutation[];
  /** Later changes of a row win. */
  readonly patch: readonly BaseChange[];
  /** Mutations that must run again whatever they read: their id is another. */
  readonly renamed?: ReadonlySet<PendingMutation>;
  /** Rows of local-only tables, and what they become. */
  readonly local?: RowMap<Row | null>;
  readonly localTables: ReadonlySet<string>;
  /** The patch, with the images, has all rows. */
  readonly isWhole?: boolean;
  /** Runs one mutation; throws what it throws. */
  readonly run: (mutation: PendingMutation, transaction: ReplicaTransaction) => Promise<void>;
}

export interface RebasePlan {
  /** Net changes of visible rows. */
  readonly changes: readonly RowChange[];
  readonly images: BaseImages;
  /** One per pending mutation, in order; null for one that could not run. */
  readonly effects: readonly (Effect | null)[];
  /** Why one could not. */
  readonly failure: { readonly error: unknown } | null;
  /** How many mutations ran, for tests and metrics. */
  readonly replayed: number;
}

/** Plans a rebase; see the file's header. */
export async function planRebase(input: RebaseInput): Promise<RebasePlan> {
  const { runtime, images, pending, gone, patch, local, localTables, isWhole = false, renamed, run } = input;
  const base = new RowMap<Row | null>();
  const overlay = new RowMap<Row | null>();
  const dirty = new RowMap<true>();
  images.forEach((table, id, row) => base.set(table, id, row));
  for (const { table, id, row } of patch) {
    base.set(table, id, row);
    dirty.set(table, id, true);
  }
  for (const { effect } of gone) markDirty(dirty, effect);
  base.forEach((table, id, row) => overlay.set(table, id, row));
  local?.forEach((table, id, row) => overlay.set(table, id, row));

  const effects: (Effect | null)[] = [];
  let failure: RebasePlan["failure"] = null;
  let replayed = 0;
  for (const mutation of pending) {
    const kept = mutation.effect;
    if (kept !== null && renamed?.has(mutation) !== true && !dependsOn(kept, dirty)) {
      kept.writes.forEach((table, id, row) => overlay.set(table, id, row));
      effects.push(kept);
      continue;
    }
    replayed += 1;
    const transaction = new ReplicaTransaction(runtime, overlay, { localTables, isWhole, isReplay: true });
    const effect = await runOnce(mutation, transaction, run);
    failure ??= transaction.failure;
    markDirty(dirty, kept);
    markDirty(dirty, effect);
    effects.push(effect);
  }
  return {
    changes: netChanges(runtime, overlay),
    images: imagesBeneath(effects, base, runtime),
    effects,
    failure,
    replayed,
  };
}

async function runOnce(
  mutation: PendingMutation,
  transaction: ReplicaTransaction,
  run: RebaseInput["run"],
): Promise<Effect | null> {
  try {
    await run(mutation, transaction);
    if (transaction.failure !== null) throw transaction.failure.error;
    transaction.forgetLocal();
    return { writes: transaction.writes, reads: transaction.reads, error: undefined };
  } catch (error) {
    transaction.rollback();
    if (transaction.failure !== null) return null;
    // What it read before it threw still decides whether it must run again.
    return { writes: new RowMap(), reads: transaction.reads, error };
  }
}

function markDirty(dirty: RowMap<true>, effect: Effect | null): void {
  effect?.writes.forEach((table, id) => dirty.set(table, id, true));
}

/** The rows of the overlay that the view does not show as they are there. */
export function netChanges(runtime: QueryRuntime, overlay: RowMap<Row | null>): RowChange[] {
  const changes: RowChange[] = [];
  for (const [table, rows] of overlay.tables) {
    const source = runtime.source(table);
    for (const [id, after] of rows) {
      const before = source.get(id) ?? null;
      // That there is no such row may be news to a cold table.
      if (before === after && source.knows(id)) continue;
      if (before !== null && after !== null && sameRow(before, after)) continue;
      changes.push({ table, id, before, after });
    }
  }
  return changes;
}

/** The view is the base where no pending mutation had touched it, so a missing image is in the source. */
function imagesBeneath(effects: readonly (Effect | null)[], base: BaseImages, runtime: QueryRuntime): BaseImages {
  const images: BaseImages = new RowMap();
  for (const effect of effects) {
    effect?.writes.forEach((table, id) => {
      if (images.has(table, id)) return;
      const known = base.get(table, id);
      images.set(table, id, known === undefined ? (runtime.source(table).get(id) ?? null) : known);
    });
  }
  return images;
}

/** The effect and changes of a mutation that runs on top of the view as it is. */
export function planAppend(
  runtime: QueryRuntime,
  transaction: ReplicaTransaction,
): { changes: RowChange[]; effect: Effect } {
  const effect: Effect = { writes: transaction.writes, reads: transaction.reads, error: undefined };
  const changes = [...netChanges(runtime, transaction.writes), ...netChanges(runtime, transaction.localWrites)];
  return { changes, effect };
}

/** An effect of nothing, for a mutation that failed. */
export const emptyEffect = (error: unknown): Effect => ({ writes: new RowMap(), reads: new ReadSet(), error });
