// Owns: running a workload in Chromium: Plasma and its peer in turns, each run in a browser context (and so with a database)
// of its own, their answers compared.

import { chromium, type Browser, type Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { chromiumLaunchOptions } from "../scripts/chromium.mjs";
import type { RunRequest, RunResult } from "./page/run-request.ts";
import { ratiosTo, summarise, type Line } from "./summary.ts";
import type { PageVariant, PageWorkload } from "./workloads.ts";

const ROUNDS = 3; // Plasma, peer, Plasma, peer, …: a drift of the machine's speed meets both.
const PEER = "Replicache";

/** The page and the browser, started when first needed. */
export class PageRuns {
  #started: { readonly server: ViteDevServer; readonly browser: Browser } | null = null;

  /** Of Chromium, once it runs. */
  get version(): string {
    return this.#started?.browser.version() ?? "";
  }

  async measure(workload: PageWorkload): Promise<Line[]> {
    const lines: Line[] = [];
    for (const variant of workload.variants) lines.push(await this.#measure(workload.id, variant));
    return lines;
  }

  async close(): Promise<void> {
    await this.#started?.browser.close();
    await this.#started?.server.close();
  }

  async #measure(workload: string, variant: PageVariant): Promise<Line> {
    const samples: { [side: string]: number[] } = { Plasma: [], [PEER]: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const peer = await this.#runOnce({ workload, side: "peer", params: variant.params });
      const plasma = await this.#runOnce({ workload, side: "plasma", params: variant.params });
      if (peer.answer !== plasma.answer) {
        throw new Error(
          `${workload} ${variant.name}: the answers differ\n  plasma ${plasma.answer}\n  peer   ${peer.answer}`,
        );
      }
      samples["Plasma"]?.push(...plasma.ms);
      samples[PEER]?.push(...peer.ms);
      process.stdout.write(".");
    }
    const sides = Object.fromEntries(Object.entries(samples).map(([name, ms]) => [name, summarise(ms)]));
    const ratios = ratiosTo(sides, [PEER], `to ${PEER}`);
    return { workload, variant: variant.name, unit: "ms", sides, ratios, goal: variant.goal };
  }

  async #runOnce(request: RunRequest): Promise<RunResult> {
    const { server, browser } = (this.#started ??= await start());
    const context = await browser.newContext();
    const page: Page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("response", (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} for ${response.url()}`);
    });
    try {
      await page.goto(server.resolvedUrls?.local[0] ?? "");
      await page.waitForFunction(() => "runWorkload" in window);
      return await page.evaluate((r) => window.runWorkload(r), request);
    } catch (error) {
      throw new Error(`${request.workload} (${request.side}): ${String(error)} ${problems.join("; ")}`, {
        cause: error,
      });
    } finally {
      await context.close();
    }
  }
}

async function start(): Promise<{ server: ViteDevServer; browser: Browser }> {
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
  return { server, browser: await chromium.launch(chromiumLaunchOptions()) };
}
