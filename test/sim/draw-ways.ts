// Owns: what runs have had since there are sockets, files and devices without a server: drawn from a source of its own and laid
// over a plain script, so that what older seeds draw stays what it was.

import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { laterRandom, USERS } from "./feature.ts";
import type { App } from "./app.ts";
import { drawCall, type DeviceWay, type Script, type Step } from "./script.ts";

/** The script with sockets, and with what can happen to them and to files. */
export function withWays(script: Script, app: App): Script {
  const hasFiles = app.tables.has("pictures");
  const random = laterRandom(script.seed).fork();
  const hasSockets = random.chance(0.6);
  const drawWay = (): DeviceWay => ({
    hasSocket: hasSockets && random.chance(0.7),
    isOffline: random.chance(0.08),
  });
  const hasPresence = random.chance(0.25);
  const ways = script.devices.map(drawWay);
  const cuts = random.chance(0.7);
  const steps = script.steps.map((step) => (cuts && step.do === "network" ? withCuts(random, step) : step));
  const kinds = {
    cut: hasSockets ? 3 : 0,
    stall: hasSockets && random.chance(0.3) ? 2 : 0,
    ban: hasSockets && random.chance(0.2) ? 2 : 0,
    collect: hasFiles ? 2 : 0,
    presence: hasPresence ? 3 : 0,
    online: ways.some(({ isOffline }) => isOffline) ? 1 : 0,
    // So that the weights are never empty.
    wait: 1,
  };
  for (let left = random.int(0, 10); left > 0; left--)
    steps.splice(random.int(0, steps.length), 0, drawLater(random, random.weighted(kinds)));
  drawPages(steps, script.seed);
  const finale = hasSockets ? Array.from({ length: 6 }, () => drawFinal(random, app)) : [];
  return { ...script, ways, steps, isPlain: false, finale, hasPresence };
}

/** Pages are hidden, shown and stopped: laid over all else by a source of its own. */
function drawPages(steps: Step[], seed: number): void {
  const random = new SimRandom(seed ^ 0x7ab5);
  if (random.chance(0.5)) return;
  for (let left = random.int(2, 10); left > 0; left--) {
    const tab = random.int(0, 7);
    const step: Step = random.chance(0.2)
      ? { do: "wait", ms: random.int(5_000, 20_000) }
      : { do: random.pick(["hide", "hide", "show", "stop page"] as const), tab };
    steps.splice(random.int(0, steps.length), 0, step);
  }
}

/** Connections break, and others change what their tabs must hear of. */
function drawFinal(random: SimRandom, app: App): Step {
  const tab = random.int(0, 7);
  if (random.chance(0.4)) return { do: "cut sockets", device: tab };
  if (random.chance(0.2)) return { do: "wait", ms: random.int(0, 400) };
  return { do: "mutate", tab, call: drawCall(random, app), shared: true, chained: false };
}

const withCuts = (random: SimRandom, step: Extract<Step, { do: "network" }>): Step => ({
  ...step,
  faults: { ...step.faults, socketCut: random.chance(0.5) ? 0 : random.fraction() * 0.2 },
});

function drawLater(random: SimRandom, kind: string): Step {
  const device = random.int(0, 7);
  switch (kind) {
    case "cut":
      return { do: "cut sockets", device };
    case "stall":
      return { do: random.pick(["stall", "unstall"] as const), device };
    case "ban":
      return { do: random.pick(["ban", "let in"] as const), user: random.pick(USERS) };
    case "collect":
      return { do: "collect", graceMs: random.pick([2000, 20_000]) };
    case "presence":
      return { do: "presence", tab: device };
    case "online":
      return { do: "go online", device };
    default:
      return { do: "wait", ms: random.int(0, 3000) };
  }
}
