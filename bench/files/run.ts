// Owns: `files`: how long a large file takes to be hashed and stored by `mutate`, beside bare hashing, and how long it keeps the
// page's thread from drawing meanwhile.
//   node run.ts [--megabytes=200] [--samples=3] [--json=FILE]

import { randomFillSync } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium, type CDPSession, type Page } from "playwright-core";
import { build, preview } from "vite";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";
import { printLines } from "../print-lines.ts";
import { ratiosTo, summarise, type Line } from "../summary.ts";
import type { Way } from "./page.ts";

const { values: asked } = parseArgs({
  options: {
    megabytes: { type: "string", default: "200" },
    samples: { type: "string", default: "3" },
    json: { type: "string" },
  },
});
const MEGABYTES = Number(asked.megabytes);
const SAMPLES = Number(asked.samples);
const WAYS: readonly Way[] = [
  "Plasma",
  "platform digest, whole file in memory",
  "hash in pieces on the page, nothing stored",
];

const folder = mkdtempSync(join(tmpdir(), "plasma-files-"));
const outDir = join(folder, "page");
const options = { root: import.meta.dirname, configFile: false, logLevel: "error" } as const;
await build({
  ...options,
  build: { outDir, emptyOutDir: true },
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
});
const server = await preview({ ...options, build: { outDir }, preview: { host: "127.0.0.1", port: 0 } });
// A profile on disk: without one IndexedDB lies in memory.
const context = await chromium.launchPersistentContext(join(folder, "profile"), chromiumLaunchOptions());
try {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(server.resolvedUrls?.local[0] ?? "");
  await page.setInputFiles("#picked", filmOf(MEGABYTES));
  const lines = await measure(page, await context.newCDPSession(page));
  printLines(lines);
  if (asked.json !== undefined) writeFileSync(asked.json, JSON.stringify(lines));
} finally {
  await context.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** A file of random bytes, so that nothing is compressed on its way. */
function filmOf(megabytes: number): string {
  const path = join(folder, "film.bin");
  const file = openSync(path, "w");
  const piece = Buffer.alloc(1_000_000);
  for (let i = 0; i < megabytes; i++) writeSync(file, randomFillSync(piece));
  closeSync(file);
  return path;
}

async function measure(page: Page, session: CDPSession): Promise<Line[]> {
  const ms = new Map<string, number[]>(WAYS.map((way) => [way, []]));
  const longest = new Map<string, number[]>(WAYS.map((way) => [way, []]));
  const hashes = new Set<string>();
  // The first round loads code and fills the system's file cache.
  for (let round = 0; round <= SAMPLES; round++) {
    for (const way of WAYS) {
      const { taken, taskMs } = await traced(session, () => page.evaluate((w) => window.bench.take(w), way));
      hashes.add(taken.hash);
      if (round === 0) continue;
      ms.get(way)?.push(taken.ms);
      longest.get(way)?.push(Math.max(...taskMs));
    }
    process.stdout.write(".");
  }
  if (hashes.size !== 1) throw new Error(`the hashes differ: ${[...hashes].join(", ")}`);
  const sidesOf = (samples: ReadonlyMap<string, number[]>) =>
    Object.fromEntries([...samples].map(([way, each]) => [way, summarise(each)]));
  const sides = sidesOf(ms);
  const [, digest = "", pieces = ""] = WAYS;
  const ratios = { ...ratiosTo(sides, [digest], "to the digest"), ...ratiosTo(sides, [pieces], "to pieces") };
  const line = { workload: "files", unit: "ms" };
  return [
    { ...line, variant: `hash and store ${MEGABYTES} MB`, sides, ratios, goal: "p50 ≤ 1.5 to pieces" },
    {
      ...line,
      variant: `longest task on the page's thread, ${MEGABYTES} MB (its own CPU time)`,
      sides: sidesOf(longest),
      ratios: {},
      goal: "≤ 50 ms",
    },
  ];
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  /** Microseconds of the thread's own time: what else the machine does is not in it. */
  readonly tdur?: number;
}

/** Runs, and tells how long each task of the page's thread took between the marks that the page sets. */
async function traced<T>(session: CDPSession, run: () => Promise<T>): Promise<{ taken: T; taskMs: number[] }> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: object[] }) => events.push(...(value as TraceEvent[]));
  session.on("Tracing.dataCollected", collect);
  const includedCategories = ["toplevel", "disabled-by-default-devtools.timeline", "blink.user_timing"];
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories } });
  const taken = await run();
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  session.off("Tracing.dataCollected", collect);
  const [begin, end] = ["bench-begin", "bench-end"].map((name) => events.find((event) => event.name === name));
  if (begin === undefined || end === undefined) throw new Error("the trace has no marks");
  const taskMs = events
    .filter(({ name, ph, pid, tid }) => ph === "X" && name === "RunTask" && pid === begin.pid && tid === begin.tid)
    .filter(({ ts }) => ts > begin.ts && ts < end.ts)
    .map(({ tdur = 0 }) => tdur / 1000);
  return { taken, taskMs };
}
