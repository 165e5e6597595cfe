// Owns: what holds in the machine after any sequence of events: bounds on requests, and that nothing is ever stuck.

import fc from "fast-check";
import { expect, test } from "vitest";
import * as limits from "../../core/limits.ts";
import type { PokePatch } from "../../core/protocol/realtime.ts";
import type { SyncClientError } from "./sync-error.ts";
import {
  initialSyncState,
  stepSync,
  type LaneName,
  type MachineOptions,
  type SyncEvent,
  type SyncFailure,
  type SyncState,
  type TimerName,
} from "./sync-machine.ts";

const RUNS = 1500;
const EFFECTS_MAX = 8;
const lanes: readonly LaneName[] = ["push", "pull", "upload"];
const error: SyncClientError = { kind: "network", phase: "push", message: "scripted" };

const patch: PokePatch = { from: "k1", cookie: "k2", patch: [], lastMutationIDs: {} };

const lane = fc.constantFrom(...lanes);
const failure: fc.Arbitrary<SyncFailure> = fc.oneof(
  fc.record({
    kind: fc.constant("transient" as const),
    retryAfterMs: fc.option(fc.constantFrom(0, 1, 7000, 3_600_000)),
  }),
  fc.constantFrom<SyncFailure>({ kind: "mended" }, { kind: "auth" }, { kind: "refused" }),
  fc.nat(9).map((sent): SyncFailure => ({ kind: "too-large", sent: sent + 1 })),
);

/** An event of the world, the end of a request (of one that is under way, or else a stale one), or a timer that fires. */
type Step = { readonly event: SyncEvent } | { readonly fire: TimerName };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom("work", "files", "poke", "connected", "poll", "online", "offline")
      .map((type): Step => ({ event: { type } })),
  },
  { weight: 2, arbitrary: fc.constant({ event: { type: "patch", patch } as const }) },
  { weight: 2, arbitrary: fc.constant({ event: { type: "patched" } as const }) },
  { weight: 1, arbitrary: fc.constantFrom("start", "stop").map((type): Step => ({ event: { type } })) },
  { weight: 1, arbitrary: lane.map((name): Step => ({ event: { type: "request", lane: name } })) },
  { weight: 4, arbitrary: fc.nat(2).map((count): Step => ({ event: { type: "pushed", count } })) },
  { weight: 3, arbitrary: fc.nat(2).map((count): Step => ({ event: { type: "uploaded", count } })) },
  { weight: 3, arbitrary: fc.boolean().map((hasMore): Step => ({ event: { type: "pulled", hasMore } })) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(lane, failure)
      .map(([name, why]): Step => ({ event: { type: "failed", lane: name, failure: why, error } })),
  },
  { weight: 4, arbitrary: fc.constantFrom<TimerName>("poll", ...lanes).map((fire): Step => ({ fire })) },
);

const options: fc.Arbitrary<MachineOptions> = fc.record({
  pollIntervalMs: fc.constantFrom(1000, 5000, 60_000),
  retry: fc.record({
    maxAttempts: fc.integer({ min: 1, max: 6 }),
    initialDelayMs: fc.constantFrom(100, 500, 2000),
    maxDelayMs: fc.constantFrom(2000, 30_000),
  }),
  batchMax: fc.constantFrom(1, 3, 200),
  random: fc.constantFrom(0, 0.5, 0.999).map((value) => () => value),
});

/** Does what the loop does with the effects, and checks them. */
class World {
  state: SyncState;
  readonly options: MachineOptions;
  readonly flying = new Set<LaneName>();
  readonly timers = new Map<TimerName, number>();
  requests = 0;
  patches = 0;
  /** Pushes that began while a pull was wanted and idle. */
  overtaken = 0;

  constructor(machine: MachineOptions) {
    this.options = machine;
    this.state = initialSyncState(true, machine.batchMax);
  }

  take(event: SyncEvent): void {
    if (event.type === "pushed") this.flying.delete("push");
    if (event.type === "pulled" || event.type === "patched") this.flying.delete("pull");
    if (event.type === "uploaded") this.flying.delete("upload");
    if (event.type === "failed") this.flying.delete(event.lane);
    const before = this.state;
    const { state, effects } = stepSync(before, event, this.options);
    this.state = state;
    expect(effects.length).toBeLessThanOrEqual(EFFECTS_MAX);
    for (const effect of effects) {
      if (effect.type === "cancel") this.flying.clear();
      if (effect.type === "push" || effect.type === "pull" || effect.type === "upload") this.#begin(effect.type);
      if (effect.type === "apply") this.#apply(before);
      if (effect.type === "push") expect(effect.countMax).toBeGreaterThan(0);
      if (effect.type === "timer" && effect.delayMs === null) this.timers.delete(effect.name);
      if (effect.type === "timer" && effect.delayMs !== null) this.#setTimer(effect.name, effect.delayMs);
    }
    const processed = event.type === "pushed" && event.count > 0 && before.push.phase === "busy";
    if (processed) expect(state.pull.wanted || effects.some(({ type }) => type === "pull")).toBe(true);
    // A poke is taken, or a pull that begins after it meets it.
    if (event.type === "poke" || event.type === "patch")
      expect(state.pull.wanted || effects.some(({ type }) => type === "pull" || type === "apply")).toBe(true);
    this.#checkWaiting();
    this.#checkOvertaking(effects.some(({ type }) => type === "push"));
  }

