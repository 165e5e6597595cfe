// Owns: runSeed: one run from one integer.

import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { generateApp } from "./app.ts";
import type { TraceLine } from "./history.ts";
import { Run } from "./run-script.ts";
import { withWays } from "./draw-ways.ts";
import { drawScript, type Script } from "./script.ts";

export interface SeedResult {
  /** What went wrong first; null when nothing did. */
  readonly violation: string | null;
  /** How often each fault and each branch of the protocol occurred. */
  readonly coverage: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  readonly script: Script;
  readonly trace: readonly TraceLine[];
}

/** A plain one is as it was before there were sockets, files and devices without a server. */
export function scriptOf(seed: number, isPlain = false): Script {
  const app = generateApp(seed, isPlain).v1;
  const script = drawScript(seed, new SimRandom(seed).fork(), app);
  return isPlain ? script : withWays(script, app);
}

/** Runs the seed's script. Equal seeds give equal results. */
export const runSeed = (seed: number, isPlain = false): Promise<SeedResult> => runScript(scriptOf(seed, isPlain));

export async function runScript(script: Script): Promise<SeedResult> {
  const run = new Run(script);
  try {
    await run.run();
  } catch (error) {
    run.history.violate(`the run itself failed: ${(error as Error).stack ?? String(error)}`);
  }
  const { violation, counts, trace } = run.history;
  return { violation, coverage: counts, virtualMs: run.world.clock.elapsedMs, script, trace };
}
