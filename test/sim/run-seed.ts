// Owns: runSeed: one run from one integer.

import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { generateApp } from "./app.ts";
import type { TraceLine } from "./history.ts";
import { Run } from "./run-script.ts";
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

export const scriptOf = (seed: number): Script => drawScript(seed, new SimRandom(seed).fork(), generateApp(seed).v1);

/** Runs the seed's script. Equal seeds give equal results. */
export const runSeed = (seed: number): Promise<SeedResult> => runScript(scriptOf(seed));

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
