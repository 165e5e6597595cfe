// Owns: what holds in the socket's machine after any sequence of events: one connection, one timer, no death unnoticed, no storm.

import fc from "fast-check";
import { expect, test } from "vitest";
import * as limits from "../../core/limits.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import { initialSocketState, stepSocket, type SocketEvent, type SocketState } from "./socket-machine.ts";

const RUNS = 2000;
const backoff = { initialDelayMs: 500, maxDelayMs: 30_000 };
const codes = [1000, 1006, 1012, closeCodes.unauthorized, closeCodes.slowConsumer, closeCodes.room];

const event: fc.Arbitrary<SocketEvent> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .constantFrom("online", "offline", "wake", "opened", "received", "due", "received", "opened")
      .map((type): SocketEvent => ({ type: type as "due" })),
  },
  { weight: 1, arbitrary: fc.constantFrom("start", "stop").map((type): SocketEvent => ({ type: type as "start" })) },
  { weight: 4, arbitrary: fc.constantFrom(...codes).map((code): SocketEvent => ({ type: "closed", code })) },
);

class World {
  state: SocketState;
  readonly random: number;
  timerMs: number | null = null;
  hasConnection = false;
  connects = 0;

  constructor(random: number) {
    this.random = random;
    this.state = initialSocketState(true);
  }

  take(next: SocketEvent): void {
    if (next.type === "due" && this.timerMs === null) return;
    if (next.type === "due") this.timerMs = null;
    if (next.type === "closed") this.hasConnection = false;
    const { state, effects } = stepSocket(this.state, next, { ...backoff, random: () => this.random });
    this.state = state;
    for (const effect of effects) {
      if (effect.type === "drop") this.hasConnection = false;
      if (effect.type === "timer") this.timerMs = effect.delayMs;
      if (effect.type === "ping") expect(state.phase).toBe("open");
      if (effect.type === "connect") {
        expect(this.hasConnection, "one connection at a time").toBe(false);
        this.hasConnection = true;
        this.connects += 1;
      }
    }
    this.#check();
  }

  #check(): void {
    const { phase, online, isPinging, roomRefusals } = this.state;
    const { initialDelayMs, maxDelayMs } = roomRefusals > 0 ? limits.roomRetry : backoff;
    if (phase === "stopped") expect(this.timerMs).toBe(null);
    if (phase === "connecting") expect(this.timerMs).not.toBe(null);
    if (phase === "open") expect(this.timerMs).toBe(isPinging ? limits.socketPongMsMax : limits.socketPingMs);
    if (phase === "waiting") {
      expect(this.timerMs === null).toBe(!online);
      if (this.timerMs !== null) expect(this.timerMs).toBeGreaterThanOrEqual(initialDelayMs / 2);
      if (this.timerMs !== null) expect(this.timerMs).toBeLessThanOrEqual(maxDelayMs);
    }
    if (phase !== "connecting" && phase !== "open") expect(this.hasConnection).toBe(false);
  }
}

test(`whatever happens, there is one connection or a wait that ends (${RUNS} runs)`, () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(0, 0.5, 0.999), fc.array(event, { maxLength: 60 }), (random, events) => {
      const world = new World(random);
      world.take({ type: "start" });
      for (const next of events) {
        world.take(next);
        const { phase, loginRefusals, roomRefusals } = world.state;
        seen
          .add(phase)
          .add(`refusals ${Math.min(2, loginRefusals)}`)
          .add(`room ${Math.min(2, roomRefusals)}`);
      }
    }),
    { numRuns: RUNS },
  );
  const expected = ["stopped", "connecting", "open", "waiting", "refusals 1", "refusals 2", "room 1", "room 2"];
  expect(expected.filter((what) => !seen.has(what))).toEqual([]);
});

test("a server that lets in and closes at once is asked no more often than backoff allows, whatever its codes", () => {
  const codesOfClose = fc.constantFrom(...codes);
  fc.assert(
    fc.property(fc.array(codesOfClose, { minLength: 1, maxLength: 20 }), fc.boolean(), (script, lets) => {
      const world = new World(0);
      world.take({ type: "start" });
      let now = 0;
      for (let i = 0; now < 600_000; i += 1) {
        if (world.state.phase === "connecting") {
          if (lets) world.take({ type: "opened" });
          world.take({ type: "closed", code: script[i % script.length] ?? 1006 });
        }
        now += world.timerMs ?? 0;
        world.take({ type: "due" });
      }
      // Ten minutes: doubling up to 15 s, and one attempt at once.
      expect(world.connects).toBeLessThanOrEqual(600 / 15 + 8);
    }),
    { numRuns: 200 },
  );
});
