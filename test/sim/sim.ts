// Owns: `npm run sim -- --seeds 10000 --from 1`.
import { parseArgs } from "node:util";
import { runSeed } from "./run-seed.ts";
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
  },
});
const counts = new Map<string, number>();
const t0 = Date.now();
let bad = 0;
const from = Number(values.from);
for (let seed = from; seed < from + Number(values.seeds); seed++) {
  const s0 = Date.now();
  const result = await runSeed(seed);
  for (const [k, v] of result.coverage) counts.set(k, (counts.get(k) ?? 0) + v);
  if (result.violation !== null) {
    bad += 1;
    console.log(`seed ${seed} (${result.script.engine}): ${result.violation.slice(0, 600)}`);
    if (values.trace)
      for (const { ms, who, what } of result.trace)
        console.log(`${String(ms).padStart(7)} ${who.padEnd(8)} ${what.slice(0, 400)}`);
  }
  if (Date.now() - s0 > 5000) console.log(`seed ${seed} took ${Date.now() - s0} ms`);
}
console.log(
  [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${k}: ${v}`)
    .join("\n"),
);
console.log(`${bad} bad; ${(Date.now() - t0) / Number(values.seeds)} ms per run`);
