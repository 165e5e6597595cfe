// Owns: `npm run sim -- --seeds 10000 --from 1 --out result.json`: many runs, on all cores; the first runs that fail are printed
// small; the counts of everything that occurred stand in the result.
// Invariants:
//   1. A run in which a fault or a branch of the protocol occurred too seldom has failed: it proves nothing of that.

import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { COUNT_MIN, missing, REQUIRED } from "./coverage.ts";
import { regressions } from "./regressions.ts";
import { runScript, runSeed } from "./run-seed.ts";
import { showScript, showTrace } from "./show-run.ts";
import { shrinkScript } from "./shrink.ts";

const PROCESSES = 2;
const BATCH = 10;
/** Failed runs that are shrunk and printed; after these the rest is not run. */
const FOUND_MAX = 20;
const SHOWN_MAX = 3;
const PROGRESS_MS = 15_000;
/** From so many seeds on, every fault and branch must have occurred. */
const COVERED_SEEDS_MIN = 1000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
    /** Stops after so long, with as many seeds as it came to. */
    minutes: { type: "string", default: "600" },
    out: { type: "string", default: `${import.meta.dirname}/result.json` },
    /** Set by this program for its children. */
    every: { type: "string" },
  },
});

/** What a child says of some of its seeds. */
interface Report {
  readonly seeds: number;
  readonly virtualMs: number;
  readonly counts: readonly (readonly [string, number])[];
  readonly found: readonly { readonly seed: number; readonly violation: string }[];
}

const from = Number(values.from);
const seeds = Number(values.seeds);
if (values.every === undefined) await runAll();
else await runEvery(Number(values.every));

/** A child: every so many seeds. */
async function runEvery(every: number): Promise<void> {
  let report = { seeds: 0, virtualMs: 0, counts: new Map<string, number>(), found: [] as Report["found"][number][] };
  const say = () => {
    process.stdout.write(`${JSON.stringify({ ...report, counts: [...report.counts] })}\n`);
    report = { seeds: 0, virtualMs: 0, counts: new Map(), found: [] };
  };
  for (let seed = from; seed < from + seeds; seed += every) {
    const { violation, coverage, virtualMs } = await runSeed(seed);
    report.seeds += 1;
    report.virtualMs += virtualMs;
    for (const [name, count] of coverage) report.counts.set(name, (report.counts.get(name) ?? 0) + count);
    if (violation !== null) report.found.push({ seed, violation });
    if (report.seeds >= BATCH) say();
  }
  say();
}

async function runAll(): Promise<void> {
  const startedMs = Date.now();
  const endMs = startedMs + Number(values.minutes) * 60_000;
  const total = { seeds: 0, virtualMs: 0, counts: new Map<string, number>(), found: [] as Report["found"][number][] };
  for (const { seed, what, isPlain } of regressions) {
    const { violation } = await runSeed(seed, isPlain);
    if (violation !== null) total.found.push({ seed, violation: `again, ${what}: ${violation}` });
  }
  console.log(`sim: ${regressions.length} regressions, then ${seeds} seeds from ${from}`);
  let saidMs = startedMs;
  const take = (report: Report) => {
    total.seeds += report.seeds;
    total.virtualMs += report.virtualMs;
    for (const [name, count] of report.counts) total.counts.set(name, (total.counts.get(name) ?? 0) + count);
    total.found.push(...report.found);
    for (const { seed, violation } of report.found) console.log(`seed ${seed}: ${violation.slice(0, 1000)}`);
    if (Date.now() - saidMs < PROGRESS_MS) return;
    saidMs = Date.now();
    const seconds = Math.round((saidMs - startedMs) / 1000);
    console.log(`${total.seeds} seeds, ${total.found.length} failed, ${seconds} s`);
  };
  const children = Array.from({ length: PROCESSES }, (_, i) =>
    child(i, take, () => total.found.length >= FOUND_MAX || Date.now() > endMs),
  );
  await Promise.all(children);
  for (const { seed, violation } of total.found.slice(0, SHOWN_MAX)) await show(seed, violation);
  const lacking = seeds >= COVERED_SEEDS_MIN ? missing(total.counts) : [];
  write({ ...total, startedMs, lacking });
  console.log(
    [...total.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name}: ${count}`)
      .join("\n"),
  );
  if (lacking.length > 0) console.log(`\nToo seldom (${COUNT_MIN} are asked for):\n${lacking.join("\n")}`);
  console.log(
    `\n${total.seeds} seeds, ${total.found.length} failed, ${((Date.now() - startedMs) / total.seeds).toFixed(0)} ms each`,
  );
  process.exitCode = total.found.length > 0 || lacking.length > 0 || total.seeds < seeds ? 1 : 0;
}

function child(index: number, take: (report: Report) => void, isEnough: () => boolean): Promise<void> {
  const args = ["--every", String(PROCESSES), "--from", String(from + index), "--seeds", String(seeds - index)];
  const running = spawn(process.execPath, [...process.execArgv, import.meta.filename, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: running.stdout });
  lines.on("line", (line) => {
    take(JSON.parse(line) as Report);
    if (isEnough()) running.kill();
  });
  return new Promise((resolve) => void running.on("close", () => resolve()));
}

/** Prints the failed run as small as it gets. */
async function show(seed: number, violation: string): Promise<void> {
  const { script } = await runSeed(seed);
  const small = await shrinkScript(script, violation);
  const result = await runScript(small);
  console.log(`\n── seed ${seed}: ${result.violation ?? violation}\n${showScript(small)}\n\n${showTrace(result)}\n`);
}

interface Total extends Omit<Report, "counts"> {
  readonly counts: ReadonlyMap<string, number>;
  readonly startedMs: number;
  readonly lacking: readonly string[];
}

function write({ seeds: done, virtualMs, counts, found, startedMs, lacking }: Total): void {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  const isDirty = git("status", "--porcelain", "packages/plasma-sync/src", "test/sim/*.ts") !== "";
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const required = new Set(REQUIRED);
  const result = {
    date: new Date(startedMs).toISOString(),
    commit: git("rev-parse", "HEAD") + (isDirty ? " and changes" : ""),
    from,
    seeds: done,
    failed: found.length,
    virtualHours: Math.round(virtualMs / 36_000) / 100,
    wallSeconds: Math.round((Date.now() - startedMs) / 1000),
    processes: PROCESSES,
    found,
    lacking,
    required: Object.fromEntries(sorted.filter(([name]) => required.has(name))),
    others: Object.fromEntries(sorted.filter(([name]) => !required.has(name))),
  };
  writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
}
