// Owns: `npm run soak:tabs -- --minutes 10 --seed 1 --out result.json`: five tabs of one browser, used at random, one seed after
// another for so long. The result file says when, of which commit, and what happened how often.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { playTabs, type TabsResult } from "./play-tabs.ts";

/** Of one seed. */
const CALM_MS = 20_000;
const WILD_MS = 100_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    out: { type: "string", default: `${import.meta.dirname}/result.json` },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const startedMs = Date.now();
const endMs = startedMs + Number(values.minutes) * 60_000;
const results: TabsResult[] = [];
const failed: string[] = [];
console.log(`tabs soak: ${values.minutes} minutes from seed ${seed}`);
for (let next = seed; Date.now() < endMs; next += 1) {
  try {
    const result = await playTabs({ seed: next, calmMs: CALM_MS, wildMs: WILD_MS });
    results.push(result);
    console.log(JSON.stringify(result));
  } catch (error) {
    failed.push(String(error).split("\n", 4).join("\n"));
    console.log(error instanceof Error ? error.message : error);
  }
}

const sum = (of: "resolved" | "rows" | "pushes" | "repeated" | "steals" | "reigns") =>
  results.reduce((total, result) => total + result[of], 0);
const isDirty = execFileSync("git", ["status", "--porcelain", "packages/plasma-sync/src"], { encoding: "utf8" }) !== "";
const result = {
  date: new Date(startedMs).toISOString(),
  commit: execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim() + (isDirty ? " and changes" : ""),
  durationMs: Date.now() - startedMs,
  seeds: results.map((each) => each.seed),
  promised: sum("resolved"),
  unanswered: total(results.map((each) => each.unanswered)),
  rows: sum("rows"),
  pushes: sum("pushes"),
  /** Each after a lost answer or a steal: else the seed has failed. */
  repeatedPushes: sum("repeated"),
  locksTaken: sum("steals"),
  reigns: sum("reigns"),
  steps: total(results.map((each) => each.steps)),
  failed,
};
writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
console.log(`${results.length} seeds passed, ${failed.length} failed`);
process.exit(failed.length > 0 || results.length === 0 ? 1 : 0);

/** Counts of all, by name. */
function total(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const [name, times] of counts.flatMap((each) => Object.entries(each)))
    totals[name] = (totals[name] ?? 0) + times;
  return totals;
}
