// Owns: runKills: pages of a browser write without a pause, the browser is killed (SIGKILL, all its processes) at random
// instants and started again on the same profile; in the end the device and the server hold what was promised. `npm test` and
// `npm run soak:kill` run it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startBareBrowser } from "../e2e/killable-browser.ts";
import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { Ledger, type ServerSide } from "./ledger.ts";
import { PageControl } from "./page-control.ts";
import type { FromPage, PageQuery, ToPage } from "./page-messages.ts";
import { startServer, type ServerProcess } from "./server-process.ts";

export interface KillOptions {
  readonly kills: number;
  /** Draws tabs, network and instants; what the browser does in between is its own. */
  readonly seed: number;
  /** Rows that a new profile has to sync first. */
  readonly stockRows: number;
  /** Kills after which a profile's end is checked and a new one begins. */
  readonly killsPerProfile: number;
  readonly onProgress?: (line: string) => void;
}

export interface KillResult {
  /** What was killed when: moment → how often. */
  readonly moments: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly profiles: number;
  /** Profiles that began with a database of an earlier release. */
  readonly upgrades: number;
  /** Writes whose promise had resolved. */
  readonly acked: number;
  /** Writes that were there though their promise had not resolved in time to be told. */
  readonly unheard: number;
  readonly problems: readonly string[];
}

const PAGE_MS_MAX = 30_000;
const EXPLAIN_MS = 500;
const PROBLEMS_MAX = 10;
/** Longer than a browser takes to start and open a page. */
const BOOT_MS_MAX = 1500;
const WRITING_MS_MAX = 500;

/** Runs it. A problem is a broken promise, an error that a page met, or a page that says nothing. */
export async function runKills(options: KillOptions): Promise<KillResult> {
  const [server, control] = await Promise.all([startServer(options.stockRows), PageControl.open()]);
  try {
    const run = new KillRun(options, server, control);
    await run.all();
    return run.result();
  } finally {
    control.close();
    await server.close();
  }
}

type Moment = "boot" | "first write" | "writing" | "first sync";

class KillRun {
  readonly #options: KillOptions;
  readonly #server: ServerProcess;
  readonly #control: PageControl;
  readonly #ledger = new Ledger();
  readonly #moments: Record<string, number> = {};
  readonly #random: SimRandom;
  #kills = 0;
  #profiles = 0;
  #upgrades = 0;
  #runs = 0;
  /** Every other profile begins with what an earlier release has left there: its first kill falls into the upgrade. */
  #isOldNext = false;

