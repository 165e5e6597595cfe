// Owns: the work of `populate`, the same for all sides.
// One mutation puts `rows` rows of 1 KB, made beforehand, into an empty store. Live queries show the first 10 rows by id and by each
// of the `indexes` declared indexes. *visible*: from the call until all of them have been handed those rows. *durable*: until the
// rows are on disk as the side has it.

import { digest, itemsFrom, type Item } from "./kilobyte-rows.ts";
import type { RunResult } from "./run-request.ts";

export interface PopulateParams {
  readonly rows: number;
  readonly indexes: number;
  readonly samples: number;
}

export interface Populated {
  readonly visibleMs?: number;
  readonly durableMs: number;
  /** All rows, by id. */
  readonly found: readonly Item[];
}

export const SHOWN = 10;
const WARMUPS = 1;

/** Populates a store of its own for each sample. */
export async function sample(
  params: PopulateParams,
  populate: (items: readonly Item[], k: number) => Promise<Populated>,
): Promise<RunResult> {
  const items = itemsFrom(0, params.rows);
  const expected = digest(items);
  const visible: number[] = [];
  const durable: number[] = [];
  for (let k = 0; k < WARMUPS + params.samples; k++) {
    const { visibleMs, durableMs, found } = await populate(items, k);
    if (digest(found) !== expected) throw new Error(`found ${digest(found)} instead of ${expected}`);
    if (k < WARMUPS) continue;
    if (visibleMs !== undefined) visible.push(visibleMs);
    durable.push(durableMs);
  }
  return { figures: { ...(visible.length > 0 ? { visible } : {}), durable }, answer: expected };
}
