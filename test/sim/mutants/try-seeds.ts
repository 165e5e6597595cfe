// Owns: a child of the hunt: runs the seeds that it is given, in the process in which a bug may be planted, and prints one line
// of JSON: the first seed that found something and what, or null.
//   try-seeds.ts trial 1 2 3        in the small world of this folder
//   try-seeds.ts generated 1 2 3    in the generated worlds of `npm run sim`

import { runSeed } from "../run-seed.ts";
import { tryRun } from "./trial-run.ts";

// A planted bug may well leave a promise that nobody awaits: that is found by what follows from it.
process.on("unhandledRejection", () => undefined);

const [world, ...seeds] = process.argv.slice(2);

const violationOf = async (seed: number): Promise<string | null> =>
  world === "trial" ? ((await tryRun(seed))[0] ?? null) : (await runSeed(seed)).violation;

for (const seed of seeds.map(Number)) {
  const violation = await violationOf(seed);
  if (violation === null) continue;
  console.log(JSON.stringify({ world, seed, violation }));
  process.exit(0);
}
console.log("null");
process.exit(0);
