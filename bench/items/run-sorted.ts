// Owns: `sorted-100k`: one row of a sorted collection of 100k, with a window without limit, is updated.
//   node --expose-gc run-sorted.ts [--quick] [--json=file]
// A sample is one update, until the listener has been handed what it asked for: the rows as an array ("rows"), or what changed
// ("changes"). The row's text changes and it stays where it is, or its rank does and it moves to a place far off. In the end
// what each listener knows is compared with plain JavaScript.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { printLines } from "../print-lines.ts";
import { ratiosTo, summarise, type Line } from "../summary.ts";
import { answerOf, createItems, expectItems, ITEMS, STEP, type Item } from "./items.ts";
import { plasma } from "./plasma.ts";
import type { Delivery, ItemEngine, ItemStore } from "./store.ts";
import { tanstack } from "./tanstack.ts";
import { zql } from "./zql.ts";

const { values: options } = parseArgs({ options: { quick: { type: "boolean" }, json: { type: "string" } } });
const ROUNDS = options.quick ? 1 : 3;
const WARMUP = { updates: 200, ms: options.quick ? 500 : 2_000 };
const MEASURED = { updates: 300, ms: options.quick ? 1_000 : 4_000 }; // Whichever is reached first.
const engines: readonly ItemEngine[] = [tanstack, zql, plasma];
const deliveries: readonly Delivery[] = ["rows", "changes"];
const kinds = { text: "text changes", rank: "rank changes" } as const;
type Kind = keyof typeof kinds;

let updates = 0;
const lines: Line[] = [];
for (const delivery of deliveries) lines.push(...measure(delivery));
if (options.json === undefined) printLines(lines);
else writeFileSync(options.json, JSON.stringify(lines));
process.exit(0); // Engines keep timers.

function measure(delivery: Delivery): Line[] {
  const samples = { text: new Map<string, number[]>(), rank: new Map<string, number[]>() };
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of engines.filter((e) => e.deliveries.includes(delivery))) {
      runRound(engine, delivery, (kind, ms) => {
        samples[kind].set(engine.name, [...(samples[kind].get(engine.name) ?? []), ...ms]);
      });
      process.stdout.write(".");
    }
  }
  return (Object.keys(kinds) as Kind[]).map((kind) => {
    const sides = Object.fromEntries([...samples[kind]].map(([name, ms]) => [name, summarise(ms)]));
    const ratios = { ...ratiosTo(sides, [tanstack.name], "to TanStack DB"), ...ratiosTo(sides, [zql.name], "to ZQL") };
    const variant = `${kinds[kind]}, listener gets ${delivery}`;
    return { workload: "sorted-100k", variant, unit: "ms", sides, ratios, goal: "≤ 0.1 p50, ≤ 0.1 p95" };
  });
}

function runRound(engine: ItemEngine, delivery: Delivery, note: (kind: Kind, ms: readonly number[]) => void): void {
  const items = createItems();
  const store = engine.start(items, []);
  const opened = store.open("all", delivery);
  globalThis.gc?.();
  for (const kind of Object.keys(kinds) as Kind[]) {
    updateSome(store, items, kind, WARMUP);
    note(kind, updateSome(store, items, kind, MEASURED));
  }
  expectItems(opened.rows(), answerOf("all", items), `${engine.name}, ${delivery}`);
}

function updateSome(store: ItemStore, items: Item[], kind: Kind, bound: typeof MEASURED): number[] {
  const ms: number[] = [];
  const endMs = performance.now() + bound.ms;
  while (ms.length < bound.updates && performance.now() < endMs) ms.push(update(store, items, kind, updates++));
  return ms;
}

/** Update number `k`: of rows spread over the collection. */
function update(store: ItemStore, items: Item[], kind: Kind, k: number): number {
  const i = (k * 7_717) % ITEMS;
  const before = items[i] as Item;
  // Half a step and a k-th besides any rank: no two are equal.
  const rank = (items[(i * 31 + 17) % ITEMS] as Item).rank + STEP / 2 + k / STEP;
  const after = kind === "text" ? { ...before, text: `Text ${k} of ${before.id}` } : { ...before, rank };
  items[i] = after;
  const start = performance.now();
  store.update(before, after);
  return performance.now() - start;
}
