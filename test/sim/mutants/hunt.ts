// Owns: the hunt for planted bugs: each is tried on seeds, in processes of its own, until one of them finds it.
//   node test/sim/mutants/hunt.ts                 all, each up to 500 seeds; a table of what found it
//   node test/sim/mutants/hunt.ts no-dedupe …     these
//   … --record                                    writes seeds.json, from which the test takes seeds that find them

import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { bugs } from "./bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Where a bug shows. */
export interface Lair {
  readonly world: World;
  readonly seed: number;
}
export interface Find extends Lair {
  readonly violation: string;
}
type World = "trial" | "generated";

/** As the issue asks. */
const SEEDS_MAX = 500;
/** Seeds of one process: few, so that a bug that makes a run hang costs one bound. */
const SEEDS_PER_PROCESS = 25;
const PROCESS_MS_MAX = 120_000;
const SEEDS_FILE = new URL("seeds.json", import.meta.url);
const PLANT = new URL("plant.ts", import.meta.url).pathname;
const TRY_SEEDS = new URL("try-seeds.ts", import.meta.url).pathname;

const runFile = promisify(execFile);

/** By the bug's name: where an earlier hunt has found it. */
export const recorded = (): { [name: string]: Lair } =>
  JSON.parse(readFileSync(SEEDS_FILE, "utf8")) as { [name: string]: Lair };

/** Tries the seeds with the bug planted, or without one. Null: nothing was found. */
export async function trySeeds(bug: PlantedBug | null, world: World, seeds: readonly number[]): Promise<Find | null> {
  const plant = bug === null ? [] : ["--import", PLANT];
  try {
    const { stdout } = await runFile(process.execPath, [...plant, TRY_SEEDS, world, ...seeds.map(String)], {
      env: { ...process.env, PLANTED_BUG: bug?.name ?? "" },
      timeout: PROCESS_MS_MAX,
    });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") as Find | null;
  } catch (error) {
    const { killed, stderr, message } = error as { killed?: boolean; stderr?: string; message: string };
    const why = killed === true ? "it did not end" : (stderr ?? message).trim().slice(0, 500);
    // Which of the seeds it was is not known.
    return { world, seed: seeds[0] ?? 0, violation: `a run failed: ${why}` };
  }
}

/** The first seed at which one of the two worlds shows the bug, and nothing without it. */
async function search(bug: PlantedBug): Promise<Find | null> {
  for (let first = 1; first <= SEEDS_MAX; first += SEEDS_PER_PROCESS) {
    const seeds = Array.from({ length: SEEDS_PER_PROCESS }, (_, i) => first + i);
    const found = (await searchIn(bug, "trial", seeds)) ?? (await searchIn(bug, "generated", seeds));
    if (found !== null) return found;
  }
  return null;
}

async function searchIn(bug: PlantedBug, world: World, seeds: readonly number[]): Promise<Find | null> {
  let left = seeds;
  while (left.length > 0) {
    const found = await trySeeds(bug, world, left);
    if (found === null || (await trySeeds(null, world, [found.seed])) === null) return found;
    left = left.slice(left.indexOf(found.seed) + 1);
  }
  return null;
}

async function main(args: readonly string[]): Promise<void> {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const wanted = names.length === 0 ? bugs : bugs.filter(({ name }) => names.includes(name));
  const lairs = recorded();
  for (const bug of wanted) {
    const found = await search(bug);
    const where = found === null ? "-" : `${found.world} ${found.seed}`;
    console.log(`${bug.name.padEnd(34)} ${where.padEnd(14)} ${found?.violation.slice(0, 120) ?? "NOT FOUND"}`);
    if (found === null) process.exitCode = 1;
    else lairs[bug.name] = { world: found.world, seed: found.seed };
  }
  if (args.includes("--record")) writeFileSync(SEEDS_FILE, `${JSON.stringify(lairs, null, 2)}\n`);
}

if (import.meta.main) await main(process.argv.slice(2));
