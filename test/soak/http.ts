// Owns: `npm run soak:http -- --requests 100000 --seed 1 --out result.json`: the fuzz of the HTTP surface for as long as it is
// wanted, a new server every so many requests, with an eye on the heap.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { HttpFuzz } from "../../packages/plasma-sync/src/server/sync/http-fuzz.fixture.ts";

/** Requests to one server. */
const ROUND = 5000;
/** After so many requests one by one, so many at once. */
const BURST_EVERY = 15;
const BURST = 5;
const FOUND_MAX = 20;
/** What all servers together may leave behind, beyond what the first one did: caches of the runtime. */
const HEAP_GROWTH_BYTES_MAX = 32 * 2 ** 20;

const { values } = parseArgs({
  options: { requests: { type: "string", default: "100000" }, seed: { type: "string" }, out: { type: "string" } },
});
const requests = Number(values.requests);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const out = values.out ?? `${import.meta.dirname}/http-result.json`;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const heapBytes = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

let unhandled = 0;
process.on("unhandledRejection", (error) => {
  unhandled += 1;
  console.log("unhandled rejection", error);
});

const counts = new Map<string, number>();
const found: string[] = [];
const heaps: number[] = [];
const startedMs = Date.now();
console.log(`http soak: ${requests} requests from seed ${seed}`);
let sent = 0;
for (let round = 0; sent < requests && found.length < FOUND_MAX; round++) {
  sent += await runRound(seed + round, Math.min(ROUND, requests - sent));
  heaps.push(heapBytes());
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  console.log(
    `${sent} requests, ${found.length} failed, heap ${Math.round((heaps.at(-1) ?? 0) / 2 ** 20)} MB, ${seconds} s`,
  );
}

const heapGrowthBytes = Math.max(...heaps) - (heaps[0] ?? 0);
const isDirty = execFileSync("git", ["status", "--porcelain", "packages/plasma-sync/src"], { encoding: "utf8" }) !== "";
const result = {
  date: new Date(startedMs).toISOString(),
  commit: execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim() + (isDirty ? " and changes" : ""),
  durationMs: Date.now() - startedMs,
  seeds: [seed, seed + heaps.length - 1],
  requests: sent,
  counts: Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  heapGrowthBytes,
  unhandledRejections: unhandled,
  found,
};
writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
console.log(`${JSON.stringify(result.counts, null, 2)}\n${found.length} failed`);
process.exitCode = found.length > 0 || unhandled > 0 || heapGrowthBytes > HEAP_GROWTH_BYTES_MAX ? 1 : 0;

/** Requests to a server of their own; returns how many were sent. */
async function runRound(roundSeed: number, count: number): Promise<number> {
  // Every third server has an engine without interactive transactions.
  const fuzz = await HttpFuzz.start(roundSeed, { batchOnly: roundSeed % 3 === 0 });
  for (let i = 0; i < count && found.length < FOUND_MAX; i += BURST + BURST_EVERY) {
    for (let alone = 0; alone < BURST_EVERY; alone++) await fuzz.step().catch(report);
    await fuzz.burst(BURST).catch(report);
  }
  await fuzz.end().catch(report);
  for (const [what, times] of fuzz.counts) counts.set(what, (counts.get(what) ?? 0) + times);
  return count;
}

function report(error: unknown): void {
  found.push(error instanceof Error ? error.message : String(error));
  console.log(`\n${found.at(-1)}\n`);
}
