// Owns: forEachSeed, which runs a test's body with many seeds, and names the one that failed.

import { messageOf } from "../core/error.ts";
import { TestFailure } from "./test-failure.ts";

/** How many seeds, from 1; or one seed alone, to look at it. */
export type Seeds = number | { readonly only: number } | { readonly from: number; readonly count: number };

/**
 * Runs `fn` with one seed after another; a failure says which seed it was.
 *
 * @throws TestFailure `test/seed`; its cause is what `fn` threw.
 * @example
 * await forEachSeed(50, async (seed) => {
 *   const world = createTestWorld({ schema, mutators, seed });
 *   await world.close();
 * });
 */
export async function forEachSeed(seeds: Seeds, fn: (seed: number) => unknown): Promise<void> {
  const { from, count } = rangeOf(seeds);
  for (let seed = from; seed < from + count; seed++) {
    try {
      await fn(seed);
    } catch (error) {
      const { actual, expected } = (error ?? {}) as { readonly actual?: unknown; readonly expected?: unknown };
      const message = `Seed ${seed} failed: ${messageOf(error)}\nRun it alone: forEachSeed({ only: ${seed} }, …)`;
      throw new TestFailure("test/seed", message, { cause: error, actual, expected });
    }
  }
}

function rangeOf(seeds: Seeds): { readonly from: number; readonly count: number } {
  if (typeof seeds === "number") return { from: 1, count: seeds };
  return "only" in seeds ? { from: seeds.only, count: 1 } : seeds;
}
