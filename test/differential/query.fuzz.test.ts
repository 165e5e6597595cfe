// Every executor gives the same answers: generated schemas, rows, queries over the whole grammar, and histories of commits.

import { afterAll, expect, test } from "vitest";
import { regressions } from "./regressions.ts";
import { describeCoverage, missingPairs, noCoverage, runCase } from "./run-cases.ts";
import { sqliteFollower } from "./sqlite-follower.ts";

const CASES = Number(process.env["CASES"] ?? 2000);
/** `SEED=… npx vitest run test/query` runs the cases of another seed. */
const SEED = Number(process.env["SEED"] ?? 1);

const coverage = noCoverage();
const sqlite = sqliteFollower();
afterAll(() => console.log(`query fuzz from seed ${SEED}\n${describeCoverage(coverage)}`));

test.for([...regressions])("still right: %s", async ([, tape]) => {
  await runCase(tape, [sqlite], noCoverage());
});

test(`evaluate, SQLite and the incremental engine agree on ${CASES} cases`, { timeout: 240_000 }, async () => {
  for (let i = 0; i < CASES; i++) await runCase(SEED * 1_000_003 + i, [sqlite], coverage);
  expect(coverage.withRows / coverage.cases).toBeGreaterThanOrEqual(0.7);
  expect(coverage.altering / coverage.commits).toBeGreaterThanOrEqual(0.5);
  expect(missingPairs(coverage)).toEqual([]);
});
