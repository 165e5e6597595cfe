// Owns: tryRun: one seed's world under faults, and what it found wrong.

import { asc, type Db } from "plasma-sync/core";
import { SimLife } from "../../../packages/plasma-sync/src/testing/sim-clock.ts";
import { calm } from "../../../packages/plasma-sync/src/testing/sim-network.ts";
import {
  sound,
  SimWorld,
  type SimClientApp,
  type SimDevice,
  type SimTab,
} from "../../../packages/plasma-sync/src/testing/sim-world.ts";
import { journal, members, mutators, notes, schema, todos, type Args, type MutatorName } from "./trial-app.ts";

const PEOPLE = ["ada", "grace"] as const;
const LISTS = ["l1", "l2"] as const;
const STEPS = 60;

interface Made {
  readonly token: string;
  readonly user: string;
  readonly tab: SimTab;
  readonly name: MutatorName;
  local: "open" | "durable" | "failed";
  server: "open" | "applied" | "refused" | "ended";
  told: number;
}

type AnyClient = { mutate(name: string, args: Args): Promise<void> & { readonly server: Promise<unknown> } };

/** One run; what it found wrong. Equal seeds give equal runs. `onLine` is told what happens, as text. */
export const tryRun = (seed: number, onLine: (line: string) => void = () => undefined): Promise<string[]> =>
  new TrialRun(seed, onLine).run();

type AllRows = Awaited<ReturnType<typeof rowsOf>>;

const rowsOf = async (db: Db) => ({
  journal: await db.select().from(journal).orderBy(asc(journal.id)),
  notes: await db.select().from(notes).orderBy(asc(notes.id)),
  members: await db.select().from(members).orderBy(asc(members.id)),
  todos: await db.select().from(todos).orderBy(asc(todos.id)),
});

/** What happens beside all tabs and servers. */
const WORLD_LIFE = new SimLife("trial");

class TrialRun {
  readonly #world: SimWorld;
  readonly #made: Made[] = [];
  readonly #violations: string[] = [];
  readonly #backs: ReturnType<SimWorld["database"]["backup"]>[] = [];
  readonly #mayRestore: boolean;
  #hasRestored = false;
  readonly #onLine: (line: string) => void;

