// Owns: running a workload in Chromium: the sides in turns, in one browser with a profile on disk, their answers compared.
// Each run is a page of its own in an origin of its own, and so has a renderer, databases and caches of its own.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { build, preview, type PreviewServer } from "vite";
import { chromiumLaunchOptions } from "../scripts/chromium.mjs";
import type { RunRequest, RunResult } from "./page/run-request.ts";
import { goalText, ratiosTo, summarise, type Line } from "./summary.ts";
import type { PageVariant, PageWorkload } from "./workloads.ts";

const ROUNDS = 3; // Replicache, Plasma, Replicache, …: a drift of the machine's speed meets both.
/** A page takes seconds; one that waits for what never comes is told as such. */
const PAGE_MS_MAX = 120_000;
/** Microseconds between two looks of the profiler. */
const PROFILE_STEP = 100;

interface Started {
  readonly folder: string;
  readonly server: PreviewServer;
}

export interface PageRunsOptions {
  /** Where to put CPU profiles of Plasma's pages. They slow it down: what is measured then counts for nothing. */
  readonly profileTo: string | undefined;
  /** Only variants whose name contains it. */
  readonly only: string | undefined;
}

/** The pages, built when first needed; a browser with a fresh profile for each variant, or for those that share what is prepared. */
export class PageRuns {
  readonly #options: PageRunsOptions;
  #started: Promise<Started> | null = null;
  #runs = 0;
  #version = "";

  constructor(options: PageRunsOptions) {
    this.#options = options;
  }

  /** Of Chromium, once it has run. */
  get version(): string {
    return this.#version;
  }

