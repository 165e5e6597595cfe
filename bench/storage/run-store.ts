// Owns: `node bench/storage/run-store.ts [runs] [populate|edit|start]`: what the store on IndexedDB costs, in Chromium with a profile on disk.
// The figures stand in docs/storage-layout.md.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";
import { servePage } from "./serve-page.ts";
import type { StoreCase } from "./store-page.ts";

const RUNS = Number(process.argv[2] ?? 3);
const isWanted = (part: string) => (process.argv[3] ?? part) === part;
const server = await servePage("store-page.ts");

/** Bytes of a row, indexes. */
const POPULATE = [
  [1000, 0],
  [1000, 2],
  [100, 2],
] as const;

type Figures = Record<string, number | null | undefined>;

/** Runs one function of the page, in a browser of its own. */
async function inBrowser(profile: string, word: string, args: readonly unknown[]): Promise<Figures> {
  const context = await chromium.launchPersistentContext(profile, { ...chromiumLaunchOptions(), headless: true });
  try {
    const page = await context.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => "store" in globalThis);
    return await page.evaluate(
      ([name, given]) =>
        (globalThis as unknown as { store: Record<string, (...all: unknown[]) => Promise<Figures>> }).store[
          name as string
        ]!(...(given as unknown[])),
      [word, args] as const,
    );
  } finally {
    await context.close();
  }
}

/** The best of several runs, figure by figure: other work on the machine only ever adds. */
async function best(run: () => Promise<Figures>): Promise<string> {
  const all: Figures[] = [];
  for (let i = 0; i < RUNS; i++) all.push(await run());
  const names = Object.keys(all[0] ?? {});
  return names
    .map((name) => {
      const values = all.map((figures) => figures[name]).filter((value) => typeof value === "number");
      return values.length === 0 ? "" : `${name} ${Math.min(...values).toFixed(1)}`;
    })
    .filter((text) => text !== "")
    .join("  ");
}

async function withProfile<T>(work: (profile: string) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), "plasma-store-"));
  try {
    return await work(profile);
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

const say = (what: string, figures: string) => console.log(`${what.padEnd(46)} ${figures}`);
for (const [rowBytes, indexes] of isWanted("populate") ? POPULATE : []) {
  const given: StoreCase = { name: "populate", rowBytes, indexes };
  const run = () => withProfile((profile) => inBrowser(profile, "fill", [given, 10_000, 10_000]));
  const plainly = () => withProfile((profile) => inBrowser(profile, "fillPlainly", [given, 10_000]));
  say(`a record per row, 10k x ${rowBytes} B`, await best(plainly));
  say(`populate 10k x ${rowBytes} B, ${indexes} indexes, one commit`, await best(run));
}
for (const count of isWanted("edit") ? [1000, 64_000] : []) {
  const given: StoreCase = { name: "edit", rowBytes: 1000, indexes: 2 };
  await withProfile(async (profile) => {
    await inBrowser(profile, "fill", [given, count, 8000]);
    say(`one-row commits at ${count / 1000} MB`, await best(() => inBrowser(profile, "edit", [given, count])));
    const folding = () => inBrowser(profile, "edit", [given, count, 2000]);
    say(`the same while 2000 changes are folded`, await best(folding));
  });
}
for (const rowBytes of isWanted("start") ? [1000, 100] : []) {
  const given: StoreCase = { name: "start", rowBytes, indexes: 2 };
  await withProfile(async (profile) => {
    say(
      `first sync of 100k x ${rowBytes} B, 5000 a commit`,
      await best(() => inBrowser(profile, "fill", [{ ...given, name: String(Math.random()) }, 100_000, 5000])),
    );
    await inBrowser(profile, "fill", [given, 100_000, 5000]);
    say(`new page, 100k x ${rowBytes} B`, await best(() => inBrowser(profile, "start", [given, 100_000])));
  });
}
await server.close();
