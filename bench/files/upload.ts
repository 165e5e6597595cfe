// Owns: `upload`: how long files take from this device to a server on disk, beside bare `fetch` of the same bytes to the same
// server.
//   node upload.ts [--samples=5] [--json=FILE]

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { fromDirectory, serve } from "plasma-sync/server/node";
import { chromium, type Page } from "playwright-core";
import { build, preview } from "vite";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";
import { printLines } from "../print-lines.ts";
import { ratiosTo, summarise, type Line } from "../summary.ts";
import { mutators, schema, type UploadRequest, type UploadWay } from "./upload-work.ts";

const { values: asked } = parseArgs({
  options: { samples: { type: "string", default: "5" }, json: { type: "string" } },
});
const SAMPLES = Number(asked.samples);
const WAYS: readonly UploadWay[] = ["Plasma", "bare fetch"];
/** As the client does (`limits.uploadsMax`). */
const AT_ONCE = 4;
const VARIANTS = [
  { name: "one file of 50 MB", count: 1, sizeBytes: 50_000_000, goal: "–" },
  { name: "100 files of 100 KB", count: 100, sizeBytes: 100_000, goal: "–" },
];

const folder = mkdtempSync(join(tmpdir(), "plasma-upload-"));
const outDir = join(folder, "page");
const options = { root: import.meta.dirname, configFile: false, logLevel: "error" } as const;
await build({
  ...options,
  build: { outDir, emptyOutDir: true, rollupOptions: { input: join(import.meta.dirname, "upload.html") } },
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
});
const pages = await preview({ ...options, build: { outDir }, preview: { host: "127.0.0.1", port: 0 } });
const pageURL = pages.resolvedUrls?.local[0] ?? "";

const database = new DatabaseSync(join(folder, "app.db"), { timeout: 5000 });
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
const executor = fromNodeSqlite(database);
await ensureSchema({ schema, executor });
const server = await serve({
  schema,
  mutators,
  executor,
  schemaVersion: "1",
  blobs: { default: fromDirectory(join(folder, "files")) },
  cors: { origin: [new URL(pageURL).origin] },
  auth: () => ({ ok: true, clientGroupID: "bench", ctx: null }),
  port: 0,
  hostname: "127.0.0.1",
  handleSignals: false,
});
const context = await chromium.launchPersistentContext(join(folder, "profile"), chromiumLaunchOptions());
try {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error));
  const endpoint = `http://127.0.0.1:${server.port}/sync`;
  await page.goto(`${pageURL}upload.html?${new URLSearchParams({ endpoint })}`);
  const lines: Line[] = [];
  for (const variant of VARIANTS) lines.push(await measure(page, variant));
  printLines(lines);
  if (asked.json !== undefined) writeFileSync(asked.json, JSON.stringify(lines));
} finally {
  await context.close();
  await pages.close();
  await server.close();
  database.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(page: Page, { name, count, sizeBytes, goal }: (typeof VARIANTS)[number]): Promise<Line> {
  const ms = new Map<UploadWay, number[]>(WAYS.map((way) => [way, []]));
  // The first round loads code.
  for (let round = 0; round <= SAMPLES; round++) {
    for (const way of WAYS) {
      const request: UploadRequest = { way, count, sizeBytes, atOnce: AT_ONCE };
      const taken = await page.evaluate((asks) => window.bench.upload(asks), request);
      if (round > 0) ms.get(way)?.push(taken);
    }
    process.stdout.write(".");
  }
  const sides = Object.fromEntries([...ms].map(([way, each]) => [way, summarise(each)]));
  return {
    workload: "upload",
    variant: name,
    unit: "ms",
    sides,
    ratios: ratiosTo(sides, ["bare fetch"], "to bare fetch"),
    goal,
  };
}
