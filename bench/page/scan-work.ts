// Owns: the work of `scan`, the same for both sides.
// The store holds `rows` rows of 1 KB. A sample is one query that reads all of them as an array in the order of their ids,
// and a pass over the array that looks at each row's text.

import type { RunResult } from "./run-request.ts";

export interface ScanParams {
  readonly rows: number;
  readonly warmups: number;
  readonly samples: number;
}

export interface Item {
  readonly id: string;
  readonly text: string;
}

const TEXT_CHARS = 1_000;

export function itemAt(i: number): Item {
  const words = `Text of item ${i}, one of many. `;
  const text = words.repeat(Math.ceil(TEXT_CHARS / words.length)).slice(0, TEXT_CHARS);
  return { id: `item-${String(i).padStart(7, "0")}`, text };
}

/** Looks at every row. */
export function digest(items: readonly Item[]): string {
  let sum = 0;
  for (const { text } of items) sum = (sum * 31 + text.length + text.charCodeAt(15)) % 1_000_000_007;
  return `${items.length} rows, first ${items[0]?.id}, last ${items.at(-1)?.id}, text ${sum}`;
}

/** Times `read`, and holds every answer to the first one. */
export async function sample(params: ScanParams, read: () => PromiseLike<readonly Item[]>): Promise<RunResult> {
  const ms: number[] = [];
  let answer: string | null = null;
  for (let k = 0; k < params.warmups + params.samples; k++) {
    const start = performance.now();
    const found = digest(await read());
    const took = performance.now() - start;
    answer ??= found;
    if (found !== answer) throw new Error(`read ${k} found ${found} instead of ${answer}`);
    if (k >= params.warmups) ms.push(took);
  }
  return { figures: { "": ms }, answer: answer ?? "" };
}
