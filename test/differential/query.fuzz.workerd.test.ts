// D1 gives the answers that every other executor gives: generated cases in the real Workers runtime.

import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { fromD1 } from "../../packages/plasma-sync/src/server/database/from-d1.ts";
import { describeCoverage, noCoverage, runCase } from "./run-cases.ts";
import { createFollower } from "./sql-follower.ts";

const CASES = 100;
const FIRST_SEED = 600_000;

test(`evaluate, D1 and the incremental engine agree on ${CASES} cases`, { timeout: 240_000 }, async () => {
  await reset();
  const follower = createFollower(
    "D1",
    async () => fromD1(env.DB),
    async () => undefined,
  );
  const coverage = noCoverage();
  for (let i = 0; i < CASES; i++) await runCase(FIRST_SEED + i, [follower], coverage);
  console.log(`query fuzz on D1\n${describeCoverage(coverage)}`);
  expect(coverage.withRows / coverage.cases).toBeGreaterThan(0.6);
});
