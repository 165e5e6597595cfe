// Questions about real flights have one answer in every executor, and live ones stay right under edits.

import { DatabaseSync } from "node:sqlite";
import { beforeAll, expect, test } from "vitest";
import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import type { ResultRow, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { fromNodeSqlite } from "../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import { fromPostgres } from "../../packages/plasma-sync/src/server/database/from-postgres.ts";
import { usePostgres } from "../../packages/plasma-sync/src/server/database/postgres-server.fixture.ts";
import { expectSame } from "../query/mismatch.ts";
import { FLIGHTS, loadTables, type Tables } from "./dataset.ts";
import { drawEdits } from "./edits.ts";
import { onPostgres, onSqlite, type FlightsDatabase } from "./flights-database.ts";
import { askLive, type LiveQuestions } from "./live-questions.ts";
import { questions } from "./questions.ts";

/** The naive evaluation compares every row with every other: so a part of the flights for it, and all for the others. */
const SAMPLE = 1000;
const SAMPLE_EDITS = 8;
const EDITS = 40;
const SEED = 20_010_101;

const tables = loadTables(FLIGHTS);
const open = usePostgres();
let sqlite: FlightsDatabase;
let postgres: FlightsDatabase;
let live: LiveQuestions;
beforeAll(async () => {
  sqlite = await onSqlite(fromNodeSqlite(new DatabaseSync(":memory:")), tables);
  postgres = await onPostgres(fromPostgres(await open.open()), tables);
  live = askLive(tables);
}, 60_000);

const evaluateOver =
  (tables: Tables) =>
  async (query: SelectNode): Promise<readonly ResultRow[]> =>
    evaluate(query, (table) => tables.get(table)?.values() ?? []);

async function checkPostgres(): Promise<void> {
  for (const [question, query] of Object.entries(questions))
    expectSame(`Postgres: ${question}`, await postgres.ask(query), await sqlite.ask(query), { isRounding: true });
}

test("there are twenty questions and more, and each has an answer", async () => {
  expect(Object.keys(questions).length).toBeGreaterThanOrEqual(20);
  for (const [question, query] of Object.entries(questions))
    expect((await sqlite.ask(query)).length, question).toBeGreaterThan(0);
});

test("live queries, SQLite and Postgres give the same answers over all flights", async () => {
  await live.check(sqlite.ask);
  await checkPostgres();
  console.log(
    [
      `to hydrate, over ${FLIGHTS} flights and ${tables.get("airports")?.size} airports, rows and deltas:`,
      ...live.list.map(({ question, hydrateMs }) => `${hydrateMs.toFixed(1).padStart(7)} ms  ${question}`),
    ].join("\n"),
  );
});

test("after each edit live queries show what SQLite answers, and in the end Postgres too", async () => {
  for (const changes of drawEdits(tables, SEED, EDITS)) {
    await sqlite.commit(changes);
    await postgres.commit(changes);
    await live.commit(changes, sqlite.ask);
  }
  await checkPostgres();
  console.log(`${live.altered} answers altered by ${EDITS} edits, seed ${SEED}`);
  expect(live.altered).toBeGreaterThan(EDITS * 3);
});

test(`over ${SAMPLE} flights all that is what the naive evaluation answers, edit by edit`, async () => {
  const sample = loadTables(SAMPLE, { onlyUsed: true });
  const liveSample = askLive(sample);
  await liveSample.check(evaluateOver(sample));
  for (const changes of drawEdits(sample, SEED, SAMPLE_EDITS)) await liveSample.commit(changes, evaluateOver(sample));
  expect(liveSample.altered).toBeGreaterThan(SAMPLE_EDITS);
});
