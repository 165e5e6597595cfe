// D1, in the Workers runtime, gives the answers of `evaluate` to generated queries.

import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { test } from "vitest";
import { fromD1 } from "../../packages/plasma-sync/src/server/database/from-d1.ts";
import { databaseExecutor } from "./executors.ts";
import { describeCoverage, noCoverage, runSeed } from "./run-cases.ts";

const CASES = 150;
/** Other cases than those of SQLite in Node. */
const SEED = 2_000_000_011;

test(`evaluate and D1 agree on ${CASES} cases`, { timeout: 240_000 }, async () => {
  await reset();
  const executors = [databaseExecutor("D1", fromD1(env.DB))];
  const coverage = noCoverage();
  for (let i = 0; i < CASES; i++) await runSeed(SEED + i, executors, coverage);
  console.log(`query fuzz on D1, seed ${SEED}\n${describeCoverage(coverage)}`);
});
