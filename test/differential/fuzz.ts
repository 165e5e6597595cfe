// Owns: `npm run fuzz`: many more generated queries than the tests run, with progress, and a result file that is committed.
//   npm run fuzz -- [--cases 200000] [--seed 1]

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { describeCoverage, missingPairs, noCoverage, runCase } from "./run-cases.ts";
import { sqliteFollower } from "./sqlite-follower.ts";

const { values: options } = parseArgs({
  options: { cases: { type: "string", default: "200000" }, seed: { type: "string", default: "1" } },
});
const cases = Number(options.cases);
/** Far from the seeds of the tests. */
const firstSeed = Number(options.seed) * 1_000_000_007;
const PROGRESS_EVERY = 5000;

/** What is tested: read before, because the run is long. */
const commit = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
const coverage = noCoverage();
const found: string[] = [];
const start = performance.now();
const sqlite = sqliteFollower();
for (let i = 0; i < cases; i++) {
  try {
    await runCase(firstSeed + i, [sqlite], coverage);
  } catch (error) {
    found.push(error instanceof Error ? error.message : String(error));
    console.error(found.at(-1));
  }
  if ((i + 1) % PROGRESS_EVERY === 0)
    console.log(
      `${i + 1} of ${cases} cases, ${((performance.now() - start) / 1000).toFixed(0)} s, ${found.length} found`,
    );
}
const seconds = Math.round((performance.now() - start) / 1000);
console.log(describeCoverage(coverage));
const result = {
  date: new Date().toISOString().slice(0, 10),
  commit,
  seconds,
  executors: ["evaluate", "live", "select", "deltas", "SQLite"],
  firstSeed,
  cases: coverage.cases,
  withRows: coverage.withRows,
  commits: coverage.commits,
  alteringCommits: coverage.altering,
  missingPairs: missingPairs(coverage),
  found,
};
writeFileSync(new URL("./fuzz-result.json", import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
process.exit(found.length > 0 ? 1 : 0);
