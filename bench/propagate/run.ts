// Owns: `propagate`: how long a mutation in one page takes to be delivered by a live query of another: between two browsers, and
// between two tabs of one, beside polling and beside a bare socket and a bare channel.
//   node run.ts [--samples=200] [--json=FILE]

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { build } from "vite";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";
import { printLines } from "../print-lines.ts";
import { ratiosTo, summarise, type Line } from "../summary.ts";
import type { OpenRequest, Way } from "./work.ts";

const { values: asked } = parseArgs({
  options: { samples: { type: "string", default: "200" }, json: { type: "string" } },
});
const SAMPLES = Number(asked.samples);
/** A poll's sample takes half a second: fewer tell as much. */
const POLL_SAMPLES = Math.min(30, SAMPLES);
const POLL_MS = 1000;
const WARMUPS = 20;

interface Servers {
  readonly syncPort: number;
  readonly relayPort: number;
}

interface Legs {
  /** Milliseconds from the first page to the second, and back, by clocks that may differ. */
  readonly there: number[];
  readonly back: number[];
}

const folder = mkdtempSync(join(tmpdir(), "plasma-propagate-"));
let child: ChildProcess | null = null;
const contexts: BrowserContext[] = [];
try {
  const page = join(folder, "page");
  await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: "error",
    build: { outDir: page, emptyOutDir: true },
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
  });
  child = spawn(process.execPath, [join(import.meta.dirname, "server.ts"), page], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const servers = await portsOf(child);
  contexts.push(await openProfile("a"), await openProfile("b"));
  const lines = [await acrossClients(servers), await acrossTabs(servers)];
  printLines(lines);
  if (asked.json !== undefined) writeFileSync(asked.json, JSON.stringify(lines));
} finally {
  for (const context of contexts) await context.close();
  child?.stdin?.end();
  rmSync(folder, { recursive: true, force: true });
}

/** Two browsers, each with a profile on disk: two people, one server. */
async function acrossClients(servers: Servers): Promise<Line> {
  const measure = (way: Way, samples: number) => legs(servers, { way, samples, between: contexts });
  const bare = await measure("bare socket", SAMPLES);
  // Their clocks were set when each was started; the fastest message there takes as long as the fastest one back.
  const aheadMs = (Math.min(...bare.there) - Math.min(...bare.back)) / 2;
  const corrected = ({ there, back }: Legs) => [...there.map((ms) => ms - aheadMs), ...back.map((ms) => ms + aheadMs)];
  const socket = await measure("socket", SAMPLES);
  const poll = await measure("poll", POLL_SAMPLES);
  const sides = {
    Plasma: summarise(corrected(socket)),
    "bare WebSocket": summarise(corrected(bare)),
    [`Plasma, polling every ${POLL_MS} ms`]: summarise(corrected(poll)),
  };
  const ratios = ratiosTo(sides, ["bare WebSocket"], "to the bare socket");
  return { workload: "propagate", variant: "across two browsers", unit: "ms", sides, ratios, goal: "p50 ≤ 15 ms" };
}

/** Two tabs of one browser: one person, one replica. */
async function acrossTabs(servers: Servers): Promise<Line> {
  const [context] = contexts as [BrowserContext];
  const measure = async (way: Way) => {
    const { there, back } = await legs(servers, { way, samples: SAMPLES, between: [context, context] });
    return [...there, ...back];
  };
  const sides = {
    Plasma: summarise(await measure("socket")),
    "bare BroadcastChannel": summarise(await measure("bare channel")),
  };
  const ratios = ratiosTo(sides, ["bare BroadcastChannel"], "to the bare channel");
  return { workload: "propagate", variant: "across two tabs", unit: "ms", sides, ratios, goal: "p50 ≤ 3 ms" };
}

interface Work {
  readonly way: Way;
  readonly samples: number;
  readonly between: readonly BrowserContext[];
}

/** Sends numbers to and fro, one at a time. Throws when a page does not hold all of them in the end. */
async function legs({ syncPort, relayPort }: Servers, { way, samples, between }: Work): Promise<Legs> {
  const isOneBrowser = between[0] === between[1];
  const pages: Page[] = [];
  for (const [i, context] of between.entries()) {
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(`http://127.0.0.1:${syncPort}/`);
    // A database of its own for each way, so that none finds another's rows in its first sync.
    const user = `${isOneBrowser ? "tabs" : `client${i}`}${way.replaceAll(" ", "")}`;
    const request: OpenRequest = { way, user, relayPort, pollIntervalMs: POLL_MS };
    await page.evaluate((r) => window.bench.open(r), request);
    pages.push(page);
  }
  const [first, second] = pages as [Page, Page];
  const start = Math.max(-1, ...(await first.evaluate(() => window.bench.numbers()))) + 1;
  const result: Legs = { there: [], back: [] };
  const warmups = Math.min(WARMUPS, samples);
  for (let i = 0; i < samples + warmups; i++) {
    const isThere = i % 2 === 0;
    const [from, to] = isThere ? [first, second] : [second, first];
    const arrival = to.evaluate((n) => window.bench.arrived(n), start + i);
    const sentAt = await from.evaluate((n) => window.bench.send(n), start + i);
    const ms = (await arrival) - sentAt;
    if (i >= warmups) (isThere ? result.there : result.back).push(ms);
    for (const page of pages) await page.evaluate(() => window.bench.idle());
  }
  const expected = Array.from({ length: start + samples + warmups }, (_, n) => n);
  for (const page of pages) {
    const held = await page.evaluate(() => window.bench.numbers());
    if (JSON.stringify(held) !== JSON.stringify(expected)) throw new Error(`${way}: a page holds ${held.join()}`);
    await page.evaluate(() => window.bench.close());
    await page.close();
  }
  return result;
}

function openProfile(name: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(join(folder, name), chromiumLaunchOptions());
}

async function portsOf({ stdout }: ChildProcess): Promise<Servers> {
  let text = "";
  if (stdout !== null)
    for await (const chunk of stdout) {
      text += String(chunk);
      if (text.includes("\n")) return JSON.parse(text) as Servers;
    }
  throw new Error("the server did not start");
}