  constructor(seed: number, onLine: (line: string) => void) {
    this.#onLine = onLine;
    const userOf = (request: Request) => request.headers.get("x-user") ?? "";
    this.#mayRestore = seed % 4 === 0;
    this.#world = new SimWorld({
      seed,
      engine: seed % 2 === 0 ? "d1" : "sqlite",
      statementsMax: seed % 6 === 0 ? 20 : 1000,
      server: {
        schema,
        mutators,
        schemaVersion: "1",
        auth: (request) => ({ ok: true, clientGroupID: userOf(request), ctx: { userId: userOf(request) } as never }),
      },
      onNote: (what, who) => this.#trace(`${who ?? ""} ${what}`),
      onClientError: (tab, error) => {
        this.#trace(`${tab} was told: ${error.kind} ${"message" in error ? error.message : ""}`);
        if (error.kind !== "mutation-rejected") return;
        const made = this.#made.find(({ token }) => token === (error.args as Args).token);
        if (made !== undefined) made.told += 1;
      },
    });
  }

  async run(): Promise<string[]> {
    const world = this.#world;
    const { random } = world;
    const devices = ["ada", "ada", "grace"].map((user) => world.addDevice(user));
    for (const device of devices) this.#open(device);
    this.#open(devices[0] as SimDevice);
    await world.clock.advance(random.int(0, 300));
    const isRough = random.chance(0.8);
    if (isRough) {
      world.network.faults = {
        ...calm,
        delayMsMax: 100,
        lostRequest: 0.05,
        lostAnswer: 0.1,
        duplicate: 0.1,
        badGateway: 0.03,
      };
      world.server.faults = { statementMsMax: random.pick([1, 8, 30]), failure: 0.01, death: 0.004 };
      for (const device of devices)
        device.faults = { operationMsMax: random.pick([2, 20, 500, 2000]), failure: 0.01, death: 0.005 };
    }
    for (let i = 0; i < STEPS; i++) {
      await this.#step(devices);
      await world.clock.advance(random.chance(0.3) ? 0 : random.int(0, 300));
    }
    // A frozen tab may wake into the death that its disk had in store for it.
    await world.calmDown(5000);
    for (const device of devices) if (device.open.size === 0) this.#open(device);
    await world.calmDown(30_000);
    await this.#judge();
    return this.#violations;
  }

  #open(device: SimDevice, storage?: SimTab["storage"]): SimTab {
    const { random } = this.#world;
    const app: SimClientApp = {
      schema,
      mutators,
      schemaVersion: "1",
      getContext: () => ({ userId: device.user }),
      pollIntervalMs: 1000,
      retry: { maxDelayMs: 4000 },
      pullPageSize: random.pick([2, 5, 1000]),
    };
    const tab = this.#world.openTab(device, app, storage);
    this.#watch(tab);
    // A tab that cannot open its database is of no use: its person loads the page anew.
    Promise.resolve(tab.client.db.select().from(notes)).catch(() => this.#world.kill(tab));
    return tab;
  }

  /**
   * What a person has seen of their work stays in sight, unless it was refused or taken back. What another device made may go
   * again as long as the disk does not hold it: a page is shown while it is written.
   */
  #watch(tab: SimTab): void {
    let shown = new Set<string>();
    const query = tab.client.db.select().from(journal).live();
    query.subscribe((rows) => {
      const mine = rows.find(({ id }) => id === tab.device.user)?.tokens ?? "";
      this.#trace(`${tab.name} shows ${mine}`);
      const now = new Set(mine.split(" ").filter((token) => token !== ""));
      const base = String(tab.device.disk.table("journal").get(tab.device.user)?.["tokens"] ?? "").split(" ");
      for (const token of shown) {
        const made = this.#made.find((one) => one.token === token);
        const isOwn = made?.tab.device === tab.device && made.local === "durable" && !made.tab.life.isDead;
        if (now.has(token) || made?.name === "refused" || this.#hasRestored) continue;
        if (isOwn || base.includes(token)) this.#fault("no flicker", `${tab.name} showed ${token} and then did not`);
      }
      shown = now;
    });
  }

  async #step(devices: readonly SimDevice[]): Promise<void> {
    const world = this.#world;
    const { random } = world;
    if (world.server.running === null && random.chance(0.5)) world.server.start();
    const device = random.pick(devices);
    const tabs = [...device.open];
    const what = random.weighted({
      mutate: 60,
      open: 4,
      kill: 3,
      close: 3,
      freeze: 4,
      cut: 3,
      server: 2,
      compact: 3,
      backup: 2,
      restore: 1,
      pause: 3,
      compare: 1.5,
    });
    const tab = tabs.length === 0 ? null : random.pick(tabs);
    switch (what) {
      case "mutate":
        return tab === null ? void this.#open(device) : this.#mutate(tab);
      case "open":
        return void (device.open.size < 3 && this.#open(device));
      case "kill":
        return tab === null ? undefined : world.kill(tab);
      case "close": {
        if (tab === null) return;
        if (tab.life.isFrozen) return;
        let isClosed = false;
        void tab.client.close().then(() => (isClosed = true));
        await world.clock.advance(1100);
        world.kill(tab);
        if (isClosed) this.#open(device, tab.storage);
        return;
      }
      case "freeze": {
        if (tab === null) return;
        tab.life.freeze();
        const until = random.int(0, 6000);
        return void world.clock.after(until, WORLD_LIFE, () => tab.life.resume());
      }
      case "cut":
        world.network.cutOff.add(device.name);
        return void world.clock.after(
          random.int(0, 5000),
          WORLD_LIFE,
          () => void world.network.cutOff.delete(device.name),
        );
      case "server":
        world.server.kill();
        return world.server.start();
      case "compact":
        // Not awaited: it may wait for a transaction that needs time to pass.
        return void world.server.compact(random.pick([0, 500])).catch(() => undefined);
      case "backup":
        if (this.#mayRestore && !world.database.isInTransaction) this.#backs.push(world.database.backup());
        return;
      case "restore": {
        const back = this.#backs.pop();
        if (back === undefined) return;
        this.#hasRestored = true;
        return world.server.restore(back);
      }
      case "compare":
        return this.#compare(device);
      case "pause":
        if (tab === null) return;
        if (device.open.size > 1) await this.#delayPage(device, tab);
        tab.client.stop();
        return void world.clock.after(
          random.int(0, 3000),
          tab.life,
          () => tab.device.open.has(tab) && tab.client.start(),
        );
    }
  }

  /** A page that the tab is about to write takes longer than another tab needs to lead and to write the next. */
  async #delayPage(device: SimDevice, tab: SimTab): Promise<void> {
    const { clock, random } = this.#world;
    const { faults } = device;
    device.faults = { ...sound, operationMsMax: 6000 };
    await clock.advance(random.int(500, 2500));
    device.faults = sound;
    tab.client.stop();
    await clock.advance(3000);
    device.faults = faults;
  }

  /** While nothing comes from the server, a new tab shows the same as those that have followed every step. */
  async #compare(device: SimDevice): Promise<void> {
    const { clock, network } = this.#world;
    const { faults } = device;
    device.faults = sound;
    network.cutOff.add(device.name);
    await clock.advance(4000);
    const fresh = this.#open(device);
    await clock.advance(100);
    // Its commit shows every tab if one before it was never heard of: a tab may die between its commit and its message.
    this.#mutate(fresh);
    await clock.advance(500);
    const expected = await rowsOf(fresh.client.db);
    for (const tab of device.open)
      if (!tab.life.isFrozen) this.#sameRows("as a new tab", tab, expected, await rowsOf(tab.client.db));
    this.#world.kill(fresh);
    device.faults = faults;
    network.cutOff.delete(device.name);
  }

  #sameRows(oracle: string, tab: SimTab, expected: AllRows, held: AllRows): void {
    for (const name of ["journal", "notes", "members", "todos"] as const) {
      const [has, should] = [JSON.stringify(held[name]), JSON.stringify(expected[name])];
      if (has !== should) this.#fault(oracle, `${tab.name} ${name}: has ${has}, not ${should}`);
    }
  }

  #mutate(tab: SimTab): void {
    const { random } = this.#world;
    const name = random.weighted<MutatorName>({
      addNote: 4,
      shareNote: 5,
      dropNote: 2,
      join: 3,
      leave: 3,
      addTodos: 4,
      moveTodo: 2,
      dropTodo: 2,
      refused: 2,
    });
    const made: Made = {
      token: `m${this.#made.length}`,
      user: tab.device.user,
      tab,
      name,
      local: "open",
      server: "open",
      told: 0,
    };
    this.#made.push(made);
    this.#trace(`${tab.name} of ${tab.device.name} calls ${name} ${made.token}`);
    const args = { token: made.token, pick: random.int(0, 20), who: random.pick(PEOPLE), list: random.pick(LISTS) };
    const promise = (tab.client as unknown as AnyClient).mutate(name, args);
    promise.then(
      () => (made.local = "durable"),
      () => (made.local = "failed"),
    );
    promise.server.then(
      () => (made.server = "applied"),
      (error: { code?: string; name?: string }) =>
        (made.server = error.name === "MutationRejectedError" ? "refused" : "ended"),
    );
  }

  #trace(line: string): void {
    this.#onLine(`${this.#world?.clock.elapsedMs ?? 0} ${line}`);
  }

  #fault(oracle: string, text: string): void {
    this.#violations.push(`${oracle}: ${text}`);
  }

  async #judge(): Promise<void> {
    const rows = await rowsOf(this.#world.server.db);
    for (const device of this.#world.devices) {
      const lists = new Set(rows.members.filter(({ userId }) => userId === device.user).map(({ listId }) => listId));
      const expected = {
        journal: rows.journal.filter(({ id }) => id === device.user),
        notes: rows.notes.filter(({ owner, shared }) => shared || owner === device.user),
        members: rows.members,
        todos: rows.todos.filter(({ listId }) => lists.has(listId)),
      };
      if (device.disk.outbox.entries.size > 0)
        this.#fault("queues are empty", `${device.name} has ${device.disk.outbox.entries.size} entries on disk`);
      for (const tab of device.open) await this.#judgeTab(tab, expected);
    }
    this.#judgeJournal(rows.journal);
  }

  async #judgeTab(tab: SimTab, expected: AllRows): Promise<void> {
    this.#sameRows("same rows as the server", tab, expected, await rowsOf(tab.client.db));
    const pending = await tab.client.pending();
    if (pending.length > 0) this.#fault("queues are empty", `${tab.name} has ${pending.length} pending`);
    const { cookie } = tab.client.status.get();
    if (tab.device.disk.meta?.cookie !== cookie) this.#fault("one cookie", `${tab.name}'s cookie is not the disk's`);
  }

  #judgeJournal(rows: readonly { readonly id: string; readonly tokens: string }[]): void {
    for (const made of this.#made) {
      const tokens = (rows.find(({ id }) => id === made.user)?.tokens ?? "").split(" ");
      const times = tokens.filter((token) => token === made.token).length;
      const { name, local, server, told, token } = made;
      if (times > 1) this.#fault("exactly once", `${token} took effect ${times} times`);
      if (name === "refused") {
        if (times > 0) this.#fault("refused: not at all", `${token} was refused and took effect`);
        if (told > 1 && !this.#hasRestored) this.#fault("told once", `${token} was told ${told} times`);
        if (server === "applied" && !this.#hasRestored)
          this.#fault("refused: not at all", `${token} was told to be applied`);
        if (local === "durable" && told === 0 && !this.#hasRestored && !made.tab.life.isDead)
          this.#fault("told once", `${token} was refused and never told`);
        continue;
      }
      if (server === "refused") this.#fault("refused: only by the app", `${token} (${name}) was refused`);
      if (local === "failed" && times > 0 && !made.tab.life.isDead)
        this.#fault("taken back: not at all", `${token} took effect`);
      const isLost = times === 0 && (local === "durable" || server === "applied");
      if (isLost && !this.#hasRestored) this.#fault("exactly once", `${token} (${name}, ${local}, ${server}) was lost`);
    }
    if (!this.#hasRestored) this.#judgeOrder(rows);
  }

  /** Tokens of one tab stand in the order in which it made them. */
  #judgeOrder(rows: readonly { readonly id: string; readonly tokens: string }[]): void {
    const last = new Map<SimTab, number>();
    for (const token of rows.flatMap(({ tokens }) => tokens.split(" ").filter((one) => one !== ""))) {
      const made = this.#made.find((one) => one.token === token);
      if (made === undefined) continue;
      const at = Number(token.slice(1));
      if (at < (last.get(made.tab) ?? -1)) this.#fault("order", `${token} came late`);
      last.set(made.tab, Math.max(at, last.get(made.tab) ?? -1));
    }
  }
}
