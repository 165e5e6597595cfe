// Owns: `npm run fuzz -- --cases 200000 --seed 1 --out result.json`: the query fuzz for as long as it is wanted.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { incremental, startedAnew } from "./executors.ts";
import { describeCoverage, describePairs, missingPairs, noCoverage, runSeed } from "./run-cases.ts";
import { sqliteExecutor } from "./sqlite-executor.ts";

const FOUND_MAX = 20;
const PROGRESS_MS = 10_000;

const { values } = parseArgs({
  options: { cases: { type: "string", default: "200000" }, seed: { type: "string" }, out: { type: "string" } },
});
const cases = Number(values.cases);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const out = values.out ?? `${import.meta.dirname}/fuzz-result.json`;

const executors = [incremental, sqliteExecutor(), startedAnew];
/** To start each live query anew after every commit takes as long as all else: one case in so many does. */
const ANEW_EVERY = 4;
const coverage = noCoverage();
const found: string[] = [];
const startedMs = Date.now();
console.log(`query fuzz: ${cases} cases from seed ${seed}`);
let saidMs = startedMs;
for (let i = 0; i < cases && found.length < FOUND_MAX; i++) {
  try {
    await runSeed(seed + i, i % ANEW_EVERY === 0 ? executors : executors.slice(0, -1), coverage);
  } catch (error) {
    found.push((error as Error).message);
    console.log(`\n${found.at(-1)}\n`);
  }
  if (Date.now() - saidMs < PROGRESS_MS) continue;
  saidMs = Date.now();
  console.log(`${i + 1} cases, ${found.length} failed, ${Math.round((saidMs - startedMs) / 1000)} s`);
}
const isDirty = execFileSync("git", ["status", "--porcelain", "packages/plasma-sync/src"], { encoding: "utf8" }) !== "";
const result = {
  date: new Date(startedMs).toISOString(),
  commit: execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim() + (isDirty ? " and changes" : ""),
  durationMs: Date.now() - startedMs,
  seed,
  cases: coverage.cases,
  casesWithRows: coverage.withRows,
  commits: coverage.commits,
  commitsAltering: coverage.altering,
  pairsMissing: missingPairs(coverage),
  executors: ["evaluate", ...executors.map(({ name }) => name)],
  found,
};
writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
console.log(`${describeCoverage(coverage)}\n${describePairs(coverage)}\n${found.length} failed`);
process.exitCode = found.length > 0 || result.pairsMissing.length > 0 ? 1 : 0;
