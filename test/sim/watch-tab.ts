// Owns: what is asked of every delivery of a tab's live queries.

import type { Row } from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { LiveQuery } from "../../packages/plasma-sync/src/core/query/live-query.ts";
import { parseCookie } from "../../packages/plasma-sync/src/server/sync/cookie.ts";
import type { SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import { DerivedQueries } from "./derived-queries.ts";
import type { RunScope } from "./run-scope.ts";

/** Counts what the tab's client shows of itself only in its status. */
function watchStatus(run: RunScope, tab: SimTab, watched: { readonly replays: number; deliveries: number }): void {
  const { history } = run;
  let { cookie, role } = tab.client.status.get();
  let before = 0;
  tab.client.status.subscribe(() => {
    const now = tab.client.status.get();
    if (now.role === "leader" && role !== "leader" && history.led(tab.device.name)) history.count("lead: handed over");
    if (now.role === "leader") history.leaders.add(tab.name);
    role = now.role;
    if (now.cookie === cookie) return;
    // What the disk refuses, the view gives up again.
    const { name } = tab.device;
    const isRefused = history.failures.has(name) || history.mayBeDeposed(tab);
    const mayGoBack = history.restoredMs !== null || history.resets.has(name) || isRefused;
    if (!mayGoBack && cookie !== null && versionOf(now.cookie) < versionOf(cookie))
      history.violate(`${tab.name} of ${name} went back from ${versionOf(cookie)} to ${versionOf(now.cookie)}`);
    cookie = now.cookie;
    if (now.outboxDepth > 0 && watched.deliveries > 0)
      history.count(watched.replays > before ? "replay: ran" : "replay: skipped");
    before = watched.replays;
    watched.deliveries = 0;
  });
}

/** Of the log; beyond all others where there is none: a client may drop its cookie to begin anew. */
const versionOf = (cookie: string | null): number => (cookie === null ? Infinity : parseCookie(cookie).version);

/** Watches all tables of the tab's app from now on. */
export function watchTab(run: RunScope, tab: SimTab): void {
  const shown = new Map<string, readonly Row[]>();
  const watch = new TabWatch(run, tab, shown);
  const watched = {
    get replays() {
      return run.history.replaysOf(tab.name);
    },
    deliveries: 0,
  };
  watchStatus(run, tab, watched);
  for (const [name, table] of run.appOf(tab).tables) {
    const live = tab.client.db.select().from(table).live() as unknown as LiveQuery<Row>;
    live.subscribe((rows) => {
      shown.set(name, rows);
      run.history.count("delivery");
      watched.deliveries += 1;
      run.history.loaded.add(tab.name);
      watch.delivered(live.status === "complete");
    });
  }
  watch.derive();
}

class TabWatch {
  readonly #run: RunScope;
  readonly #tab: SimTab;
  readonly #shown: ReadonlyMap<string, readonly Row[]>;
  #isDue = false;
  #derived: DerivedQueries | null = null;
  /** Receipts that the view had at the last look. */
  #seen = new Map<string, Row>();
  /** What the disk held when the tab was opened: it must be there from the first complete view on. */
  #atOpening: ReadonlySet<string>;

  constructor(run: RunScope, tab: SimTab, shown: ReadonlyMap<string, readonly Row[]>) {
    this.#run = run;
    this.#tab = tab;
    this.#shown = shown;
    this.#atOpening = new Set(tab.device.disk.table("receipts").keys());
  }

  /** Watches queries of every shape over what is shown, too. */
  derive(): void {
    const { tables } = this.#run.appOf(this.#tab);
    this.#derived = new DerivedQueries(this.#tab, tables, (isComplete) => this.delivered(isComplete));
  }

  /** All queries of one commit deliver in one step: looked at behind it, they are of one moment. */
  delivered(isComplete: boolean): void {
    if (this.#isDue || !isComplete || this.#shown.size < this.#run.appOf(this.#tab).tables.size) return;
    // A client without a server calls complete what it has, also while another tab of its replica is amid a first sync.
    const { firstSync } = this.#tab.client.status.get();
    if (this.#tab.app.offline === true && !firstSync.done && this.#tab.device.disk.meta?.cookie !== null) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (!this.#tab.life.isDead) this.#look();
    });
  }

  #look(): void {
    const { history } = this.#run;
    const app = this.#run.appOf(this.#tab);
    const rows = (table: string) => this.#shown.get(table) ?? [];
    const receipts = rows("receipts");
    for (const { id } of receipts)
      if (!String(id).endsWith("/0")) this.#violate(`shows the receipt ${String(id)}: its mutation took effect twice`);
    // A client without a server shows what it has, which is not what the server's tables began with.
    const hasBegun = this.#tab.client.status.get().firstSync.done;
    const wrong = hasBegun ? app.check(rows, receipts) : null;
    if (wrong !== null) this.#violate(`shows what no prefix explains: ${wrong}`);
    const mismatch = this.#derived?.mismatch(rows) ?? null;
    if (mismatch !== null) this.#violate(mismatch);
    this.#keepsReceipts(receipts);
    history.count("view looked at");
  }

  #keepsReceipts(receipts: readonly Row[]): void {
    const { history } = this.#run;
    const { device } = this.#tab;
    const now = new Map(receipts.map((row) => [String(row["id"]), row]));
    const isRefused = history.failures.has(device.name) || history.mayBeDeposed(this.#tab);
    const isRelaxed = history.restoredMs !== null || history.resets.has(device.name);
    if (!isRelaxed) {
      for (const id of this.#atOpening)
        if (!now.has(id)) this.#violate(`has lost the receipt ${id}, which the disk had`);
      for (const [id, row] of this.#seen) {
        if (now.has(id)) continue;
        const record = history.calls.get(String(row["token"]));
        const isConfirmed = device.disk.table("receipts").has(id);
        if (isConfirmed) this.#violate(`has lost the receipt ${id}, which the disk has`);
        else if (record?.device !== device.name && !isRefused)
          this.#violate(`has lost the receipt ${id} of another device`);
        else if (record !== undefined && record.device === device.name && !record.mayThrow)
          this.#mayVanish.add(record.token);
      }
    }
    this.#atOpening = new Set();
    this.#seen = now;
    for (const token of this.#mayVanish) history.vanished.add(token);
  }
  readonly #mayVanish = new Set<string>();

  #violate(what: string): void {
    this.#run.history.violate(`${this.#tab.name} of ${this.#tab.device.name} ${what}`);
  }
}
