// Owns: `node bench/storage/run-layout.ts`: how large a page of rows should be. Chromium with a profile on disk; each case in
// three fresh databases, the best of three, as other work on the machine only ever adds.
// The figures stand in docs/storage-layout.md.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext } from "playwright-core";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";
import type { LayoutCase, LayoutTimes } from "./layout-page.ts";
import { servePage } from "./serve-page.ts";

const cases: LayoutCase[] = [
  ...[100, 1000].flatMap((rowBytes) =>
    [1, 16, 32, 64, 128, 256, 512, 1024].map((rowsPerPage): LayoutCase => ({ rowsPerPage, rowBytes, form: "rows" })),
  ),
  { rowsPerPage: 64, rowBytes: 1000, form: "json" },
  { rowsPerPage: 256, rowBytes: 1000, form: "json" },
];
const RUNS = 3;

interface PageWords {
  readonly layout: {
    write(layout: LayoutCase): Promise<number>;
    read(layout: LayoutCase): Promise<Omit<LayoutTimes, "write">>;
  };
}

async function openPage(context: BrowserContext, url: string) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => "layout" in globalThis);
  return page;
}

async function measure(url: string, layout: LayoutCase): Promise<LayoutTimes> {
  const profile = mkdtempSync(join(tmpdir(), "plasma-layout-"));
  const options = { ...chromiumLaunchOptions(), headless: true };
  try {
    const writer = await chromium.launchPersistentContext(profile, options);
    const write = await (
      await openPage(writer, url)
    ).evaluate((given) => (globalThis as unknown as PageWords).layout.write(given), layout);
    await writer.close();
    const reader = await chromium.launchPersistentContext(profile, options);
    const times = await (
      await openPage(reader, url)
    ).evaluate((given) => (globalThis as unknown as PageWords).layout.read(given), layout);
    await reader.close();
    return { write, ...times };
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

const server = await servePage("layout-page.ts");
console.log("bytes/row  rows/page  form   write  read all  read one  100 random  rewrite one   (ms)");
for (const layout of cases) {
  const runs: LayoutTimes[] = [];
  for (let i = 0; i < RUNS; i++) runs.push(await measure(server.url, layout));
  const best = (key: keyof LayoutTimes): string => Math.min(...runs.map((run) => run[key])).toFixed(1);
  const cells = [
    [String(layout.rowBytes), 9],
    [String(layout.rowsPerPage), 10],
    [` ${layout.form}`, 6],
    [best("write"), 7],
    [best("readAll"), 9],
    [best("readOne"), 9],
    [best("read100"), 11],
    [best("rewriteOne"), 12],
  ] as const;
  console.log(cells.map(([text, width]) => text.padStart(width)).join(" "));
}
await server.close();
