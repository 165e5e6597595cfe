// Owns: SimWorld: real clients and a real server on virtual time: devices with their disks, tabs that come, freeze and die, the
// network between, the server's processes and its database. Everything follows from one seed.

import type { AnyMutators } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import { createClientOn } from "../client/client.ts";
import type { PlasmaClient, PlasmaClientOptions } from "../client/plasma-client.ts";
import type { SyncClientError } from "../client/sync/sync-error.ts";
import type { Env } from "../core/lib/env.ts";
import type { SocketConstructor } from "../client/transport/socket-like.ts";
// Loaded here, so that no run waits for a module in real time.
import "../client/transport/sync-socket.ts";
import "../client/blobs/client-files.ts";
import "../client/tabs/hand-over.ts";
import { PlasmaError } from "../core/error.ts";
import { simLocalBlobs } from "./sim-local-blobs.ts";
import { createSimEnv, SimClock, SimLife } from "./sim-clock.ts";
import { SimDatabase, type SimEngine } from "./sim-database-node.ts";
import { SimDisk, simStore } from "./sim-disk.ts";
import { calm, SimNetwork, type NetworkScope } from "./sim-network.ts";
import { SimRandom } from "./sim-random.ts";
import { SimSockets, type SocketScope } from "./sim-sockets.ts";
import { SimServer, steady, type SimServerApp } from "./sim-server.ts";
import { SimPage } from "./sim-page.ts";
import { SimSessionStorage, SimTabs } from "./sim-tabs.ts";

/** What the app gives to its clients; the rest is the world's. */
export type SimClientApp = Pick<
  PlasmaClientOptions<AnySchema, AnyMutators>,
  | "schema"
  | "mutators"
  | "schemaVersion"
  | "getContext"
  | "onSchemaMismatch"
  | "pollIntervalMs"
  | "pullPageSize"
  | "retry"
  | "authHeaders"
  | "offline"
> & {
  /** Makes the client's `subscribe` of its tab's WebSocket. */
  readonly subscribeWith?: (
    WebSocketImpl: SocketConstructor,
  ) => PlasmaClientOptions<AnySchema, AnyMutators>["subscribe"];
};

export interface DiskFaults {
  readonly operationMsMax: number;
  /** Probabilities for each operation. */
  readonly failure: number;
  readonly death: number;
}
export const sound: DiskFaults = { operationMsMax: 2, failure: 0, death: 0 };

export const ENDPOINT = "http://plasma.test/sync";
export const COORDINATOR_URL = "ws://plasma.test/sync/coordinator";

/** One browser profile of one person. */
export interface SimDevice {
  readonly name: string;
  readonly user: string;
  readonly disk: SimDisk;
  readonly tabs: SimTabs;
  readonly open: Set<SimTab>;
  /** Told when the platform says that there is a network, or none. */
  readonly networkListeners: Set<(online: boolean) => void>;
  /** What the platform says; a device that is cut off need not know it. */
  isOnline: boolean;
  faults: DiskFaults;
}

export interface SimTab {
  readonly name: string;
  readonly device: SimDevice;
  readonly life: SimLife;
  readonly page: SimPage;
  readonly client: PlasmaClient<AnySchema, AnyMutators>;
  readonly app: SimClientApp;
  readonly storage: SimSessionStorage;
  readonly skew: { ms: number };
  readonly env: Env;
  /** The page's own, for sockets beside the client's. */
  readonly WebSocketImpl: SocketConstructor;
}

export interface SimWorldOptions {
  readonly seed: number;
  readonly engine: SimEngine;
  readonly server: SimServerApp;
  /** Of the engine "d1"; see SimDatabase. */
  readonly statementsMax?: number;
  /** Told of everything that happens, for counts and traces. */
  readonly onNote?: (what: string, who: string | null) => void;
  readonly onHandled?: NetworkScope["onHandled"];
  readonly onFrame?: SocketScope["onFrame"];
  readonly proxy?: NetworkScope["proxy"];
  readonly onClientError?: (tab: string, error: SyncClientError) => void;
}

export class SimWorld {
  readonly clock = new SimClock();
  readonly random: SimRandom;
  readonly network: SimNetwork;
  readonly sockets: SimSockets;
  readonly server: SimServer;
  readonly database: SimDatabase;
  readonly devices: SimDevice[] = [];
  readonly #options: SimWorldOptions;
  #tabs = 0;

  constructor(options: SimWorldOptions) {
    this.#options = options;
    this.random = new SimRandom(options.seed);
    const { clock } = this;
    const note = (what: string, who?: string) => this.note(what, who);
    this.database = new SimDatabase(options.engine, options.statementsMax);
    const { database } = this;
    const onDeath = (life: SimLife) => this.sockets.buried(life);
    this.server = new SimServer({ clock, random: this.random.fork(), database, note, onDeath }, options.server);
    const server = () => this.server.running;
    const { onHandled, onFrame, proxy } = options;
    const wires = { clock, random: this.random.fork(), server, note };
    this.network = new SimNetwork({
      ...wires,
      ...(onHandled === undefined ? {} : { onHandled }),
      ...(proxy === undefined ? {} : { proxy }),
    });
    this.sockets = new SimSockets({
      ...wires,
      // Of its own, so that worlds without sockets draw what they drew before there were any.
      random: new SimRandom(options.seed ^ 0x50c4e75),
      faults: () => this.network.faults,
      isCutOff: (device) => this.network.cutOff.has(device),
      ...(onFrame === undefined ? {} : { onFrame }),
    });
    this.server.start();
  }

  note(what: string, who: string | null = null): void {
    this.#options.onNote?.(what, who);
  }