  async measure(workload: PageWorkload): Promise<Line[]> {
    const { only = "" } = this.#options;
    const variants = workload.variants.filter(({ name }) => name.includes(only));
    // What was prepared serves all variants; else nothing of one lies on the disk of another.
    const together = workload.preparedPages === undefined ? variants.map((variant) => [variant]) : [variants];
    const lines: Line[] = [];
    for (const some of together)
      lines.push(...(await this.#inProfile((context) => this.#measure(context, workload, some))));
    return lines;
  }

  async close(): Promise<void> {
    const started = await this.#started;
    await started?.server.close();
    if (started !== undefined && started !== null) rmSync(started.folder, { recursive: true, force: true });
  }

  async #inProfile<T>(run: (context: BrowserContext) => Promise<T>): Promise<T> {
    const { folder } = await (this.#started ??= start(this.#options));
    const profile = mkdtempSync(join(folder, "profile-"));
    const context = await chromium.launchPersistentContext(profile, chromiumLaunchOptions());
    this.#version = context.browser()?.version() ?? "";
    try {
      return await run(context);
    } finally {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  }

  async #measure(context: BrowserContext, workload: PageWorkload, variants: readonly PageVariant[]): Promise<Line[]> {
    const { id, sides, preparedPages } = workload;
    const prepared = new Map<string, string>();
    const [first] = variants;
    if (preparedPages !== undefined && first !== undefined)
      for (const side of sides) {
        const host = this.#newOrigin();
        prepared.set(side, host);
        await this.#open(context, { workload: id, side, step: "prepare", params: first.params }, host);
      }
    const lines: Line[] = [];
    for (const variant of variants) {
      const samples = new Samples(`${id} ${variant.name}`);
      for (let round = 0; round < ROUNDS; round++) {
        for (const side of sides)
          for (let page = 0; page < (preparedPages ?? 1); page++) {
            const request: RunRequest = { workload: id, side, step: "run", params: variant.params };
            samples.add(side, await this.#open(context, request, prepared.get(side)));
          }
        process.stdout.write(".");
      }
      lines.push(...linesOf(workload, variant, samples));
    }
    return lines;
  }

  /** Names of localhost are this machine for Chromium, and each is another site. */
  #newOrigin(): string {
    this.#runs += 1;
    return `run${this.#runs}.localhost`;
  }

  async #open(context: BrowserContext, request: RunRequest, host = this.#newOrigin()): Promise<RunResult | null> {
    const { server } = await (this.#started ??= start(this.#options));
    const page: Page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    const { port } = new URL(server.resolvedUrls?.local[0] ?? "");
    try {
      const isProfiled = this.#options.profileTo !== undefined && request.side === "Plasma" && request.step === "run";
      const profile = isProfiled ? await startProfile(page) : null;
      await page.goto(`http://${host}:${port}/?run=${encodeURIComponent(JSON.stringify(request))}`);
      const result = await withinTime(page.evaluate(() => window.finished));
      if (profile !== null) this.#keepProfile(request, await profile());
      return result;
    } catch (error) {
      const what = `${request.workload} (${request.side}) ${JSON.stringify(request.params)}`;
      throw new Error(`${what}: ${String(error)} ${problems.join("; ")}`, { cause: error });
    } finally {
      await page.close();
    }
  }

  #keepProfile({ workload, params }: RunRequest, profile: object): void {
    const folder = this.#options.profileTo ?? "";
    mkdirSync(folder, { recursive: true });
    const name = [workload, ...Object.values(params), this.#runs].join("-").replaceAll(/[^\w.-]+/g, "_");
    writeFileSync(join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
  }
}

/** What the pages of one variant have answered. */
class Samples {
  readonly #what: string;
  readonly bySide = new Map<string, Map<string, number[]>>();
  #answer: string | null = null;

  constructor(what: string) {
    this.#what = what;
  }

  /** Throws when the answer is another than that of the pages before. */
  add(side: string, result: RunResult | null): void {
    if (result === null) throw new Error(`${this.#what}: ${side} gave no result`);
    this.#answer ??= result.answer;
    if (result.answer !== this.#answer)
      throw new Error(`${this.#what}: ${side} answers ${result.answer}, and not ${this.#answer}`);
    const figures = this.bySide.get(side) ?? new Map<string, number[]>();
    this.bySide.set(side, figures);
    for (const [figure, ms] of Object.entries(result.figures))
      figures.set(figure, [...(figures.get(figure) ?? []), ...ms]);
  }
}

function linesOf({ id }: PageWorkload, variant: PageVariant, { bySide }: Samples): Line[] {
  const figures = [...(bySide.get("Plasma")?.keys() ?? [])];
  return figures.map((figure) => {
    const measured = [...bySide].map(([side, by]) => [side, by.get(figure)] as const);
    const sides = Object.fromEntries(
      measured.flatMap(([side, ms]) => (ms === undefined ? [] : [[side, summarise(ms)]])),
    );
    const peers = Object.keys(sides).filter((side) => side !== "Plasma");
    const ratios = Object.assign({}, ...peers.map((peer) => ratiosTo(sides, [peer], `to ${peer}`))) as Line["ratios"];
    const goals = variant.goals[figure] ?? [];
    const name = figure === "" ? variant.name : `${variant.name}, ${figure}`;
    const goal = goals.map(goalText).join(", ");
    return { workload: id, variant: name, unit: "ms", sides, ratios, goal, goals };
  });
}

async function startProfile(page: Page): Promise<() => Promise<object>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Profiler.enable");
  await session.send("Profiler.setSamplingInterval", { interval: PROFILE_STEP });
  await session.send("Profiler.start");
  return async () => (await session.send("Profiler.stop")).profile;
}

async function start({ profileTo }: PageRunsOptions): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), "plasma-bench-pages-"));
  const outDir = join(folder, "pages");
  const options = { root: import.meta.dirname, configFile: false, logLevel: "error" } as const;
  await build({
    ...options,
    build: { outDir, emptyOutDir: true, minify: profileTo === undefined, modulePreload: { polyfill: false } },
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
  });
  // A finer clock (0.005 ms) for pages that are isolated from others.
  const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
  const server = await preview({ ...options, build: { outDir }, preview: { host: "127.0.0.1", port: 0, headers } });
  return { folder, server };
}

async function withinTime<T>(result: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result within ${PAGE_MS_MAX} ms`)), PAGE_MS_MAX);
  });
  return Promise.race([result, late]).finally(() => clearTimeout(timer));
}
