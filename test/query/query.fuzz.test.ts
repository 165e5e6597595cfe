// Every executor gives the same answers: generated schemas, rows, queries over the whole grammar, and histories of commits.

import { afterAll, expect, test } from "vitest";
import { incremental, startedAnew } from "./executors.ts";
import { regressions } from "./regressions.ts";
import { describeCoverage, describePairs, missingPairs, noCoverage, runKept, runSeed } from "./run-cases.ts";
import { sqliteExecutor } from "./sqlite-executor.ts";

const CASES = 2000;
/** `SEED=… npx vitest run test/query` runs the cases of another seed. */
const SEED = Number(process.env["SEED"] ?? 1);

const coverage = noCoverage();
const executors = [incremental, startedAnew, sqliteExecutor()];
afterAll(() => console.log(`query fuzz, seed ${SEED}\n${describeCoverage(coverage)}\n${describePairs(coverage)}`));

for (const { what, kept } of regressions) test(`still right: ${what}`, () => runKept(kept, executors));

test(`evaluate, SQLite and the incremental engine agree on ${CASES} cases`, { timeout: 240_000 }, async () => {
  for (let i = 0; i < CASES; i++) await runSeed(SEED * 1_000_003 + i, executors, coverage);
  expect(coverage.withRows / coverage.cases).toBeGreaterThanOrEqual(0.7);
  expect(coverage.altering / coverage.commits).toBeGreaterThanOrEqual(0.5);
  expect(missingPairs(coverage)).toEqual([]);
});
