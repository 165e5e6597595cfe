// Owns: the work of `write-sub-read`, the same for both sides.
// The store holds `megabytes` MB in rows of 1 KB. 64 live queries, and after them 128, show the first 16 rows (8 where there are no more) each of disjoint ranges of ids. One
// mutation changes the first row of 5 ranges, which are drawn anew each time. A sample lasts from the call of the mutation until
// the live queries of those 5 have been handed their rows.

import { createRandom, digest, itemID, textOf, type Item } from "./kilobyte-rows.ts";
import type { RunResult } from "./run-request.ts";

export interface WriteSubReadParams {
  readonly megabytes: number;
  readonly samples: number;
}

export interface Edit {
  readonly id: string;
  readonly text: string;
}

/** One side: live queries that tell which range was handed which rows, until they are left, and a mutation. */
export interface WriteSubRead {
  subscribe(ranges: readonly Range[], onRows: (range: number, rows: readonly Item[]) => void): Promise<() => void>;
  /** Resolves when the mutation is as safe as the side makes it before it goes on. */
  write(edits: readonly Edit[]): Promise<void>;
  all(): Promise<readonly Item[]>;
  close(): Promise<void>;
}

/** Of ids: from (inclusive), to (exclusive). */
export interface Range {
  readonly from: string;
  readonly to: string;
  /** The first so many rows are shown. */
  readonly limit: number;
}

const SHOWN = 16;
const DIRTY = 5;
const WARMUPS = 20;

export const rowCount = ({ megabytes }: WriteSubReadParams): number => megabytes * 1024;

/** Takes the samples on a side that holds all rows. */
export async function sample(params: WriteSubReadParams, side: WriteSubRead): Promise<RunResult> {
  const figures: { [figure: string]: number[] } = {};
  for (const queries of [64, 128]) figures[`${queries} live queries`] = await sampleWith(queries, params, side);
  const answer = digest(await side.all());
  await side.close();
  return { figures, answer };
}

async function sampleWith(queries: number, params: WriteSubReadParams, side: WriteSubRead): Promise<number[]> {
  const perRange = Math.floor(rowCount(params) / queries);
  const limit = Math.min(SHOWN, perRange);
  const firstOf = (range: number) => range * perRange;
  const ranges = Array.from({ length: queries }, (_, range) => ({
    from: itemID(firstOf(range)),
    to: itemID(firstOf(range + 1)),
    limit,
  }));
  const heard = new Set<number>();
  let expected = new Map<number, string>();
  let delivered = Promise.withResolvers<void>();
  const leave = await side.subscribe(ranges, (range, rows) => {
    const text = expected.get(range);
    if (text === undefined) return;
    if (rows.length !== limit || rows[0]?.text !== text)
      delivered.reject(new Error(`range ${range} was handed other rows`));
    heard.add(range);
    if (heard.size === DIRTY) delivered.resolve();
  });
  const random = createRandom(11);
  const ms: number[] = [];
  for (let k = 0; k < WARMUPS + params.samples; k++) {
    expected = new Map();
    while (expected.size < DIRTY) expected.set(random(queries), `${textOf(k * DIRTY + expected.size)}${k}`);
    const edits = [...expected].map(([range, text]) => ({ id: itemID(firstOf(range)), text }));
    heard.clear();
    delivered = Promise.withResolvers();
    const start = performance.now();
    const written = side.write(edits);
    await delivered.promise;
    if (k >= WARMUPS) ms.push(performance.now() - start);
    await written;
  }
  leave();
  return ms;
}
