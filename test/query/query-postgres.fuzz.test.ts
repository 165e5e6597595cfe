// Postgres gives the answers of `evaluate` to generated queries. `CASES=… SEED=… npx vitest run` runs more, or others.

import { test } from "vitest";
import { fromPostgres } from "../../packages/plasma-sync/src/server/database/from-postgres.ts";
import { usePostgres } from "../../packages/plasma-sync/src/server/database/postgres-server.fixture.ts";
import type { SqlStatement } from "../../packages/plasma-sync/src/server/database/sql-executor.ts";
import { postgresInsert, postgresTable } from "../../packages/plasma-sync/src/server/sql/postgres-tables.fixture.ts";
import { databaseExecutor, type Storing } from "./executors.ts";
import { describeCoverage, noCoverage, runSeed } from "./run-cases.ts";

const CASES = Number(process.env["CASES"] ?? 300);
/** Other cases than those of SQLite. */
const SEED = Number(process.env["SEED"] ?? 3_000_000_019);

const postgres = usePostgres();

const remove = (table: string, id: string): SqlStatement => ({
  text: `DELETE FROM "${table}" WHERE "id" = $1`,
  params: [id],
});

const storing: Storing = {
  create: postgresTable,
  put: (meta, rows) => rows.flatMap((row) => [remove(meta.name, row["id"] as string), postgresInsert(meta, row)]),
  remove: (table, ids) => ids.map((id) => remove(table, id)),
};

test(`evaluate and Postgres agree on ${CASES} cases`, { timeout: 240_000 }, async () => {
  const executors = [
    databaseExecutor("Postgres", fromPostgres(await postgres.open({ onnotice: () => undefined })), storing),
  ];
  const coverage = noCoverage();
  for (let i = 0; i < CASES; i++) await runSeed(SEED + i, executors, coverage);
  console.log(`query fuzz on Postgres, seed ${SEED}\n${describeCoverage(coverage)}`);
});