  #begin(name: LaneName): void {
    this.requests += 1;
    expect(this.flying).not.toContain(name);
    if (name === "pull") expect(this.flying).not.toContain("push");
    this.flying.add(name);
  }

  /** Invariant 4: not beside a pull, nor before one that is wanted: the patch would not begin where the replica is. */
  #apply({ pull }: SyncState): void {
    expect(pull).toMatchObject({ phase: "idle", wanted: false });
    expect(this.flying).not.toContain("pull");
    this.flying.add("pull");
    this.patches += 1;
  }

  #setTimer(name: TimerName, delayMs: number): void {
    const { retry, pollIntervalMs } = this.options;
    if (name === "poll") expect(delayMs).toBe(pollIntervalMs);
    else {
      expect(delayMs).toBeGreaterThanOrEqual(Math.min(retry.initialDelayMs, retry.maxDelayMs) / 2);
      expect(delayMs).toBeLessThanOrEqual(Math.max(retry.maxDelayMs, limits.retryAfterMsMax));
    }
    this.timers.set(name, delayMs);
  }

  /** Invariant 5: whoever waits is waited for by something that will come. */
  #checkWaiting(): void {
    const { phase, online } = this.state;
    if (phase !== "running") {
      expect([...this.timers.keys(), ...this.flying]).toEqual([]);
      return;
    }
    if (online) expect(this.timers.has("poll")).toBe(true);
    for (const name of lanes) {
      const { phase: lanePhase, wanted } = this.state[name];
      expect(this.flying.has(name)).toBe(lanePhase === "busy");
      if (lanePhase === "backoff" || lanePhase === "held") expect(this.timers.has(name)).toBe(true);
      if (online && lanePhase === "idle" && wanted) expect([name, this.flying.has("push")]).toEqual(["pull", true]);
      if (lanePhase !== "idle" && lanePhase !== "busy") expect(wanted).toBe(true);
    }
  }

  /** Invariant 2: a pull waits for no second push. */
  #checkOvertaking(pushBegan: boolean): void {
    const waits = this.state.phase === "running" && this.state.pull.phase === "idle" && this.state.pull.wanted;
    if (!waits) this.overtaken = 0;
    else if (pushBegan) this.overtaken += 1;
    expect(this.overtaken).toBeLessThanOrEqual(1);
  }
}

test(`whatever happens, one push, one pull and one run of uploads at most, and nothing is stuck (${RUNS} runs)`, () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(options, fc.array(step, { minLength: 1, maxLength: 60 }), (machine, steps) => {
      const world = new World(machine);
      world.take({ type: "start" });
      for (const next of steps) {
        if ("event" in next) world.take(next.event);
        else if (world.timers.delete(next.fire))
          world.take(next.fire === "poll" ? { type: "poll" } : { type: "retry", lane: next.fire });
        for (const name of lanes) seen.add(`${name} ${world.state[name].phase}`);
        seen
          .add(world.state.phase)
          .add(`pullWaited ${world.state.pullWaited}`)
          .add(`patches ${world.patches > 0}`)
          .add(`auth ${world.state.auth}`);
      }
    }),
    { numRuns: RUNS },
  );
  const phases = ["idle", "busy", "backoff", "held", "resting"];
  const states = lanes.flatMap((name) => phases.map((phase) => `${name} ${phase}`));
  const expected = [...states, "stopped", "running", "pullWaited true", "patches true", "auth required"];
  expect(expected.filter((state) => !seen.has(state))).toEqual([]);
});

test("a server that always fails at once is asked no more often than polls and backoff allow", () => {
  const minutes = 2;
  const fails = fc.array(fc.tuple(failure, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(options, fails, (machine, script) => {
      const world = new World(machine);
      const dues = new Map<TimerName, { readonly delayMs: number; readonly at: number }>();
      let now = 0;
      const settle = () => {
        for (;;) {
          for (const [name, delayMs] of world.timers)
            if (dues.get(name)?.delayMs !== delayMs) dues.set(name, { delayMs, at: now + delayMs });
          const [name] = world.flying;
          if (name === undefined) return;
          const [why, work, poke] = script[world.requests % script.length] ?? expect.fail("an empty script");
          const sent = world.state.batchMax;
          world.take({ type: "failed", lane: name, failure: why.kind === "too-large" ? { ...why, sent } : why, error });
          if (work) for (const type of ["work", "files"] as const) world.take({ type });
          if (poke) world.take({ type: "poke" });
        }
      };
      world.take({ type: "start" });
      settle();
      while (now < minutes * 60_000) {
        const [name, due] = [...dues].sort(([, a], [, b]) => a.at - b.at)[0] ?? expect.fail("no timer is set");
        now = due.at;
        dues.delete(name);
        if (world.timers.delete(name)) world.take(name === "poll" ? { type: "poll" } : { type: "retry", lane: name });
        settle();
      }
      const { retry, pollIntervalMs } = machine;
      const longestMs = Math.max(retry.initialDelayMs, retry.maxDelayMs) / 2;
      const burst =
        retry.maxAttempts + limits.syncMendsMax + 8 + Math.ceil(Math.log2(retry.maxDelayMs / retry.initialDelayMs + 1));
      const perLane = burst + now / pollIntervalMs + now / longestMs;
      expect(world.requests).toBeLessThanOrEqual(lanes.length * (perLane + 1));
    }),
    { numRuns: 40 },
  );
});
