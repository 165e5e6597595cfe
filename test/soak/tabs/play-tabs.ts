// Owns: playTabs: five tabs of one browser, used at random as people and browsers use them, up to an end at which all must agree.
//
//   calm: calls, tabs shown, opened and copied                       nothing is pushed twice
//   wild: and frozen, hung, closed, crashed, reloaded, left, come back   what is pushed twice followed a lost answer or a steal
//   end:  everything goes on; all tabs, a new one, a new device and the server show the same, each call once
import { setTimeout as delay } from "node:timers/promises";
import { SimRandom } from "../../../packages/plasma-sync/src/testing/sim-random.ts";
import type { RawTab } from "./raw-browser.ts";
import { TabsWorld, type LogLine } from "./tabs-world.ts";

export interface TabsResult {
  readonly seed: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly resolved: number;
  /** Calls that did not resolve, by the reason. */
  readonly unanswered: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly pushes: number;
  /** Pushes of a mutation that had been pushed before. */
  readonly repeated: number;
  /** Locks taken from a holder, by offer or by force. */
  readonly steals: number;
  readonly reigns: number;
}

export interface PlayOptions {
  readonly seed: number;
  readonly calmMs: number;
  readonly wildMs: number;
}

interface Seat {
  readonly tab: RawTab;
  page: string;
  /** The same for a tab and its copies: they share a process, and hang and crash together. */
  readonly family: object;
  state: "live" | "frozen" | "hung" | "away";
}

interface State {
  readonly outboxDepth: number;
  readonly isSynced: boolean;
  readonly role: string;
  readonly rows: readonly string[];
}

const TABS_MAX = 5;
const CALM = { mark: 20, show: 4, open: 1, copy: 0.7, wait: 4, flush: 0.5 } as const;
const WILD = {
  ...CALM,
  freeze: 3,
  resume: 3,
  hang: 0.8,
  "go on": 1.2,
  close: 0.8,
  crash: 0.8,
  reload: 1,
  leave: 1,
  return: 1.5,
} as const;
/** Longer than a leader that hangs is waited for, and its successor's first pushes. */
const END_MS_MAX = 90_000;
/** Between a page's fault and the log's word of what came before it. */
const CLOCK_MS = 250;

