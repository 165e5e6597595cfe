// Owns: Script: what happens in a run, as plain data, so that it can be drawn, cut down and printed.
// Invariants:
//   1. Tabs and devices are named by number, taken modulo how many there are: a script without some of its steps runs as well.

import { USERS, type Call } from "./feature.ts";
import type { App } from "./app.ts";
import type { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import type { DiskFaults } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import type { NetworkFaults } from "../../packages/plasma-sync/src/testing/sim-network.ts";
import type { ServerFaults } from "../../packages/plasma-sync/src/testing/sim-server.ts";

export type Step =
  | {
      readonly do: "mutate";
      readonly tab: number;
      readonly call: Call;
      readonly shared: boolean;
      readonly chained: boolean;
    }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "cut off" | "join" | "open"; readonly device: number }
  | { readonly do: "network"; readonly faults: NetworkFaults }
  | { readonly do: "disk"; readonly device: number; readonly faults: DiskFaults }
  | { readonly do: "database"; readonly faults: ServerFaults }
  | {
      readonly do: "kill" | "freeze" | "resume" | "close" | "reload" | "crash" | "reset" | "pull" | "flush";
      readonly tab: number;
    }
  | { readonly do: "upgrade tab"; readonly tab: number }
  | { readonly do: "clock"; readonly tab: number | "server"; readonly ms: number }
  | { readonly do: "kill server" | "start server" | "backup" | "restore" }
  | { readonly do: "upgrade server"; readonly accept: boolean }
  | { readonly do: "compact"; readonly keepMs: number }
  | { readonly do: "role"; readonly user: string; readonly role: "reader" | "admin" }
  | { readonly do: "rate limit"; readonly on: boolean }
  | { readonly do: "sign out" | "sign in"; readonly user: string }
  | { readonly do: "raw"; readonly name: string; readonly seed: number }
  | { readonly do: "cut sockets" | "stall" | "unstall" | "go online"; readonly device: number }
  | { readonly do: "presence"; readonly tab: number }
  | { readonly do: "hide" | "show" | "stop page"; readonly tab: number }
  | { readonly do: "ban" | "let in"; readonly user: string }
  | { readonly do: "collect"; readonly graceMs: number };

/** How a device is connected, beside its requests. */
export interface DeviceWay {
  /** It is told of changes by a socket, and polls so seldom that only that explains what it shows. */
  readonly hasSocket: boolean;
  /** Its app begins as one without a server. */
  readonly isOffline: boolean;
}

export const POLLS: DeviceWay = { hasSocket: false, isOffline: false };

export interface Script {
  readonly seed: number;
  readonly engine: "sqlite" | "d1";
  /** Of the engine "d1": few cut pushes short. */
  readonly statementsMax: number;
  readonly pullPageSize: number;
  readonly maxMutationsPerPush: number;
  /** The user of each device. */
  readonly devices: readonly string[];
  /** Of each device. */
  readonly ways: readonly DeviceWay[];
  /** Tabs show themselves to each other. */
  readonly hasPresence: boolean;
  /** Drawn as before there were sockets, files and devices without a server. */
  readonly isPlain: boolean;
  readonly steps: readonly Step[];
  /** Behind the end of all faults, when everybody has all: what happens then must reach those with sockets through them. */
  readonly finale: readonly Step[];
}

const LIFE = { kill: 2, freeze: 2, resume: 3, close: 1, reload: 2, crash: 2, pull: 2, flush: 2 } as const;