  constructor(options: KillOptions, server: ServerProcess, control: PageControl) {
    this.#options = options;
    this.#server = server;
    this.#control = control;
    this.#random = new SimRandom(options.seed);
    control.listen((message) => this.#hear(message));
  }

  async all(): Promise<void> {
    const { kills, killsPerProfile } = this.#options;
    while (this.#kills < kills && this.#ledger.problems.length < PROBLEMS_MAX) {
      const profile = mkdtempSync(join(tmpdir(), "plasma-kills-profile-"));
      this.#profiles += 1;
      this.#isOldNext = this.#profiles % 2 === 0;
      try {
        const until = Math.min(kills, this.#kills + killsPerProfile);
        while (this.#kills < until && this.#ledger.problems.length < PROBLEMS_MAX) await this.#killOnce(profile);
        await this.#finish(profile);
      } finally {
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      }
    }
  }

  result(): KillResult {
    const { problems, counts } = this.#ledger;
    return {
      moments: this.#moments,
      kills: this.#kills,
      profiles: this.#profiles,
      upgrades: this.#upgrades,
      ...counts,
      problems,
    };
  }

  async #killOnce(profile: string): Promise<void> {
    const moment = this.#random.pick<Moment>(["boot", "first write", "first sync", "writing", "writing"]);
    const network = this.#random.pick<PageQuery["network"]>(["good", "good", "lossy", "none"]);
    const tabs = this.#random.pick([1, 1, 2, 3]);
    const [, browser] = await Promise.all([this.#heard(moment), this.#open(profile, tabs, network)]);
    try {
      await delay(
        this.#random.fraction() * (moment === "boot" ? BOOT_MS_MAX : moment === "first write" ? 5 : WRITING_MS_MAX),
      );
    } finally {
      await browser.kill();
    }
    this.#kills += 1;
    this.#moments[moment] = (this.#moments[moment] ?? 0) + 1;
    const { acked } = this.#ledger.counts;
    this.#options.onProgress?.(
      `kill ${this.#kills}: ${moment}, ${tabs} tabs, network ${network}; ${acked} writes promised, ${this.#ledger.problems.length} problems`,
    );
  }

  /** Opens the browser once more, without a kill; everything reaches the server, and both sides are compared with the ledger. */
  async #finish(profile: string): Promise<void> {
    const before = this.#ledger.unchecked;
    const [, browser] = await Promise.all([this.#heard("writing"), this.#open(profile, 2, "good")]);
    try {
      const writers = this.#ledger.unchecked.filter((writer) => !before.includes(writer));
      await this.#ask(writers, { type: "finish" }, "flushed");
      for (const writer of writers) this.#ledger.close(writer);
      const ids = this.#server.read<{ id: string }>("SELECT id FROM entries ORDER BY id").map(({ id }) => id);
      this.#compare(ids, await this.#ask(writers, { type: "show", entries: ids.length }, "shown"));
    } finally {
      this.#control.forget();
      await browser.kill();
    }
  }

  /** Tells it to all pages; resolves with the answers of these. */
  async #ask<T extends FromPage["type"]>(writers: readonly string[], message: ToPage, answer: T) {
    type Answer = Extract<FromPage, { type: T }>;
    const isAnswer = (from: FromPage): from is Answer => from.type === answer;
    const answers = Promise.all(
      writers.map((writer) => this.#wait(`${answer} by ${writer}`, (from) => isAnswer(from) && from.writer === writer)),
    );
    this.#control.tell(message);
    return (await answers).filter(isAnswer);
  }

  /** What the tabs show, what the server has, what was promised. */
  #compare(ids: readonly string[], shown: readonly Extract<FromPage, { type: "shown" }>[]): void {
    const { problems } = this.#ledger;
    const puts = this.#server.read<{ writer: string; numbers: string; total: number }>(
      `SELECT writer, json_group_array(n ORDER BY row_version) AS numbers, coalesce(totals.count, 0) AS total FROM (
         SELECT value ->> '$.writer' AS writer, value ->> '$.n' AS n, row_version FROM _plasma_changes
         WHERE table_name = 'entries' AND op = 'put' AND before IS NULL)
       LEFT JOIN totals ON totals.id = writer GROUP BY writer`,
    );
    this.#ledger.server(
      puts.map(({ writer, numbers, total }): ServerSide => ({ writer, total, numbers: JSON.parse(numbers) })),
    );
    const totals = this.#server.read<{ id: string; count: number }>("SELECT id, count FROM totals");
    for (const page of shown) {
      if (page.stock !== this.#options.stockRows)
        problems.push(
          `${page.writer} shows ${page.stock} rows of the stock, the server has ${this.#options.stockRows}`,
        );
      if (JSON.stringify(page.entries) !== JSON.stringify(ids))
        problems.push(`${page.writer} shows ${page.entries.length} entries, the server has ${ids.length}`);
      for (const { id, count } of totals)
        if (page.totals[id] !== count)
          problems.push(`${page.writer} shows ${page.totals[id]} as the total of ${id}, the server has ${count}`);
    }
    const repeated = this.#server.read<{ id: string }>(
      `SELECT client_id || '/' || mutation_id AS id FROM _plasma_changes WHERE op = 'ack'
       GROUP BY client_id, mutation_id HAVING count(*) > 1`,
    );
    if (repeated.length > 0) problems.push(`applied twice: ${repeated.map(({ id }) => id).join(", ")}`);
  }

  async #open(profile: string, tabs: number, network: PageQuery["network"]) {
    const run = ++this.#runs;
    const isOld = this.#isOldNext;
    this.#isOldNext = false;
    const old = isOld ? `run${run}old` : "";
    const before = this.#ledger.unchecked.join(",");
    const browser = await startBareBrowser(profile);
    // Alone, so that no other tab is there before the earlier release.
    const queries = Array.from({ length: isOld ? 1 : tabs }, (_, i): PageQuery => {
      const writer = `run${run}tab${i}`;
      this.#ledger.open(writer);
      return { control: this.#control.url, writer, before, old: i === 0 ? old : "", network, schemaVersion: "1" };
    });
    if (isOld) this.#ledger.open(old);
    for (const query of queries) await browser.open(`${this.#server.url}/page?${new URLSearchParams({ ...query })}`);
    return browser;
  }

  #hear(message: FromPage): void {
    if (message.type === "acked") this.#ledger.ack(message.writer, message);
    if (message.type === "old") {
      for (const made of message.written) this.#ledger.ack(message.writer, made);
      if (message.written.length > 0) this.#upgrades += 1;
    }
    if (message.type === "found") this.#ledger.found(message);
    if (message.type === "error") this.#ledger.problems.push(`${message.writer}: ${message.message}`);
  }

  /** Resolves when a page of the run that begins now has come so far. */
  async #heard(moment: Moment): Promise<void> {
    // What follows is the upgrade.
    if (this.#isOldNext) await this.#wait("what an earlier release has left", ({ type }) => type === "old");
    if (moment === "boot") return;
    await this.#wait(moment, ({ type }) => type === "acked" || (moment === "first sync" && type === "first-sync"));
  }

  async #wait(what: string, isIt: (message: FromPage) => boolean): Promise<FromPage> {
    const heard = Promise.withResolvers<FromPage>();
    const stop = this.#control.listen((message) => {
      if (isIt(message)) heard.resolve(message);
    });
    const timer = setTimeout(() => {
      this.#control.tell({ type: "explain" });
      setTimeout(
        () => heard.reject(new Error(`no page said: ${what}\n${this.#ledger.problems.join("\n")}`)),
        EXPLAIN_MS,
      );
    }, PAGE_MS_MAX);
    try {
      return await heard.promise;
    } finally {
      clearTimeout(timer);
      stop();
    }
  }
}
