// Owns: `npm run soak:kill -- --kills 200 --seed 1 --out result.json`: what test/e2e/kills.e2e.test.ts does, for as long as it is
// wanted. The result file says when, of which commit, and what happened how often.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runKills } from "../kills/run-kills.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string" },
    out: { type: "string", default: `${import.meta.dirname}/kill-result.json` },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const startedMs = Date.now();
console.log(`kill soak: ${values.kills} kills from seed ${seed}`);
const told = await runKills({
  kills: Number(values.kills),
  seed,
  stockRows: 20_000,
  killsPerProfile: 20,
  onProgress: (line) => console.log(line),
});
const isDirty = execFileSync("git", ["status", "--porcelain", "packages/plasma-sync/src"], { encoding: "utf8" }) !== "";
const result = {
  date: new Date(startedMs).toISOString(),
  commit: execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim() + (isDirty ? " and changes" : ""),
  durationMs: Date.now() - startedMs,
  seed,
  ...told,
};
writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
process.exit(told.problems.length > 0 ? 1 : 0);