/** A run's script as it was before there were sockets. Rare things (backups, upgrades, resets) are in some runs only, so that the others are held to more. */
export function drawScript(seed: number, random: SimRandom, app: App): Script {
  const has = (probability: number) => random.chance(probability);
  const weights = {
    mutate: 24,
    wait: 8,
    network: has(0.8) ? 2 : 0,
    cut: has(0.6) ? 2 : 0,
    open: 1.5,
    life: has(0.8) ? 6 : 0,
    disk: has(0.4) ? 2.5 : 0,
    database: has(0.5) ? 1.5 : 0,
    server: has(0.5) ? 1.5 : 0,
    clock: has(0.3) ? 1 : 0,
    backup: has(0.2) ? 2 : 0,
    upgrade: has(0.2) ? 1.5 : 0,
    compact: has(0.3) ? 1.5 : 0,
    role: has(0.25) ? 1 : 0,
    limit: has(0.15) ? 1.5 : 0,
    sign: has(0.15) ? 1.5 : 0,
    reset: has(0.06) ? 1 : 0,
    raw: app.raw.size > 0 ? 2 : 0,
  };
  const count = random.int(20, 60);
  const script: Omit<Script, "ways" | "isPlain" | "finale" | "hasPresence"> = {
    seed,
    engine: has(0.5) ? "d1" : "sqlite",
    statementsMax: has(0.3) ? random.int(25, 60) : 900,
    pullPageSize: has(0.5) ? random.int(2, 12) : 1000,
    maxMutationsPerPush: has(0.2) ? random.int(1, 3) : 200,
    devices: Array.from({ length: random.int(2, 3) }, () => random.pick(USERS)),
    steps: Array.from({ length: count }, () => drawStep(random, app, random.weighted(weights))),
  };
  return { ...script, ways: script.devices.map(() => POLLS), isPlain: true, finale: [], hasPresence: false };
}

function drawStep(random: SimRandom, app: App, kind: string): Step {
  const tab = random.int(0, 7);
  const device = random.int(0, 7);
  switch (kind) {
    case "mutate":
      return {
        do: "mutate",
        tab,
        call: drawCall(random, app),
        shared: random.chance(0.8),
        chained: random.chance(0.3),
      };
    case "network":
      return { do: "network", faults: drawNetwork(random) };
    case "cut":
      return { do: random.pick(["cut off", "join"] as const), device };
    case "open":
      return { do: "open", device };
    case "life":
      return { do: random.weighted(LIFE), tab };
    case "disk":
      return { do: "disk", device, faults: drawDisk(random) };
    case "database":
      return { do: "database", faults: drawDatabase(random) };
    case "server":
      return { do: random.pick(["kill server", "start server"] as const) };
    case "clock":
      return { do: "clock", tab: random.chance(0.3) ? "server" : tab, ms: random.int(-600_000, 3_600_000) };
    case "backup":
      return { do: random.pick(["backup", "restore"] as const) };
    case "upgrade":
      return random.chance(0.5) ? { do: "upgrade server", accept: random.chance(0.7) } : { do: "upgrade tab", tab };
    case "compact":
      return { do: "compact", keepMs: random.pick([0, 0, 500, 5000]) };
    case "role":
      return { do: "role", user: random.pick(USERS), role: random.pick(["reader", "admin"] as const) };
    case "limit":
      return { do: "rate limit", on: random.chance(0.5) };
    case "sign":
      return { do: random.pick(["sign out", "sign in"] as const), user: random.pick(USERS) };
    case "reset":
      return { do: "reset", tab };
    case "raw":
      return { do: "raw", name: random.pick([...app.raw.keys()]), seed: random.uint32() };
    default:
      return { do: "wait", ms: random.chance(0.1) ? random.int(2_000, 20_000) : random.int(0, 800) };
  }
}

/** A call of a mutator of the app. */
export function drawCall(random: SimRandom, app: App): Call {
  const weights = Object.fromEntries([...app.mutatorsByName].map(([name, { weight }]) => [name, weight]));
  const name = random.weighted(weights);
  return { name, args: app.mutatorsByName.get(name)?.draw(random) ?? {} };
}

const some = (random: SimRandom, most: number): number => (random.chance(0.5) ? 0 : random.fraction() * most);

const drawNetwork = (random: SimRandom): NetworkFaults => ({
  delayMsMax: random.pick([5, 50, 400]),
  lostRequest: some(random, 0.3),
  lostAnswer: some(random, 0.4),
  duplicate: some(random, 0.4),
  badGateway: some(random, 0.2),
  socketCut: 0,
});

const drawDisk = (random: SimRandom): DiskFaults => ({
  operationMsMax: random.pick([2, 2, 60]),
  failure: some(random, 0.2),
  death: some(random, 0.12),
});

const drawDatabase = (random: SimRandom): ServerFaults => ({
  statementMsMax: random.pick([1, 1, 15]),
  failure: some(random, 0.05),
  death: some(random, 0.01),
});
