// Owns: `pull-fanout`: one change, then each of 1,000 clients pulls it through the handler.
//   node run-fanout.ts [--quick] [--json=file]
// A sample is one client's pull, from the Request to the text of the Response. It is repeated with 1k and 100k rows and with
// 1k and 100k log entries behind the clients: the work must not depend on them. Each answer must hold the change and no more.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { SqlExecutor } from "plasma-sync/server";
import { printLines } from "../print-lines.ts";
import { summarise, type Line, type Summary } from "../summary.ts";
import { counted } from "./counted.ts";
import { postgresEngine, sqliteInMemory, type Engine } from "./databases.ts";
import { expectEqual, expectOk, GROUP, handlerOf, itemOf, pullRequest, pushRequest } from "./work.ts";

const { values: options } = parseArgs({ options: { quick: { type: "boolean" }, json: { type: "string" } } });
const CLIENTS = options.quick ? 100 : 1000;
const SIZES = [
  { name: "1k rows, 1k log entries", rows: 1_000, entries: 1_000 },
  { name: "100k rows, 100k log entries", rows: 100_000, entries: 100_000 },
  { name: "1k rows, 100k log entries", rows: 1_000, entries: 100_000 },
];

const lines: Line[] = [];
await measure(sqliteInMemory());
const onPostgres = await postgresEngine();
if (onPostgres === null) console.error("No Postgres here: pull-fanout is measured without it.");
else await measure(onPostgres);
if (options.json === undefined) printLines(lines);
else writeFileSync(options.json, JSON.stringify(lines));

interface Page {
  readonly cookie: string;
  readonly patch: readonly { readonly op: string; readonly id?: string }[];
  readonly hasMore?: boolean;
}

async function measure(engine: Engine): Promise<void> {
  const sides: { [name: string]: Summary } = {};
  let statements = 0;
  for (const { name, rows, entries } of SIZES) {
    const ran = await fanOut((await engine.open()).executor, rows, entries);
    sides[`Plasma, ${name}`] = summarise(ran.ms);
    statements = Math.max(statements, ran.statementsMax);
    process.stdout.write(".");
  }
  await engine.close();
  const [small, ...larger] = Object.values(sides);
  const ratios = Object.fromEntries(
    larger.map((side, i) => [`p50 of ${SIZES[i + 1]?.name} to ${SIZES[0]?.name}`, side.p50 / (small as Summary).p50]),
  );
  const variant = `${engine.name}, 1 change, ${CLIENTS} clients, at most ${statements} statements per pull`;
  lines.push({ workload: "pull-fanout", variant, unit: "ms", sides, ratios, goal: "≤ 2 statements, ratios about 1" });
}

async function fanOut(executor: SqlExecutor, rows: number, entries: number) {
  const { executor: watched, texts } = counted(executor);
  const handle = handlerOf(watched);
  const start = await expectOk<Page>(await handle(pullRequest("first", undefined)));
  await fill(executor, rows, entries);
  let { cookie } = start;
  for (let hasMore = true; hasMore;) {
    const page = await expectOk<Page>(await handle(pullRequest("first", cookie)));
    [cookie, hasMore] = [page.cookie, page.hasMore === true];
  }
  const change = { id: 1, name: "rename", args: { id: itemOf(0).id, title: "changed" } };
  await expectOk(await handle(pushRequest("writer", [change])));
  const ms: number[] = [];
  let statementsMax = 0;
  for (let client = 0; client < CLIENTS; client++) {
    texts.length = 0;
    const request = pullRequest(`client-${client}`, cookie);
    const startMs = performance.now();
    const text = await (await handle(request)).text();
    ms.push(performance.now() - startMs);
    statementsMax = Math.max(statementsMax, texts.length);
    const { patch } = JSON.parse(text) as Page;
    expectEqual(
      `the patch of client ${client} of group ${GROUP}`,
      patch.map(({ op, id }) => [op, id]),
      [["put", itemOf(0).id]],
    );
  }
  return { ms, statementsMax };
}

/** `rows` rows by raw SQL, then updates until the log has `entries`. */
async function fill(executor: SqlExecutor, rows: number, entries: number): Promise<void> {
  const series = (n: number) =>
    executor.dialect === "postgres"
      ? `generate_series(0, ${n - 1}) AS s(n)`
      : `(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ${n - 1}) SELECT n FROM s) AS s`;
  const id = executor.dialect === "postgres" ? `'item-' || lpad(n::text, 9, '0')` : `printf('item-%09d', n)`;
  const insert =
    `INSERT INTO items (id, title, state, rank, "ownerId") ` +
    `SELECT ${id}, 'The title of item ' || n, 'open', n, 'owner-' || (n % 50) FROM ${series(rows)}`;
  await executor.run({ text: insert, params: [] });
  for (let done = rows; done < entries; done += rows)
    await executor.run({ text: `UPDATE items SET rank = rank + 1`, params: [] });
}
