// Postgres gives the answers that every other executor gives: generated cases on a real server.

import { expect, test } from "vitest";
import { usePostgres } from "../../packages/plasma-sync/src/server/database/postgres-server.fixture.ts";
import { fromPostgres } from "../../packages/plasma-sync/src/server/database/from-postgres.ts";
import { describeCoverage, noCoverage, runCase } from "./run-cases.ts";
import { createFollower } from "./sql-follower.ts";

const CASES = 200;
const FIRST_SEED = 500_000;

const postgres = usePostgres();

test(`evaluate, Postgres and the incremental engine agree on ${CASES} cases`, { timeout: 240_000 }, async () => {
  // Notices say that a table which is dropped was not there.
  const sql = await postgres.open({ onnotice: () => undefined });
  const follower = createFollower(
    "Postgres",
    async () => fromPostgres(sql),
    async () => undefined,
  );
  const coverage = noCoverage();
  for (let i = 0; i < CASES; i++) await runCase(FIRST_SEED + i, [follower], coverage);
  console.log(`query fuzz on Postgres\n${describeCoverage(coverage)}`);
  expect(coverage.withRows / coverage.cases).toBeGreaterThan(0.6);
});
