// Owns: `ivm-ladder`: every engine, view by view and in turns, in this one process.
//   node --expose-gc run.ts [--quick] [--views=newest,author] [--json=file]
// A round starts an engine anew (its rows loaded, no index built), opens the view once ("first"), opens and closes it many
// times ("hydrate"), then adds a row to it and removes it again ("maintain": one sample is the pair). What listeners hold is
// compared with `answerOf` when the view is open, after additions and after removals; a difference fails the run.

import { writeFileSync } from "node:fs";
import { setImmediate as settle } from "node:timers/promises";
import { parseArgs } from "node:util";
import { printLines } from "../print-lines.ts";
import { ratiosTo, summarise, type Line, type Summary } from "../summary.ts";
import { createDataset } from "./dataset.ts";
import type { Engine, LoadedEngine, OpenView } from "./engine.ts";
import { engines, peers } from "./engines.ts";
import { floor } from "./floor.ts";
import { answerOf, editsOf, viewNames, viewTitles, withEdit, type ViewName } from "./views.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    views: { type: "string" },
    engines: { type: "string" },
    json: { type: "string" },
  },
});
const ROUNDS = options.quick ? 1 : 5;
const OPENINGS = options.quick ? 10 : 40;
const PAIRS_WARMUP = options.quick ? 100 : 500;
const PAIRS = options.quick ? 100 : 400;
const PAIRS_CHECKED = 4; // Per round, before the measured ones; the last measured one is checked too.

interface Samples {
  readonly first: number[];
  readonly hydrate: number[];
  readonly maintain: number[];
}

const data = createDataset();
const asked = options.views?.split(",");
const askedEngines = options.engines?.split(",");
const failures: string[] = [];
const lines: Line[] = [];
for (const view of viewNames) {
  if (asked === undefined || asked.includes(view)) lines.push(...(await measure(view)));
}
if (options.json === undefined || failures.length > 0) printLines(lines);
for (const failure of failures) console.error(`FAILED ${failure}`);
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(lines));
process.exit(failures.length > 0 ? 1 : 0);

async function measure(view: ViewName): Promise<Line[]> {
  const samples = new Map<string, Samples>();
  const absent: { [name: string]: string } = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of engines) {
      if (askedEngines !== undefined && !askedEngines.includes(engine.name)) continue;
      if (absent[engine.name] !== undefined) continue;
      const lack = engine.lacks(view);
      if (lack !== null) {
        if (engine !== floor) absent[engine.name] = lack;
        continue;
      }
      const own = samples.get(engine.name) ?? { first: [], hydrate: [], maintain: [] };
      samples.set(engine.name, own);
      try {
        await runRound(engine, view, own);
      } catch (error) {
        failures.push(`${view} ${engine.name}: ${error instanceof Error ? error.stack : String(error)}`);
        samples.delete(engine.name);
        absent[engine.name] = "failed";
      }
      process.stdout.write(".");
    }
  }
  return (["first", "hydrate", "maintain"] as const).map((what) => lineOf(view, what, samples, absent));
}

async function runRound(engine: Engine, view: ViewName, samples: Samples): Promise<void> {
  const loaded = await engine.start(data);
  globalThis.gc?.();
  await settle();
  const first = await openTimed(loaded, view, samples.first);
  expectRows(first, answerOf(view, data), "when opened first");
  for (let i = 0; i < OPENINGS; i++) {
    const opened = i === 0 ? first : await openTimed(loaded, view, samples.hydrate);
    await opened.close();
    await settle(); // A view that is closed and opened at once may be kept by the engine.
  }
  const opened = await loaded.open(view);
  expectRows(opened, answerOf(view, data), "when opened again");
  const editOf = editsOf(view, data);
  for (let k = 0; k < PAIRS_WARMUP; k++) runPair(loaded, editOf(k));
  for (let k = 0; k < PAIRS_CHECKED; k++) checkPair(loaded, opened, view, k);
  for (let k = 0; k < PAIRS; k++) samples.maintain.push(runPair(loaded, editOf(k)));
  checkPair(loaded, opened, view, PAIRS);
  await opened.close();
  await loaded.close();
}

async function openTimed(loaded: LoadedEngine, view: ViewName, samples: number[]): Promise<OpenView> {
  const start = performance.now();
  const opening = loaded.open(view);
  const opened = opening instanceof Promise ? await opening : opening;
  samples.push(performance.now() - start);
  return opened;
}

function runPair(loaded: LoadedEngine, { table, row }: ReturnType<ReturnType<typeof editsOf>>): number {
  const start = performance.now();
  loaded.add(table, row);
  loaded.remove(table, row);
  return performance.now() - start;
}

function checkPair(loaded: LoadedEngine, opened: OpenView, view: ViewName, k: number): void {
  const edit = editsOf(view, data)(k);
  loaded.add(edit.table, edit.row);
  expectRows(opened, answerOf(view, withEdit(data, edit)), `after addition ${k}`);
  loaded.remove(edit.table, edit.row);
  expectRows(opened, answerOf(view, data), `after removal ${k}`);
}

function expectRows(opened: OpenView, expected: readonly object[], when: string): void {
  const rows = opened.rows();
  const differing = Array.from({ length: Math.max(rows.length, expected.length) }, (_, i) => i).find(
    (i) => canonical(rows[i]) !== canonical(expected[i]),
  );
  if (differing === undefined) return;
  const [got, wanted] = [rows, expected].map((list) => canonical(list[differing])?.slice(0, 500));
  throw new Error(
    `${when}, row ${differing} of ${rows.length} (${expected.length} expected):\n  ${got}\n  expected ${wanted}`,
  );
}

/** JSON with sorted keys. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function lineOf(
  view: ViewName,
  what: keyof Samples,
  samples: ReadonlyMap<string, Samples>,
  absent: { readonly [name: string]: string },
): Line {
  const sides = Object.fromEntries([...samples].map(([name, own]): [string, Summary] => [name, summarise(own[what])]));
  const ratios = { ...ratiosTo(sides, peers, "to the best peer"), ...ratiosTo(sides, [floor.name], "to by hand") };
  const goal =
    what === "first" ? "" : view === "newest" ? "≤ 0.2 of the best peer, ≤ 10 of by hand" : "≤ 0.2 of the best peer";
  return { workload: "ivm-ladder", variant: `${viewTitles[view]}: ${what}`, unit: "ms", sides, ratios, goal, absent };
}
