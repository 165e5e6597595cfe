// Owns: the work of `initial-pull`, the same for both sides.
// An empty client pulls `rows` rows of 1 KB, which the page itself hands over. *first rows*: from the making of the client until a live
// query has been handed any row. *visible*: until a live query has been handed the last row, when all others are there too.
// *durable*: until all are on disk.

import { digest, itemID, type Item } from "./kilobyte-rows.ts";
import type { RunResult } from "./run-request.ts";

export interface InitialPullParams {
  readonly side: string;
  readonly rows: number;
  /** Rows in a page of Plasma's pull. Replicache's protocol has no pages. */
  readonly perPage: number;
}

export interface InitialPull {
  /** Calls back with the first rows, and with the last. */
  start(onFirst: () => void, onLast: () => void): { readonly durable: Promise<void> };
  /** All rows by id, read by a client that finds nothing but the disk. */
  onDisk(): Promise<readonly Item[]>;
}

export const lastID = ({ rows }: InitialPullParams): string => itemID(rows - 1);

export async function sample(side: InitialPull): Promise<RunResult> {
  const began = performance.now();
  const first = deferredMs(began);
  const last = deferredMs(began);
  const { durable } = side.start(first.resolve, last.resolve);
  await durable;
  const durableMs = performance.now() - began;
  const figures = { "first rows": [await first.ms], visible: [await last.ms], durable: [durableMs] };
  return { figures, answer: digest(await side.onDisk()) };
}

function deferredMs(began: number): { ms: Promise<number>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const ms = new Promise<number>((done) => (resolve = () => done(performance.now() - began)));
  return { ms, resolve };
}
