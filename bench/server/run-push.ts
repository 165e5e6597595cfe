// Owns: `push-throughput`: mutations of one insert each, pushed through the handler in batches, beside their row statements
// run bare on the same engine, log triggers included, one transaction per batch (the floor).
//   node run-push.ts [--quick] [--json=file] [--engine=disk|memory|postgres] [--only=plasma|floor]
// A sample is one batch: for Plasma from the Request to the text of the Response; making the request's body is not in it.
// In the end rows, log entries and last ids are compared.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ensureSchema, type SqlExecutor, type SqlStatement } from "plasma-sync/server";
import { printLines } from "../print-lines.ts";
import { ratiosTo, summarise, type Line, type Summary } from "../summary.ts";
import { counted } from "./counted.ts";
import { postgresEngine, sqliteInMemory, sqliteOnDisk, type Engine } from "./databases.ts";
import { expectEqual, expectOk, handlerOf, itemOf, pushRequest, schema, type Mutation } from "./work.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    json: { type: "string" },
    engine: { type: "string" },
    only: { type: "string" },
  },
});
const ROUNDS = options.quick ? 1 : 3;
const WARMUP_BATCHES = options.quick ? 10 : 40;
const BATCHES = options.quick ? 40 : 150;
const BATCH = 100;
const isAsked = (engine: string) => options.engine === undefined || options.engine === engine;

const lines: Line[] = [];
if (isAsked("memory")) lines.push(await measure(sqliteInMemory()));
if (isAsked("disk")) lines.push(await measure(sqliteOnDisk()));
if (isAsked("postgres")) {
  const engine = await postgresEngine();
  if (engine === null) console.error("No Postgres here: push-throughput is measured without it.");
  else lines.push(await measure(engine));
}
if (options.json === undefined) printLines(lines);
else writeFileSync(options.json, JSON.stringify(lines));

interface Side {
  readonly executor: SqlExecutor;
  /** Runs batch number `k`; returns its milliseconds. */
  run(k: number): Promise<number>;
}

async function measure(engine: Engine): Promise<Line> {
  const samples: { readonly [side: string]: number[] } = { Plasma: [], floor: [] };
  let statements = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sides = [];
    if (options.only !== "floor") sides.push(["Plasma", await plasmaSide(engine)] as const);
    if (options.only !== "plasma") sides.push(["floor", await floorSide(engine)] as const);
    for (let k = 0; k < WARMUP_BATCHES + BATCHES; k++) {
      for (const [name, side] of sides) {
        const ms = await side.run(k);
        if (k >= WARMUP_BATCHES) samples[name]?.push(ms);
      }
    }
    const [first, second] = sides.map(([, side]) => side.executor);
    if (first !== undefined && second !== undefined) await expectEqualSides(first, second);
    statements = await statementsPerMutation(engine);
    process.stdout.write(".");
  }
  await engine.close();
  const sides: { [name: string]: Summary } = {};
  for (const [name, ms] of Object.entries(samples)) if (ms.length > 0) sides[name] = summarise(ms);
  const variant = `${engine.name}, ${BATCH} mutations, ${statements} statements each`;
  const ratios = ratiosTo(sides, ["floor"], "to the floor");
  return { workload: "push-throughput", variant, unit: "ms", sides, ratios, goal: "≤ 2 (half the floor's throughput)" };
}

function mutationsOf(k: number): Mutation[] {
  return Array.from({ length: BATCH }, (_, i) => ({ id: k * BATCH + i + 1, name: "add", args: itemOf(k * BATCH + i) }));
}

async function plasmaSide(engine: Engine): Promise<Side> {
  const { executor } = await engine.open();
  const handle = handlerOf(executor);
  return {
    executor,
    run: async (k) => {
      const request = pushRequest("c1", mutationsOf(k));
      const start = performance.now();
      const text = await (await handle(request)).text();
      const ms = performance.now() - start;
      const { results } = JSON.parse(text) as { results: { status: string }[] };
      if (results.length !== BATCH || results.some(({ status }) => status !== "applied")) throw new Error(text);
      return ms;
    },
  };
}

async function floorSide(engine: Engine): Promise<Side> {
  const { executor, insertBare } = await engine.open();
  await ensureSchema({ schema, executor });
  const names = Object.keys(itemOf(0));
  const places = names.map((_, i) => (executor.dialect === "postgres" ? `$${i + 1}` : `?${i + 1}`));
  const text = `INSERT INTO items (${names.map((name) => `"${name}"`).join(", ")}) VALUES (${places.join(", ")})`;
  return {
    executor,
    run: async (k) => {
      const rows = mutationsOf(k).map(({ args }) => Object.values(args as object) as SqlStatement["params"]);
      const start = performance.now();
      await insertBare(text, rows);
      return performance.now() - start;
    },
  };
}

/** Rows, their log entries and the last id; of the log without what only one side can have: origins, tags, versions, times. */
async function expectEqualSides(plasma: SqlExecutor, floor: SqlExecutor): Promise<void> {
  const count = (WARMUP_BATCHES + BATCHES) * BATCH;
  const read = (executor: SqlExecutor, text: string) => executor.all({ text, params: [] });
  const rows = "SELECT * FROM items ORDER BY id";
  expectEqual("rows", await read(plasma, rows), await read(floor, rows));
  expectEqual("the number of rows", (await read(plasma, rows)).length, count);
  const log = `SELECT table_name, row_id, op, value, "before" FROM _plasma_changes WHERE op <> 'ack' ORDER BY row_version`;
  expectEqual("the log", await read(plasma, log), await read(floor, log));
  const acks = "SELECT count(*) AS n FROM _plasma_changes WHERE op = 'ack'";
  expectEqual("acks", Number((await read(plasma, acks))[0]?.["n"]), count);
  const last = "SELECT last_mutation_id AS n FROM _plasma_client_mutations";
  expectEqual("the last id", Number((await read(plasma, last))[0]?.["n"]), count);
}

/** What the engine is given for a push of 100, less what it is given for one of 1, by mutation. */
async function statementsPerMutation(engine: Engine): Promise<number> {
  const { executor } = await engine.open();
  const { executor: watched, texts } = counted(executor);
  const handle = handlerOf(watched);
  const push = async (k: number, size: number): Promise<number> => {
    await expectOk(
      await handle(
        pushRequest(
          `c${k}`,
          mutationsOf(k)
            .slice(0, size)
            .map((m, i) => ({ ...m, id: i + 1 })),
        ),
      ),
    );
    return texts.splice(0).length;
  };
  await push(1, 1);
  return ((await push(2, BATCH)) - (await push(3, 1))) / (BATCH - 1);
}
