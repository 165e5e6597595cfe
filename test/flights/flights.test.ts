// Twenty questions about real flights have one answer in every executor, and live ones stay right under edits.

import { DatabaseSync } from "node:sqlite";
import { beforeAll, describe, expect, test } from "vitest";
import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import type { ResultRow, Row, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import { fromNodeSqlite } from "../../packages/plasma-sync/src/server/database/from-node-sqlite.ts";
import { fromPostgres } from "../../packages/plasma-sync/src/server/database/from-postgres.ts";
import { usePostgres } from "../../packages/plasma-sync/src/server/database/postgres-server.fixture.ts";
import type { SqlExecutor } from "../../packages/plasma-sync/src/server/database/sql-executor.ts";
import { ensureSchema } from "../../packages/plasma-sync/src/server/migration/ensure-schema.ts";
import { compileSelect } from "../../packages/plasma-sync/src/server/sql/compile-select.ts";
import { postgresInsert, postgresTable } from "../../packages/plasma-sync/src/server/sql/postgres-tables.fixture.ts";
import { putStatements } from "../../packages/plasma-sync/src/server/sql/row-statements.ts";
import { loadTables, schema, type Tables } from "./dataset.ts";
import { questions } from "./questions.ts";

/** The naive evaluation compares every row with every other: so a part of the flights for it, and all for the others. */
const SAMPLE = 600;
const EDITS = 25;

const all = loadTables(10_000);
const sample = loadTables(SAMPLE, { onlyUsed: true });
const list = Object.entries(questions);

const postgres = usePostgres();
const engines: Record<"sqlite" | "postgres", SqlExecutor | null> = { sqlite: null, postgres: null };
beforeAll(async () => {
  engines.sqlite = await storeOnSqlite(all);
  engines.postgres = fromPostgres(await postgres.open());
  await storeOnPostgres(engines.postgres, all);
}, 60_000);

function runtimeOf(tables: Tables) {
  const runtime = createQueryRuntime({ schema });
  for (const [table, rows] of tables) runtime.fill(table, rows);
  runtime.setStatus("complete");
  return runtime;
}

async function storeOnSqlite(tables: Tables): Promise<SqlExecutor> {
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  await ensureSchema({ schema, executor });
  for (const [table, meta] of schema.tablesByName) await executor.batch(putStatements(meta, tables.get(table) ?? []));
  return executor;
}

async function storeOnPostgres(executor: SqlExecutor, tables: Tables): Promise<void> {
  for (const [table, meta] of schema.tablesByName) {
    const rows = tables.get(table) ?? [];
    await executor.batch([postgresTable(meta), ...rows.map((row) => postgresInsert(meta, row))]);
  }
}

async function askSql(executor: SqlExecutor, query: SelectNode): Promise<readonly ResultRow[]> {
  const { text, params, decode } = compileSelect(query, { schema, dialect: executor.dialect });
  return decode(await executor.all({ text, params }));
}

/** Engines may round the last digit of a mean in their own way. */
const rounded = (rows: readonly ResultRow[]): unknown =>
  JSON.parse(
    JSON.stringify(rows, (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(12)) : value)),
  );

describe("all flights", () => {
  const runtime = runtimeOf(all);

  test.for(list)("%s", async ([question, query]) => {
    const start = performance.now();
    const answer = runtime.select(query);
    console.log(
      `${(performance.now() - start).toFixed(1).padStart(7)} ms, ${String(answer.length).padStart(4)} rows: ${question}`,
    );
    expect(answer.length).toBeGreaterThan(0);
    for (const executor of Object.values(engines))
      expect(rounded(await askSql(executor as SqlExecutor, query))).toEqual(rounded(answer));
  });
});

test("a part of them: every answer is the one that the naive evaluation gives, also under edits", () => {
  const state = new Map(
    [...sample].map(([table, rows]) => [table, new Map(rows.map((row) => [row["id"] as string, row]))]),
  );
  const rowsOf = (table: string): Iterable<Row> => state.get(table)?.values() ?? [];
  const runtime = runtimeOf(sample);
  const live = list.map(([question, query]) => {
    const entry = { question, query, rows: [] as readonly ResultRow[] };
    runtime.live(query).subscribe((rows) => (entry.rows = rows));
    return entry;
  });
  let altered = 0;
  for (let edit = 0; edit <= EDITS; edit++) {
    const before = live.map(({ rows }) => rows);
    if (edit > 0) runtime.commit(apply(state, editsOf(state, edit)));
    altered += live.filter(({ rows }, i) => rows !== before[i]).length;
    // Asking all twenty takes the naive evaluation a while: a few at each edit, all at the end.
    for (const [i, { question, query, rows }] of live.entries())
      if (edit === EDITS || i % 5 === edit % 5)
        expect(rounded(rows), question).toEqual(rounded(evaluate(query, rowsOf)));
  }
  expect(altered).toBeGreaterThan(EDITS * 3);
});

type State = ReadonlyMap<string, Map<string, Row>>;

function apply(state: State, changes: readonly RowChange[]): readonly RowChange[] {
  for (const { table, id, after } of changes) {
    if (after === null) state.get(table)?.delete(id);
    else state.get(table)?.set(id, after);
  }
  return changes;
}

/** What happens to flights and airports: delays, cancellations, new names, new flights, closed airports. */
function editsOf(state: State, edit: number): RowChange[] {
  const change = (table: string, id: string, patch: Partial<Row> | null): RowChange[] => {
    const before = state.get(table)?.get(id) ?? null;
    const after = patch === null ? null : ({ ...before, ...patch, id } as Row);
    return before === null && after === null ? [] : [{ table, id, before, after }];
  };
  const pick = (table: string, n: number): string => {
    const ids = [...(state.get(table)?.keys() ?? [])];
    return ids[(n * 7919) % ids.length] as string;
  };
  const flight = pick("flights", edit);
  const airport = pick("airports", edit * 3);
  const [other, third] = [pick("airports", edit * 5 + 1), pick("flights", edit * 11 + 2)];
  return [
    ...change("flights", flight, { delay: 200 + edit, originId: edit % 2 === 0 ? "PHX" : "SJC" }),
    ...(third === flight
      ? []
      : change("flights", third, edit % 3 === 0 ? null : { destinationId: other, cancelled: true })),
    ...change("flights", `new${edit}`, {
      at: Date.UTC(2001, 0, 2, edit % 24),
      delay: -edit,
      distance: 3000 + edit,
      originId: edit % 2 === 0 ? "LAS" : "LAX",
      destinationId: airport,
      cancelled: false,
    }),
    ...change(
      "airports",
      airport,
      edit % 6 === 0 ? null : { name: `${edit} International`, stateId: edit % 2 === 0 ? "NV" : "CA" },
    ),
  ];
}
