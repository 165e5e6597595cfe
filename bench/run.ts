// Owns: `npm run bench`: runs every workload in Chromium, Plasma and its peer in turn, checks their answers against each
// other, prints the table and writes results.json.
//   npm run bench                  everything
//   npm run bench -- rebase        these workloads only
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { chromium, type Page } from "playwright-core";
import { createServer } from "vite";
import { chromiumLaunchOptions } from "../scripts/chromium.mjs";
import type { RunRequest, RunResult } from "./page/run-request.ts";
import { workloads, type Workload } from "./workloads.ts";

const ROUNDS = 3; // Plasma, peer, Plasma, peer, …: a drift of the machine's speed meets both.

interface Line {
  readonly workload: string;
  readonly variant: string;
  readonly plasma: Summary;
  readonly peer: Summary | null;
  readonly ratioP50: number | null;
  readonly goal: string;
}

interface Summary {
  readonly p50: number;
  readonly p95: number;
  readonly min: number;
}

const asked = process.argv.slice(2);
const server = await createServer({
  root: import.meta.dirname,
  configFile: false,
  logLevel: "error",
  // No reloads: an edit must not end a run. A finer clock (0.005 ms) for pages that are isolated from others.
  server: {
    port: 0,
    host: "127.0.0.1",
    hmr: false,
    watch: null,
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    fs: { allow: [".."] },
  },
  optimizeDeps: { include: ["replicache"] },
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
});
await server.listen();
const url = server.resolvedUrls?.local[0] ?? "";
const browser = await chromium.launch(chromiumLaunchOptions());

try {
  const lines: Line[] = [];
  for (const workload of workloads) {
    if (asked.length > 0 && !asked.includes(workload.id)) continue;
    for (const variant of workload.variants) lines.push(await measure(workload, variant));
  }
  print(lines);
  if (asked.length === 0) save(lines);
} finally {
  await browser.close();
  await server.close();
}

async function measure(workload: Workload, variant: Workload["variants"][number]): Promise<Line> {
  const samples: { plasma: number[]; peer: number[] } = { plasma: [], peer: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const peer = await runOnce({ workload: workload.id, side: "peer", params: variant.params });
    const plasma = await runOnce({ workload: workload.id, side: "plasma", params: variant.params });
    if (peer.answer !== plasma.answer) {
      throw new Error(
        `${workload.id} ${variant.name}: the answers differ\n  plasma ${plasma.answer}\n  peer   ${peer.answer}`,
      );
    }
    samples.plasma.push(...plasma.ms);
    samples.peer.push(...peer.ms);
    process.stdout.write(".");
  }
  const plasma = summarise(samples.plasma);
  const peer = summarise(samples.peer);
  return {
    workload: workload.id,
    variant: variant.name,
    plasma,
    peer,
    ratioP50: plasma.p50 / peer.p50,
    goal: variant.goal,
  };
}

/** Each run has a page and a database of its own. */
async function runOnce(request: RunRequest): Promise<RunResult> {
  const context = await browser.newContext();
  const page: Page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  try {
    await page.goto(url);
    await page.waitForFunction(() => "runWorkload" in window);
    return await page.evaluate((r) => window.runWorkload(r), request);
  } catch (error) {
    throw new Error(`${request.workload} (${request.side}): ${String(error)} ${problems.join("; ")}`, { cause: error });
  } finally {
    await context.close();
  }
}

function summarise(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { p50: at(0.5), p95: at(0.95), min: at(0) };
}

function print(lines: readonly Line[]): void {
  const ms = ({ p50, p95, min }: Summary) => `${p50.toFixed(2)} / ${p95.toFixed(2)} / ${min.toFixed(2)}`;
  console.log("\n\nms: p50 / p95 / min; ratio: Plasma's p50 to the peer's in this run, answers equal\n");
  for (const { workload, variant, plasma, peer, ratioP50, goal } of lines) {
    const right = peer === null ? "" : `  peer ${ms(peer).padEnd(24)} ratio ${ratioP50?.toFixed(2)}`;
    console.log(`${workload.padEnd(10)} ${variant.padEnd(44)} plasma ${ms(plasma).padEnd(24)}${right}  (goal ${goal})`);
  }
}

function save(lines: readonly Line[]): void {
  const machine = {
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    chromium: browser.version(),
    node: process.version,
  };
  const results = { date: new Date().toISOString().slice(0, 10), machine, rounds: ROUNDS, lines };
  writeFileSync(`${import.meta.dirname}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
}
