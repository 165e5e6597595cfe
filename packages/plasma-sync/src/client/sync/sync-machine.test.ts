import { expect, test } from "vitest";
import type { SyncClientError } from "./sync-error.ts";
import {
  initialSyncState,
  stepSync,
  type MachineOptions,
  type SyncEvent,
  type SyncFailure,
  type SyncState,
} from "./sync-machine.ts";

const options: MachineOptions = {
  pollIntervalMs: 1000,
  retry: { maxAttempts: 3, initialDelayMs: 500, maxDelayMs: 30_000 },
  batchMax: 200,
  random: () => 0,
};
const error: SyncClientError = { kind: "network", phase: "pull", message: "scripted" };
const failed = (failure: SyncFailure): SyncEvent => ({ type: "failed", lane: "pull", failure, error });
const transient = failed({ kind: "transient", retryAfterMs: null });

/** The state after some events, and what the last one caused. */
function after(...events: readonly SyncEvent[]): { readonly state: SyncState; readonly effects: readonly string[] } {
  let state = initialSyncState(true, options.batchMax);
  let effects: readonly string[] = [];
  for (const event of [{ type: "start" }, { type: "pushed", count: 0 }, ...events] as const) {
    const step = stepSync(state, event, options);
    state = step.state;
    effects = step.effects.map((effect) =>
      effect.type === "timer" ? `${effect.name} timer ${effect.delayMs}` : effect.type,
    );
  }
  return { state, effects };
}

test("a poll does not cut a backoff short, a retry timer ends it", () => {
  expect(after(transient).effects).toEqual(["pull timer 250", "report"]);
  expect(after(transient, { type: "poll" }).effects).toEqual(["poll timer 1000", "push"]);
  expect(after(transient, { type: "poll" }).state.pull.phase).toBe("backoff");
  expect(after(transient, { type: "retry", lane: "pull" }).effects).toEqual(["pull"]);
});

test("a poll ends a rest, work and pokes do not", () => {
  const spent = [
    transient,
    { type: "retry", lane: "pull" },
    transient,
    { type: "retry", lane: "pull" },
    transient,
  ] as const;
  expect(after(...spent).effects).toEqual(["report"]);
  expect(after(...spent, { type: "poke" }).effects).toEqual([]);
  expect(after(...spent, { type: "work" }, { type: "pushed", count: 1 }, { type: "pushed", count: 0 }).effects).toEqual(
    [],
  );
  const { state } = after(...spent, { type: "poll" }, { type: "pushed", count: 0 });
  expect(state.pull).toMatchObject({ phase: "busy", failures: 3 });
});

test("a retry timer of an earlier wait does not end a rest", () => {
  const rests = [transient, { type: "online" }, { type: "pushed", count: 0 }, failed({ kind: "refused" })] as const;
  expect(after(...rests).state.pull.phase).toBe("resting");
  expect(after(...rests, { type: "retry", lane: "pull" }).effects).toEqual([]);
});

test("waits double up to the longest, and jitter takes at most half of them away", () => {
  const waits = [0, 0.999].map((random) => {
    let state: SyncState = { ...initialSyncState(true, 1), phase: "running" };
    const delays: number[] = [];
    const patient = { ...options, retry: { ...options.retry, maxAttempts: 100 }, random: () => random };
    for (let i = 0; i < 10; i += 1) {
      state = stepSync(state, i === 0 ? { type: "poke" } : { type: "retry", lane: "pull" }, patient).state;
      const step = stepSync(state, transient, patient);
      state = step.state;
      for (const effect of step.effects) if (effect.type === "timer") delays.push(Math.round(effect.delayMs ?? -1));
    }
    return delays;
  });
  expect(waits[0]).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000]);
  expect(waits[1]?.slice(0, 2)).toEqual([500, 1000]);
  expect(Math.max(...(waits[1] ?? []))).toBeLessThanOrEqual(30_000);
});
