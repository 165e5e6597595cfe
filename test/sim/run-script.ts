// Owns: runScript: one run of a script, up to its end in peace, with every oracle asked on the way.

import type { SyncClientError } from "../../packages/plasma-sync/src/client/sync/sync-error.ts";
import { runMigrations } from "../../packages/plasma-sync/src/server/migration/run-migrations.ts";
import type { SyncServerError } from "../../packages/plasma-sync/src/server/sync/sync-server-error.ts";
import type { SimBackup } from "../../packages/plasma-sync/src/testing/sim-database-node.ts";
import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { SimWorld, type SimDevice, type SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import { generateApp, type App } from "./app.ts";
import { checkEnd } from "./check-end.ts";
import { answerSeen, errorTold, noteSeen } from "./coverage.ts";
import { conflicts } from "./features-shared.ts";
import type { Ctx } from "./feature.ts";
import { History } from "./history.ts";
import { codeOf, makeCall } from "./make-call.ts";
import type { RunScope } from "./run-scope.ts";
import { POLLS, type DeviceWay, type Script, type Step } from "./script.ts";
import { refusesUnwanted } from "./features-files.ts";
import { frameSeen, subscribeWith } from "./watch-sockets.ts";
import { PresenceWatch } from "./watch-presence.ts";
import { watchTab } from "./watch-tab.ts";

const POLL_MS = 2000;
/** Of those who have a socket: so far off that a poll explains little of what they show. */
const FAR_POLL_MS = 60_000;
/** What tabs say to each other has arrived. */
const QUIET_MS = 1000;
/** Within so long a tab finds out that its connection is dead, and is connected again. */
const RECONNECT_MS = 40_000;
/** Longer than every wait of a client: its retries, a poll, a request that nobody answers. */
const OUTLIVE_MS = 90_000;

export class Run implements RunScope {
  readonly history = new History();
  readonly world: SimWorld;
  readonly apps: { readonly v1: App; readonly v2: App };
  readonly roles = new Map<string, Ctx["role"]>();
  /** Who has ever been one. */
  readonly wasAdmin = new Set<string>();
  readonly signedOut = new Set<string>();
  /** Users whom no room lets in. */
  readonly #banned = new Set<string>();
  readonly #everBanned = new Set<string>();
  isLimited = false;
  serverVersion: App["version"] = "v1";
  acceptsOld = true;
  readonly presence = new PresenceWatch(this);
  readonly #script: Script;
  /** Devices whose app has a server now, though it began without. */
  readonly #joined = new Set<SimDevice>();
  #backup: SimBackup | null = null;
  #downSteps = 0;
  #tokens = 0;
  #tabs = 0;

  constructor(script: Script) {
    this.#script = script;
    this.apps = generateApp(script.seed, script.isPlain);
    const { history } = this;
    this.world = new SimWorld({
      seed: script.seed,
      engine: script.engine,
      statementsMax: script.statementsMax,
      server: this.#serverApp(),
      onNote: (what, who) => {
        noteSeen(history, what);
        this.trace(who ?? "world", what);
        const device = who === null ? undefined : this.#deviceOf(who);
        if (device !== undefined && (what.startsWith("disk: tab died") || what === "tab: killed"))
          history.deaths.add(device);
        if (device !== undefined && what.startsWith("disk: failed")) history.failures.add(device);
        if (device !== undefined && what.startsWith("lead: taken from")) history.steals.add(device);
        if (what.startsWith("offline: asked")) history.violate(`${who} is offline, and ${what}`);
      },
      onHandled: (request, answer) => answerSeen(this, request, answer),
      onFrame: (frame) => frameSeen(this, frame),
      proxy: refusesUnwanted,
      onClientError: (tab, error) => this.#clientError(tab, error),
    });
  }

  trace(who: string, what: string): void {
    this.history.trace.push({ ms: this.world?.clock.elapsedMs ?? 0, who, what });
  }

  async run(): Promise<void> {
    const { world, history } = this;
    const resolvedBefore = conflicts.resolved;
    await this.during(runMigrations({ schema: this.apps.v1.schema, executor: world.database.executor }));
    await this.during(this.apps.v1.seed(world.server.db));
    for (const user of this.#script.devices) this.#open(this.#addDevice(user), this.apps.v1);
    await world.clock.advance(50);
    for (const step of this.#script.steps) {
      await this.#step(step);
      if (history.violation !== null) return;
      if (world.server.running === null && (this.#downSteps += 1) > 3) world.server.start(this.#serverApp());
      if (world.server.running !== null) this.#downSteps = 0;
      await world.clock.advance(5);
    }
    await this.#settle();
    if (history.violation === null) await checkEnd(this);
    if (history.violation === null) await this.presence.check();
    history.count("resolveConflict ran", conflicts.resolved - resolvedBefore);
    world.database.close();
  }

  get openTabs(): SimTab[] {
    return this.world.devices.flatMap((device) => [...device.open]);
  }

  appOf(tab: SimTab): App {
    return this.apps[tab.app.schemaVersion as App["version"]];
  }

  who(user: string): Ctx {
    return { userId: user, role: this.roles.get(user) ?? "reader" };
  }

  /** Lets time pass until it has ended. */
  async during<T>(work: Promise<T>): Promise<T> {
    const progress = { isOver: false };
    const over = () => {
      progress.isOver = true;
    };
    work.then(over, over);
    for (let i = 0; i < 2000 && !progress.isOver; i++) await this.world.clock.advance(i < 50 ? 1 : 20);
    return work;
  }

  #serverApp() {
    const { apps, history } = this;
    const app = apps[this.serverVersion];
    return {
      schema: app.schema,
      mutators: app.mutators.server,
      schemaVersion: this.serverVersion,
      ...(this.serverVersion === "v2" && this.acceptsOld ? { acceptSchemaVersions: { v1: apps.v1.schema } } : {}),
      maxMutationsPerPush: this.#script.maxMutationsPerPush,
      auth: (request: Request) => {
        const user = request.headers.get("x-user") ?? "";
        if (this.signedOut.has(user)) return { ok: false as const, reason: "signed out" };
        const ctx = this.who(user);
        return { ok: true as const, clientGroupID: user, ctx: ctx as never, ctxKey: ctx.role };
      },
      authorizeRoom: ({ ctx }: { readonly ctx: unknown }) => !this.#banned.has((ctx as Ctx).userId),
      rateLimit: () => (this.isLimited ? { ok: false as const, retryAfterSeconds: 1 } : { ok: true as const }),
      onError: ({ kind, message, cause }: SyncServerError) => {
        history.count(`server told: ${kind}`);
        this.trace(
          "server",
          `${kind}: ${message} ${String(cause)} ${cause instanceof Error ? String(cause.cause) : ""}`,
        );
      },
      onMetric: (metric: { readonly type: string } & object) => {
        const numbers = metric as unknown as { readonly [name: string]: number | boolean };
        for (const name of ["guardConflicts", "duplicates", "applied", "rejected", "resync"])
          if (numbers[name] !== undefined && Number(numbers[name]) > 0)
            history.count(`${metric.type}: ${name}`, Number(numbers[name]));
      },
    };
  }

  #clientError(tab: string, error: SyncClientError): void {
    errorTold(this.history, error);
    if ("error" in error && codeOf(error.error).startsWith("bug/"))
      this.history.violate(`${tab} was told of a bug: ${error.message}`);
    this.trace(tab, `told: ${error.kind} ${"code" in error ? error.code : ""} ${error.message}`);
    if (error.kind !== "mutation-rejected") return;
    const record = this.history.calls.get((error.args as { readonly token: string }).token);
    if (record === undefined) return this.history.violate(`${tab} was told of a refusal that nobody made`);
    record.told += 1;
  }

  #deviceOf(tab: string): string | undefined {
    return this.#deviceNames.get(tab);
  }
  readonly #deviceNames = new Map<string, string>();

  #addDevice(user: string): SimDevice {
    const device = this.world.addDevice(user);
    const { disk } = device;
    const append = disk.append.bind(disk);
    disk.append = (entries) => {
      for (const { args } of entries) this.history.appended((args as { readonly token: string }).token);
      append(entries);
    };
    const apply = disk.apply.bind(disk);
    disk.apply = (commit) => {
      if ((commit.replace?.length ?? 0) > 0) this.history.count("renumbered");
      apply(commit);
    };
    return device;
  }

  #open(device: SimDevice, app: App, storage?: SimTab["storage"]): SimTab {
    const { userId } = this.who(device.user);
    const kept = device.disk.meta?.firstSync;
    if (kept !== undefined && !kept.done && kept.rows > 0) this.history.count("first sync interrupted");
    const name = `tab ${(this.#tabs += 1)}`;
    const { isOffline, hasSocket } = this.#wayOf(device);
    if (isOffline) this.history.count("tab: opened without a server");
    const tab = this.world.openTab(
      device,
      {
        schema: app.schema,
        mutators: app.mutators.client,
        schemaVersion: app.version,
        getContext: () => {
          // Asked once per rebase that replays, and once per call.
          this.history.ran(name);
          return { userId, role: "reader" };
        },
        pollIntervalMs: hasSocket ? FAR_POLL_MS : POLL_MS,
        ...(isOffline ? { offline: true } : {}),
        ...(hasSocket ? { subscribeWith: (WebSocketImpl) => subscribeWith(this, WebSocketImpl) } : {}),
        pullPageSize: this.#script.pullPageSize,
        retry: { maxAttempts: 4, initialDelayMs: 100, maxDelayMs: 1500 },
      },
      storage,
    );
    this.#deviceNames.set(tab.name, device.name);
    this.trace(tab.name, `on ${device.name}, ${app.version}`);
    if (this.#script.hasPresence && !isOffline) this.presence.enter(tab);
    watchTab(this, tab);
    return tab;
  }

  /** How the device is connected now. */
  #wayOf(device: SimDevice): DeviceWay {
    const way = this.#script.ways[this.world.devices.indexOf(device)] ?? POLLS;
    return { ...way, isOffline: way.isOffline && !this.#joined.has(device) };
  }

  async #step(step: Step): Promise<void> {
    const { world, history } = this;
    if (step.do !== "mutate") this.trace("script", JSON.stringify(step));
    if (step.do !== "wait" && step.do !== "mutate") history.count(`step: ${step.do}`);
    const tabs = this.openTabs;
    const tabOf = (index: number) => tabs[index % Math.max(1, tabs.length)];
    const deviceOf = (index: number) => world.devices[index % world.devices.length] as SimDevice;
    switch (step.do) {
      case "mutate": {
        const tab = tabOf(step.tab);
        if (tab !== undefined) this.#mutate(tab, step);
        return;
      }
      case "wait":
        return world.clock.advance(step.ms);
      case "cut off":
        return void world.network.cutOff.add(deviceOf(step.device).name);
      case "join":
        return void world.network.cutOff.delete(deviceOf(step.device).name);
      case "open":
        if (tabs.length < 5) this.#open(deviceOf(step.device), this.#versionOf(deviceOf(step.device)));
        return;
      case "network":
        world.network.faults = step.faults;
        return;
      case "disk":
        deviceOf(step.device).faults = step.faults;
        return;
      case "database":
        world.server.faults = step.faults;
        return;
      case "clock": {
        const skew = step.tab === "server" ? world.server.skew : tabOf(step.tab)?.skew;
        if (skew !== undefined) skew.ms += step.ms;
        return;
      }
      case "role":
        this.roles.set(step.user, step.role);
        if (step.role === "admin") this.wasAdmin.add(step.user);
        // As an app does whose rights have changed.
        world.server.poke();
        return;
      case "rate limit":
        this.isLimited = step.on;
        return;
      case "sign out":
        return void this.signedOut.add(step.user);
      case "sign in":
        return void this.signedOut.delete(step.user);
      case "cut sockets":
        return world.sockets.cut(deviceOf(step.device).name);
      case "stall":
      case "unstall":
        return world.sockets.stall(deviceOf(step.device).name, step.do === "stall");
      case "presence": {
        const tab = tabOf(step.tab);
        return tab === undefined ? undefined : this.presence.show(tab);
      }
      case "ban":
        this.#banned.add(step.user);
        this.#everBanned.add(step.user);
        return;
      case "let in":
        return void this.#banned.delete(step.user);
      case "collect":
        void world.server.collect(step.graceMs).catch(() => undefined);
        return;
      case "go online":
        this.#joined.add(deviceOf(step.device));
        return;
      case "raw":
      case "compact":
      case "kill server":
      case "start server":
      case "backup":
      case "restore":
      case "upgrade server":
        return this.#serverStep(step);
      default: {
        const tab = tabOf(step.tab);
        if (tab !== undefined) await this.#tabStep(tab, step.do);
      }
    }
  }

  /** What a new tab of the device loads: no older app than the one that it has loaded before. */
  #versionOf(device: SimDevice): App {
    const isNew =
      device.disk.meta?.schemaVersion === "v2" || [...device.open].some((tab) => tab.app.schemaVersion === "v2");
    return isNew ? this.apps.v2 : this.apps.v1;
  }

  #mutate(tab: SimTab, step: Extract<Step, { do: "mutate" }>): void {
    const token = `m${(this.#tokens += 1)}`;
    makeCall(this, tab, { ...step, token });
  }

  async #tabStep(tab: SimTab, what: string): Promise<void> {
    const { world, history } = this;
    const { device } = tab;
    switch (what) {
      case "kill":
        return world.kill(tab);
      case "freeze":
        return tab.life.freeze();
      case "resume":
        return tab.page.resume();
      case "hide":
      case "show":
        return tab.page.show(what === "show");
      case "stop page":
        this.history.steals.add(device.name);
        return tab.page.stop();
      case "crash":
        world.kill(tab);
        this.#open(device, this.#versionOf(device), tab.storage);
        return;
      case "pull":
        if (!tab.life.isFrozen) void tab.client.pullOnce().catch(() => undefined);
        return;
      case "flush":
        if (!tab.life.isFrozen) void tab.client.flush().catch(() => undefined);
        return;
      case "reset":
        if (tab.life.isFrozen || tab.app.offline === true) return;
        history.resets.add(device.name);
        void tab.client.resetLocalState().catch(() => undefined);
        return;
      case "close":
      case "reload":
      case "upgrade tab": {
        await this.#close(tab);
        if (what !== "close")
          this.#open(device, what === "reload" ? this.#versionOf(device) : this.apps.v2, tab.storage);
        return;
      }
      default:
        throw new Error(`No step "${what}".`);
    }
  }

  /** Closes in order what can, and ends the rest. */
  async #close(tab: SimTab): Promise<void> {
    if (tab.life.isFrozen) return this.world.kill(tab);
    tab.device.open.delete(tab);
    this.presence.leave(tab);
    const progress = { isOver: false };
    const over = () => {
      progress.isOver = true;
    };
    tab.client.close().then(over, over);
    for (let i = 0; i < 20 && !progress.isOver; i++) await this.world.clock.advance(10);
    this.world.note("tab: closed", tab.name);
    // What it was about to tell, nobody hears.
    this.history.deaths.add(tab.device.name);
    tab.life.die();
    this.world.buried(tab);
  }

  async #serverStep(step: Step): Promise<void> {
    const { world, history } = this;
    switch (step.do) {
      case "raw":
        if (world.server.running === null) return;
        void this.#rawWrite(step.name, step.seed);
        return;
      case "compact":
        void world.server.compact(step.keepMs).catch(() => undefined);
        return;
      case "kill server":
        return world.server.kill();
      case "start server":
        if (world.server.running === null) world.server.start(this.#serverApp());
        return;
      case "backup":
        for (let i = 0; i < 100 && world.database.isInTransaction; i++) await world.clock.advance(1);
        if (!world.database.isInTransaction) this.#backup = world.database.backup();
        return;
      case "restore":
        if (this.#backup === null) return;
        history.restoredMs = world.clock.elapsedMs;
        history.count("backup restored");
        world.server.restore(this.#backup);
        await this.#migrate();
        return;
      case "upgrade server":
        if (this.serverVersion === "v2") return;
        this.acceptsOld = step.accept;
        return this.#upgradeServer();
      default:
    }
  }

  async #rawWrite(name: string, seed: number): Promise<void> {
    try {
      await this.apps[this.serverVersion].raw.get(name)?.(this.world.server.db, new SimRandom(seed));
      this.world.server.poke();
    } catch (error) {
      this.trace("server", `raw write failed: ${String(error)}`);
    }
  }

  async #upgradeServer(): Promise<void> {
    this.world.server.kill();
    this.serverVersion = "v2";
    await this.#migrate();
    this.world.server.start(this.#serverApp());
  }

  /** The database may be older than the server. */
  async #migrate(): Promise<void> {
    const { schema } = this.apps[this.serverVersion];
    await this.during(runMigrations({ schema, executor: this.world.database.executor }));
  }

  async #settle(): Promise<void> {
    const { world, signedOut } = this;
    this.trace("script", "all faults end");
    signedOut.clear();
    this.#banned.clear();
    this.isLimited = false;
    for (const tab of this.openTabs) tab.page.resume();
    const needsNew = world.devices.some(({ disk }) => disk.meta?.schemaVersion === "v2");
    if (needsNew || this.openTabs.some((tab) => tab.app.schemaVersion === "v2"))
      if (this.serverVersion === "v1") await this.#upgradeServer();
    await world.calmDown(100);
    for (const device of world.devices) {
      this.#joined.add(device);
      const mustUpgrade = (this.serverVersion === "v2" && !this.acceptsOld) || this.#versionOf(device).version === "v2";
      const tabs = [...device.open];
      for (const tab of tabs) {
        // A client whose database could not be opened stays so until its page is loaded again.
        const isDead = !this.history.loaded.has(tab.name) && this.history.failures.has(device.name);
        const mustReload =
          isDead ||
          tab.app.offline === true ||
          this.#everBanned.has(device.user) ||
          (mustUpgrade && tab.app.schemaVersion !== "v2");
        if (!mustReload) continue;
        await this.#close(tab);
        this.#open(device, mustUpgrade ? this.apps.v2 : this.#versionOf(device), tab.storage);
      }
      if (device.open.size === 0) this.#open(device, mustUpgrade ? this.apps.v2 : this.apps.v1);
    }
    // A request that nobody answers may hang as long as its client waits at most.
    const isBusy = () =>
      this.openTabs.some(({ client }) => {
        const { outboxDepth, syncing, firstSync } = client.status.get();
        return outboxDepth > 0 || syncing || !firstSync.done;
      });
    for (let ms = 0; ms < OUTLIVE_MS && (ms < QUIET_MS || isBusy()); ms += 500) await world.calmDown(500);
    // All have pulled what the last push changed.
    await world.calmDown(2 * POLL_MS + QUIET_MS);
    if (this.#script.ways.some(({ hasSocket }) => hasSocket)) await this.#endWithSockets();
  }

  /** Who has a socket has all by a flush, which wakes what rests until the next poll, and then hears of everything by the socket, though connections still break. */
  async #endWithSockets(): Promise<void> {
    for (const { client } of this.openTabs) void client.flush().catch(() => undefined);
    await this.world.calmDown(QUIET_MS);
    for (const step of this.#script.finale) await this.#step(step);
    await this.world.calmDown(RECONNECT_MS);
  }
}
