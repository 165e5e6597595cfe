// Owns: shrinkScript: the shortest script that still goes wrong in the same way.

import { runScript } from "./run-seed.ts";
import type { Script, Step } from "./script.ts";

/** Each try is a run. */
const TRIES_MAX = 250;

/** What went wrong, without its numbers and names: another of the same kind may take its place. */
export const kindOf = (violation: string): string =>
  violation
    .replaceAll(/[a-z]+'s device \d+|\b[a-z]+\d+(\/\d)?\b|\btab \d+|\d+|"[^"]*"|\[[^\]]*\]/g, "…")
    .replaceAll(/\([^)]*\)/g, "")
    .slice(0, 60);

/** Removes steps, many at once, then fewer; then whatever else can be plainer. */
export async function shrinkScript(script: Script, violation: string): Promise<Script> {
  let tries = 0;
  const wanted = kindOf(violation);
  const fails = async (candidate: Script): Promise<boolean> => {
    if ((tries += 1) > TRIES_MAX) return false;
    const result = await runScript(candidate);
    return result.violation !== null && kindOf(result.violation) === wanted;
  };
  let best = script;
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.steps.length;) {
      const steps = [...best.steps.slice(0, at), ...best.steps.slice(at + size)];
      const candidate = { ...best, steps };
      if (await fails(candidate)) best = candidate;
      else at += size;
    }
  }
  for (const plainer of plainerScripts(best)) if (await fails({ ...best, ...plainer })) best = { ...best, ...plainer };
  for (let i = 0; i < best.steps.length; i++) {
    const steps = best.steps.map((step, at) => (at === i ? plainerStep(step) : step));
    if (JSON.stringify(steps) !== JSON.stringify(best.steps) && (await fails({ ...best, steps })))
      best = { ...best, steps };
  }
  return best;
}

const plainerScripts = (script: Script): Partial<Script>[] => [
  { hasPresence: false },
  { finale: [] },
  ...script.finale.map((_, i) => ({ finale: script.finale.filter((_one, at) => at !== i) })),
  { devices: script.devices.slice(0, 1) },
  { devices: script.devices.slice(0, 2) },
  { engine: "sqlite" },
  { statementsMax: 900 },
  { pullPageSize: 1000 },
  { maxMutationsPerPush: 200 },
];

function plainerStep(step: Step): Step {
  if (step.do === "mutate") return { ...step, chained: false, shared: true };
  if (step.do === "wait") return { ...step, ms: Math.floor(step.ms / 2) };
  if (step.do === "network")
    return { ...step, faults: { ...step.faults, delayMsMax: 5, badGateway: 0, duplicate: 0, socketCut: 0 } };
  return step;
}
