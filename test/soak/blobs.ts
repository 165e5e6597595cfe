// Owns: `npm run soak:blobs -- --steps 100000 --seed 1`: the fuzz of files for as long as it is wanted, a new server every so
// many steps. Prints what happened how often, and what failed with its seed.

import { parseArgs } from "node:util";
import { BlobFuzz } from "../../packages/plasma-sync/src/server/blob/blob-fuzz.fixture.ts";
import { batchOnly, memoryDatabase } from "../../packages/plasma-sync/src/server/sync/memory-database-node.fixture.ts";

/** Steps on one server. */
const ROUND = 1000;

const { values } = parseArgs({ options: { steps: { type: "string", default: "100000" }, seed: { type: "string" } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const counts = new Map<string, number>();
let failed = 0;
for (let round = 0; round * ROUND < Number(values.steps); round++) {
  // Every third server has an engine without interactive transactions.
  const fuzz = new BlobFuzz(seed + round, round % 3 === 2 ? batchOnly(memoryDatabase()) : memoryDatabase());
  try {
    for (let step = 0; step < ROUND; step++) await fuzz.step();
    await fuzz.end();
  } catch (error) {
    failed += 1;
    console.log(`seed ${seed + round}: ${String(error)}`);
  }
  for (const [what, times] of fuzz.counts) counts.set(what, (counts.get(what) ?? 0) + times);
}
console.log(Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))));
console.log(`${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
