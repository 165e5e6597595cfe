// Owns: `memory`: what an engine retains for 100k small rows and three live queries.
//   node --expose-gc run-memory.ts [--json=file]        everything, each engine in a process of its own
//   node --expose-gc run-memory.ts --engine=Plasma      one sample on stdout, as JSON
// A sample is the heap after garbage collection with the engine's modules loaded, subtracted from the heap after garbage
// collection with the rows and the three views in it. The rows are made in between and given away: engines that keep the
// objects that they are given, and all of these do, have them in their figure. "rows alone" is a plain array of the rows.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { printLines } from "../print-lines.ts";
import { ratiosTo, summarise, type Line } from "../summary.ts";
import { answerOf, createItems, expectItems, type Item, type QueryName } from "./items.ts";
import type { ItemEngine, ItemStore, OpenItems } from "./store.ts";

const ROUNDS = 3;
const GC_ROUNDS = 4; // What a finalizer or weak reference frees, the next collection finds.
const queries: readonly QueryName[] = ["undone", "list", "newest"];
const sides = ["Plasma", "TanStack DB", "ZQL", "rows alone"] as const;
type Side = (typeof sides)[number];
const engineOf: { readonly [side in Side]: () => Promise<ItemEngine> } = {
  Plasma: async () => (await import("./plasma.ts")).plasma,
  "TanStack DB": async () => (await import("./tanstack.ts")).tanstack,
  ZQL: async () => (await import("./zql.ts")).zql,
  "rows alone": () => Promise.resolve(rowsAlone),
};

const rowsAlone: ItemEngine = {
  name: "rows alone",
  deliveries: ["rows"],
  start: (items) => {
    const kept = [...items];
    return {
      open: (query) => ({ rows: () => answerOf(query, kept) }),
      update: (before, after) => void (kept[kept.findIndex(({ id }) => id === before.id)] = after),
    };
  },
};

const { values: options } = parseArgs({ options: { engine: { type: "string" }, json: { type: "string" } } });
if (options.engine === undefined) measureAll();
else console.log(JSON.stringify(await measure(options.engine as Side)));
process.exit(0); // Engines keep timers.

function measureAll(): void {
  const samples = new Map<string, number[]>(sides.map((side) => [side, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of sides) {
      const args = ["--expose-gc", import.meta.filename, `--engine=${side}`];
      samples.get(side)?.push(Number(execFileSync(process.execPath, args, { encoding: "utf8" })));
      process.stdout.write(".");
    }
  }
  const figures = Object.fromEntries([...samples].map(([side, megabytes]) => [side, summarise(megabytes)]));
  const line: Line = {
    workload: "memory",
    variant: "100k rows, 3 live queries",
    unit: "MB",
    sides: figures,
    ratios: { ...ratiosTo(figures, ["TanStack DB", "ZQL"], "to the smaller peer") },
    goal: "≤ 1.0",
  };
  if (options.json === undefined) printLines([line]);
  else writeFileSync(options.json, JSON.stringify([line]));
}

/** Megabytes retained. */
async function measure(side: Side): Promise<number> {
  const engine = await engineOf[side]();
  warmUp(engine);
  const before = await retainedBytes();
  const held = fill(engine, parsedItems());
  const after = await retainedBytes();
  check(held, side);
  return (after - before) / 1e6;
}

/** So that compiled code and lazily made tables are there before. */
function warmUp(engine: ItemEngine): void {
  fill(engine, parsedItems().slice(0, 1_000));
}

/** Rows as they come from a server or a store: strings made by concatenation would take room of their own. */
function parsedItems(): Item[] {
  return JSON.parse(JSON.stringify(createItems())) as Item[];
}

interface Held {
  readonly store: ItemStore;
  readonly opened: ReadonlyMap<QueryName, OpenItems>;
}

function fill(engine: ItemEngine, items: readonly Item[]): Held {
  const store = engine.start(items, ["done", "listId", "rank", "at"]);
  return { store, opened: new Map(queries.map((query) => [query, store.open(query, "rows")])) };
}

/** Also that everything is alive still: an update must arrive. */
function check({ store, opened }: Held, side: string): void {
  const items = createItems();
  const before = answerOf("undone", items)[3] as Item;
  const after = { ...before, text: "Text that came later" };
  for (const isUpdated of [false, true]) {
    if (isUpdated) {
      store.update(before, after);
      items[items.findIndex(({ id }) => id === after.id)] = after;
    }
    for (const [query, { rows }] of opened) expectItems(rows(), answerOf(query, items), `${side}, ${query}`);
  }
}

async function retainedBytes(): Promise<number> {
  for (let i = 0; i < GC_ROUNDS; i++) {
    globalThis.gc?.();
    await delay(20);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
