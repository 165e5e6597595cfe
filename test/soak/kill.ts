// Owns: `npm run soak:kill -- --kills 200 --seed 1`: what test/e2e/kills.e2e.test.ts does, for as long as it is wanted.

import { parseArgs } from "node:util";
import { runKills } from "../kills/run-kills.ts";

const { values } = parseArgs({
  options: {
    per: { type: "string", default: "20" },
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
  },
});
const result = await runKills({
  kills: Number(values.kills),
  seed: Number(values.seed),
  stockRows: 20_000,
  killsPerProfile: Number(values.per),
  onProgress: (line) => console.log(line),
});
console.log(JSON.stringify(result, null, 2));
process.exitCode = result.problems.length > 0 ? 1 : 0;