/** Plays one seed. Throws what an oracle objects to, with the seed and what happened last. */
export async function playTabs(options: PlayOptions): Promise<TabsResult> {
  const world = await TabsWorld.start();
  const play = new Play(world, options);
  try {
    return await play.run();
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${String(error)}\n${play.story()}`, { cause: error });
  } finally {
    await world.close();
  }
}

class Play {
  readonly #world: TabsWorld;
  readonly #options: PlayOptions;
  readonly #random: SimRandom;
  readonly #seats: Seat[] = [];
  readonly #counts: Record<string, number> = {};
  readonly #unanswered: Record<string, number> = {};
  readonly #resolved = new Set<string>();
  readonly #calls: Promise<void>[] = [];
  /** When a page stopped or ended, and how. */
  readonly #faults: { readonly atMs: number; readonly page: string; readonly what: string }[] = [];
  readonly #steps: { readonly atMs: number; readonly what: string }[] = [];
  #wildAtMs = Infinity;
  #marks = 0;

  constructor(world: TabsWorld, options: PlayOptions) {
    this.#world = world;
    this.#options = options;
    this.#random = new SimRandom(options.seed);
  }

  async run(): Promise<TabsResult> {
    const { calmMs, wildMs } = this.#options;
    // All at once, as a browser that restores its windows.
    await Promise.all(Array.from({ length: TABS_MAX - 1 }, () => this.#open()));
    await this.#during(calmMs, CALM);
    await this.#quiet();
    this.#wildAtMs = Date.now();
    await this.#during(wildMs, WILD);
    await this.#end();
    const { log } = this.#world;
    return {
      seed: this.#options.seed,
      steps: this.#counts,
      resolved: this.#resolved.size,
      unanswered: this.#unanswered,
      rows: this.#world.rows().length,
      pushes: log.filter(({ what }) => what === "push").length,
      repeated: this.#world.repeatedPushes().length,
      steals: this.#world.notes("takes the lock").length,
      reigns: this.#world.notes("is leader").length,
    };
  }

  /** What happened last, in order: steps, and the server's log. */
  story(): string {
    const told = this.#world.log.map(({ atMs, page, what, ids, note }) => ({
      atMs,
      what: `${page ?? ""} ${what} ${ids?.join(" ") ?? note ?? ""}`,
    }));
    const lines = [...this.#steps, ...told].sort((a, b) => a.atMs - b.atMs).slice(-150);
    const startMs = lines[0]?.atMs ?? 0;
    return lines.map(({ atMs, what }) => `${String(atMs - startMs).padStart(7)} ${what}`).join("\n");
  }

  async #during(ms: number, weights: Readonly<Record<string, number>>): Promise<void> {
    for (const endAtMs = Date.now() + ms; Date.now() < endAtMs;) {
      const kind = this.#random.weighted(weights);
      if (await this.#step(kind)) this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
      await delay(this.#random.int(0, 60));
    }
  }

  /** Whether there was a tab for it. */
  async #step(kind: string): Promise<boolean> {
    if (kind === "wait") return delay(this.#random.int(50, 1500)).then(() => true);
    if (kind === "open") return this.#seats.length < TABS_MAX && this.#open().then(() => true);
    const from = STATE_BEFORE[kind] ?? "live";
    const seats = this.#seats.filter(({ state }) => state === from);
    const seat = seats.length === 0 ? undefined : this.#random.pick(seats);
    // Somebody must be left to play with.
    if (seat === undefined || (ENDS.has(kind) && seats.length < 2)) return false;
    if (kind === "copy" && this.#seats.length >= TABS_MAX) return false;
    if (TOGETHER.has(kind) && this.#seats.some((other) => other !== seat && other.family === seat.family)) return false;
    this.#say(`${kind}: ${seat.page}`);
    await this.#act(seat, kind);
    return true;
  }

  async #act(seat: Seat, kind: string): Promise<void> {
    const { tab } = seat;
    switch (kind) {
      case "mark":
        return this.#mark(seat);
      case "flush":
        void tab.evaluate("tabs.flush()", 30_000).catch(() => undefined);
        return;
      case "show":
        return void (await tab.show());
      case "copy":
        return this.#copy(seat);
      case "freeze":
        // Whoever is visible is not frozen.
        if ((await tab.evaluate("tabs.visible()")) !== "hidden") return;
        this.#fault(seat, kind, "frozen");
        return void (await tab.freeze(true));
      case "resume":
        seat.state = "live";
        return void (await tab.freeze(false));
      case "hang":
        this.#fault(seat, kind, "hung");
        return tab.hang();
      case "go on":
        await tab.goOn();
        seat.state = "live";
        return;
      case "close":
      case "crash":
        this.#fault(seat, kind, "away");
        this.#seats.splice(this.#seats.indexOf(seat), 1);
        if (kind === "crash") tab.crash();
        return void (await tab.close());
      case "reload":
        this.#fault(seat, kind, "away");
        await tab.reload();
        seat.page = await this.#world.loaded(tab, seat.page);
        seat.state = "live";
        return;
      case "leave":
        this.#fault(seat, kind, "away");
        return void (await tab.goTo(this.#world.url("/elsewhere")));
      case "return":
        await tab.goBack();
        seat.page = await this.#world.loaded(tab);
        seat.state = "live";
    }
  }

  #mark(seat: Seat): void {
    const { tab } = seat;
    const id = `m${(this.#marks += 1)}`;
    const call = tab.evaluate(`tabs.mark("${id}").then(() => true)`, 30_000).then(
      () => void this.#resolved.add(id),
      // It may be there or not.
      (error: unknown) => this.#failed(seat, String(error)),
    );
    this.#calls.push(call);
  }

  #failed({ page }: Seat, error: string): void {
    const why = error.split("\n", 1)[0] ?? "";
    this.#say(`a call in ${page} failed: ${why}`);
    this.#unanswered[why] = (this.#unanswered[why] ?? 0) + 1;
  }

  async #open(): Promise<void> {
    const opened = await this.#world.open();
    this.#say(`open: ${opened.page}`);
    this.#seats.push({ ...opened, family: {}, state: "live" });
  }

  /** The browser copies the tab's sessionStorage. */
  async #copy({ tab, family }: Seat): Promise<void> {
    const known = new Set(await this.#world.browser.targets());
    await tab.evaluate("void window.open(location.href)");
    let id: string | undefined;
    await this.#world.until("the copy is there", async () => {
      id = (await this.#world.browser.targets()).find((target) => !known.has(target));
      return id !== undefined;
    });
    const copy = await this.#world.browser.attach(id as string);
    const page = await this.#world.loaded(copy);
    this.#say(`copied: ${page}`);
    this.#seats.push({ tab: copy, page, family, state: "live" });
  }

  /** Nothing is under way any more. */
  async #quiet(): Promise<void> {
    await Promise.all(this.#calls);
    await this.#agree(this.#seats);
    const twice = this.#world.repeatedPushes();
    if (twice.length > 0) throw new Error(`Without faults these were pushed twice: ${JSON.stringify(twice)}`);
  }

  async #end(): Promise<void> {
    this.#say("everything goes on");
    for (const seat of this.#seats) {
      if (seat.state === "frozen") await seat.tab.freeze(false);
      if (seat.state === "hung") await seat.tab.goOn();
      if (seat.state === "away") await this.#act(seat, "return");
      seat.state = "live";
    }
    await Promise.all(this.#calls);
    await this.#open();
    const device = { ...(await this.#world.open("/tabs?db=device")), family: {}, state: "live" as const };
    const rows = await this.#agree([...this.#seats, device]);
    const twice = rows.filter((row) => !row.endsWith("×1"));
    const lost = [...this.#resolved].filter((id) => !rows.includes(`${id}×1`));
    if (twice.length > 0) throw new Error(`These took effect twice: ${twice.join(" ")}`);
    if (lost.length > 0) throw new Error(`These were promised and are lost: ${lost.join(" ")}`);
    const unexplained = this.#world.repeatedPushes().filter(({ first, again }) => !this.#isExplained(first, again));
    if (unexplained.length > 0)
      throw new Error(`These were pushed twice for no reason: ${JSON.stringify(unexplained, null, 1)}`);
  }

  /** All show what the server has, and one of each database leads. */
  async #agree(seats: readonly Seat[]): Promise<readonly string[]> {
    let differs = "";
    const isEqual = async () => {
      const rows = JSON.stringify(this.#world.rows());
      const states = await Promise.all(seats.map(({ tab }) => tab.evaluate<State>("tabs.state()")));
      differs = states
        .map(({ rows: shown, ...rest }, i) => `${seats[i]?.page} ${JSON.stringify(rest)} ${shown.length} rows`)
        .concat(`server ${this.#world.rows().length} rows`)
        .join("\n");
      return states.every(
        ({ outboxDepth, isSynced, rows: shown }) => outboxDepth === 0 && isSynced && JSON.stringify(shown) === rows,
      );
    };
    await this.#world.until("all agree", isEqual, END_MS_MAX).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${differs}`, { cause: error });
    });
    return this.#world.rows();
  }

  /** The answer to the first is lost with its page, or the lock was taken from that. */
  #isExplained(first: LogLine, again: LogLine): boolean {
    const isBetween = (atMs: number) => atMs >= first.atMs - CLOCK_MS && atMs <= again.atMs + CLOCK_MS;
    if (again.atMs < this.#wildAtMs) return false;
    const isLost = this.#faults.some(({ atMs, page }) => page === first.page && isBetween(atMs));
    return isLost || this.#world.notes("takes the lock").some(({ atMs }) => isBetween(atMs));
  }

  #fault(seat: Seat, what: string, state: Seat["state"]): void {
    this.#faults.push({ atMs: Date.now(), page: seat.page, what });
    seat.state = state;
  }

  #say(what: string): void {
    this.#steps.push({ atMs: Date.now(), what });
  }
}

/** What a tab must be for it; others: live. */
const STATE_BEFORE: Readonly<Record<string, Seat["state"]>> = { resume: "frozen", "go on": "hung", return: "away" };
/** What would happen to the copies of a tab, too. */
const TOGETHER = new Set(["hang", "crash"]);
/** After these the tab is not there to play with. */
const ENDS = new Set(["freeze", "hang", "close", "crash", "leave"]);
