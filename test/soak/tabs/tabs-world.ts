// Owns: TabsWorld: the server of the five tabs and the browser, started and read.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { must } from "../../../packages/plasma-sync/src/core/lib/assert.ts";
import { RawBrowser, type RawTab } from "./raw-browser.ts";

/** Long enough for a machine with much else to do. */
const WAIT_MS_MAX = 60_000;

/** What the server has logged. */
export interface LogLine {
  readonly atMs: number;
  readonly what: "listening" | "push" | "note";
  /** The load of a page that did it. */
  readonly page?: string;
  /** Of a push: `client/id`. */
  readonly ids?: readonly string[];
  readonly note?: string;
  readonly port?: number;
}

export class TabsWorld {
  readonly log: LogLine[] = [];
  readonly browser: RawBrowser;
  readonly #server: ChildProcess;
  readonly #folder: string;
  #port = 0;

  private constructor(browser: RawBrowser, server: ChildProcess, folder: string) {
    this.browser = browser;
    this.#server = server;
    this.#folder = folder;
    createInterface({ input: must(server.stdout, "the server prints") }).on("line", (text) => {
      const line = JSON.parse(text) as LogLine;
      if (line.what === "listening") this.#port = line.port ?? 0;
      this.log.push(line);
    });
  }

  static async start(): Promise<TabsWorld> {
    const folder = mkdtempSync(join(tmpdir(), "plasma-tabs-server-"));
    const endWithParent = join(import.meta.dirname, "../../e2e/end-with-parent.mjs");
    const server = spawn(
      process.execPath,
      ["--import", endWithParent, join(import.meta.dirname, "tabs-server.ts"), folder],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const world = new TabsWorld(await RawBrowser.start(), server, folder);
    await world.until("the server listens", () => world.#port !== 0);
    return world;
  }

  /** Of a page; with another query it is another one. */
  url(path = "/tabs"): string {
    return `http://127.0.0.1:${this.#port}${path}`;
  }

  async until(what: string, check: () => boolean | Promise<boolean>, waitMsMax = WAIT_MS_MAX): Promise<void> {
    for (const giveUpAtMs = Date.now() + waitMsMax; !(await check()); await delay(50))
      if (Date.now() > giveUpAtMs) throw new Error(`It did not come about in ${waitMsMax / 1000} s: ${what}`);
  }

  /** A tab, when its page has a client. Returns its name for this load of the page, too. */
  async open(path?: string): Promise<{ readonly tab: RawTab; readonly page: string }> {
    const tab = await this.browser.open(this.url(path));
    return { tab, page: await this.loaded(tab) };
  }

  /** The name of the page that the tab shows, when it has a client. */
  async loaded(tab: RawTab, before = ""): Promise<string> {
    let page = "";
    await this.until("the page is there", async () => {
      page = await tab.evaluate<string>("window.tabs?.page ?? ''", 2_000).catch(() => "");
      return page !== "" && page !== before;
    });
    return page;
  }

  /** The rows of the server, as pages tell theirs. */
  rows(): string[] {
    const database = new DatabaseSync(join(this.#folder, "data.sqlite"), { readOnly: true });
    try {
      const rows = database.prepare("SELECT id, hits FROM marks").all() as { id: string; hits: number }[];
      return rows.map(({ id, hits }) => `${id}×${hits}`).sort();
    } finally {
      database.close();
    }
  }

  /** Every push of a mutation that had been pushed before, with that one. */
  repeatedPushes(): { readonly id: string; readonly first: LogLine; readonly again: LogLine }[] {
    const last = new Map<string, LogLine>();
    const repeated: { readonly id: string; readonly first: LogLine; readonly again: LogLine }[] = [];
    for (const line of this.log) {
      for (const id of line.ids ?? []) {
        const first = last.get(id);
        if (first !== undefined) repeated.push({ id, first, again: line });
        last.set(id, line);
      }
    }
    return repeated;
  }

  notes(note: string): LogLine[] {
    return this.log.filter((line) => line.note === note);
  }

  async close(): Promise<void> {
    await this.browser.close();
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const ended = once(this.#server, "exit");
      this.#server.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