  addDevice(user: string): SimDevice {
    const device: SimDevice = {
      name: `${user}'s device ${this.devices.length + 1}`,
      user,
      disk: new SimDisk(),
      tabs: new SimTabs(this.clock, this.random.fork(), (what, who) => this.note(what, who)),
      open: new Set(),
      networkListeners: new Set(),
      isOnline: true,
      faults: sound,
    };
    this.devices.push(device);
    return device;
  }

  /** The device knows that it has a network, or none. */
  setOnline(device: SimDevice, online: boolean): void {
    device.isOnline = online;
    if (online) this.network.cutOff.delete(device.name);
    else this.network.cutOff.add(device.name);
    for (const listener of device.networkListeners) listener(online);
    this.note(online ? "network: device online" : "network: device offline");
  }

  /** Opens a tab; one that follows another in the same place keeps its sessionStorage. */
  openTab(device: SimDevice, app: SimClientApp, storage = new SimSessionStorage()): SimTab {
    const name = `tab ${(this.#tabs += 1)}`;
    const life = new SimLife(name);
    const page = new SimPage(life);
    const skew = { ms: 0 };
    const random = this.random.fork();
    const gate = (when: "before" | "after", operation: string) =>
      this.#passDisk(device, { name, life, random }, `${when} ${operation}`);
    const env = createSimEnv(this.clock, { life, random: random.fork(), skew });
    const WebSocketImpl = this.#webSocketOf(device, life, app);
    const client = createClientOn(
      ({ database, schema, schemaVersion }) => ({
        links: device.tabs.links(life),
        identity: storage.take(database, env),
        store: simStore({
          disk: device.disk,
          schema,
          schemaVersion,
          env,
          gate,
          note: (what) => this.note(what, name),
        }),
        openBlobs: async () => simLocalBlobs({ disk: device.disk.files, env, gate }),
        watchPage: (onEvent) => page.watch(onEvent),
        watchNetwork: (onChange) => {
          const listener = (online: boolean) => life.run(() => onChange(online));
          device.networkListeners.add(listener);
          return { online: () => device.isOnline, close: () => void device.networkListeners.delete(listener) };
        },
      }),
      {
        ...this.#connected(device, life, { ...app, WebSocketImpl }),
        dbName: "world",
        endpoint: ENDPOINT,
        clientGroupID: device.user,
        env,
        onError: (error) => this.#options.onClientError?.(name, error),
      },
    );
    const tab: SimTab = { name, device, life, page, client, app, storage, skew, env, WebSocketImpl };
    device.open.add(tab);
    this.note("tab: opened", name);
    return tab;
  }

  /** A page's cookies go with its sockets. */
  #webSocketOf(device: SimDevice, life: SimLife, { authHeaders }: SimClientApp): SocketConstructor {
    const who = { clientID: "", clientGroupID: device.user };
    const headers = () => (authHeaders?.(who) ?? { "x-user": device.user }) as HeadersInit;
    return this.sockets.webSocketOf({ device: device.name, life, headers });
  }

  /** The app's options, with how its client reaches the server. */
  #connected(
    device: SimDevice,
    life: SimLife,
    { subscribeWith, WebSocketImpl, ...app }: SimClientApp & Pick<SimTab, "WebSocketImpl">,
  ) {
    const subscribe = subscribeWith?.(WebSocketImpl);
    return {
      authHeaders: () => ({ "x-user": device.user }),
      ...app,
      fetcher: app.offline === true ? this.#noRequest(life.name) : this.network.fetcher(device.name, life),
      ...(subscribe === undefined ? {} : { subscribe }),
    };
  }

  /** What a client without a server asks, nobody answers, and the world says so. */
  #noRequest(tab: string): (request: Request) => Promise<Response> {
    return async (request) => {
      this.note(`offline: asked for ${request.method} ${request.url}`, tab);
      throw new TypeError("Failed to fetch");
    };
  }

  /** Ends the tab where it stands, as a crash does. */
  kill(tab: SimTab): void {
    if (tab.life.isDead) return;
    tab.life.die();
    tab.device.open.delete(tab);
    this.buried(tab);
    this.note("tab: killed", tab.name);
  }

  /** Closes the tab in order. */
  async close(tab: SimTab): Promise<void> {
    this.note("tab: closed", tab.name);
    tab.device.open.delete(tab);
    const closed = tab.client.close();
    await this.clock.advance(200);
    await closed;
    tab.life.die();
    this.buried(tab);
  }

  /** Ends what a dead tab held. */
  buried({ life, device }: SimTab): void {
    device.tabs.buried(life);
    this.sockets.buried(life);
  }

  #passDisk(
    device: SimDevice,
    { name, life, random }: { readonly name: string; readonly life: SimLife; readonly random: SimRandom },
    what: string,
  ): Promise<void> {
    const { faults } = device;
    return new Promise((resolve, reject) => {
      this.clock.after(random.int(0, faults.operationMsMax), life, () => {
        if (random.chance(faults.death)) {
          this.note(`disk: tab died ${what}`, name);
          const tab = [...device.open].find((open) => open.life === life);
          if (tab !== undefined) this.kill(tab);
          return;
        }
        if (what.startsWith("before") && random.chance(faults.failure)) {
          this.note(`disk: failed ${what}`, name);
          return reject(new PlasmaError("client/storage", { what: "the simulated disk is full" }));
        }
        return resolve();
      });
    });
  }

  /** All faults end, whatever was frozen goes on, and time passes until nothing is pending. */
  async calmDown(ms: number): Promise<void> {
    for (const device of this.devices) {
      device.faults = sound;
      for (const tab of device.open) tab.page.resume();
    }
    this.network.cutOff.clear();
    this.network.faults = calm;
    this.server.faults = steady;
    if (this.server.running === null) this.server.start();
    await this.clock.advance(ms);
  }
}
