// Owns: the work of `startup`, the same for both sides.
// `rows` rows of 1 KB lie on disk. Each sample is a new page, in which the code is loaded and nothing of the rows is. *from client*:
// from the making of the client until a live query of the first 100 rows, by id or by a column with a declared index, has been
// handed them; or until 100 rows at random have been read by id, one after the other. *from navigation*: the same, from the
// beginning of the navigation, so with the fetching, parsing and running of the code.

import { createRandom, digest, itemID, type Item } from "./kilobyte-rows.ts";
import type { RunResult } from "./run-request.ts";

export interface StartupParams {
  readonly rows: number;
  readonly reads: "window by id" | "window by index" | "100 rows by id";
}

export const SHOWN = 100;

/** Times `read`, which makes the client. */
export async function sample(read: () => Promise<readonly Item[]>): Promise<RunResult> {
  const start = performance.now();
  const found = await read();
  const end = performance.now();
  // `performance.now()` counts from the navigation.
  return { figures: { "from client": [end - start], "from navigation": [end] }, answer: digest(found) };
}

export function randomIDs({ rows }: StartupParams): string[] {
  const random = createRandom(23);
  return Array.from({ length: SHOWN }, () => itemID(random(rows)));
}
