// A few of the seeds that `npm run sim` runs by thousands.

import { expect, test } from "vitest";
import { regressions } from "./regressions.ts";
import { runSeed } from "./run-seed.ts";

/** Coverage is asked of the thousands of `npm run sim`, not of these. */
const SEEDS = 300;

test(`no oracle objects to the runs of ${SEEDS} seeds`, { timeout: 240_000 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation } = await runSeed(seed);
    expect(violation, `npm run sim -- --seeds 1 --from ${seed}`).toBeNull();
  }
});

test.each(regressions)("seed $seed passes: $what", async ({ seed, isPlain }) => {
  expect((await runSeed(seed, isPlain)).violation).toBeNull();
});

test("equal seeds give equal runs", async () => {
  const [one, again] = [await runSeed(11), await runSeed(11)];
  // Answers hold random tags of SQLite's.
  const lines = ({ trace }: typeof one) => trace.map(({ ms, who, what }) => `${ms} ${who} ${what.slice(0, 30)}`);
  expect(lines(again)).toEqual(lines(one));
  expect(again.coverage).toEqual(one.coverage);
});
