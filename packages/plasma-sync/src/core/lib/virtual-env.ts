// Owns: an Env whose time passes only when a test says so, and whose randomness comes from a seed.
// Invariants:
//   1. Timers fire in the order of their time, then of their setting. `now` is the time of the timer that fires.
//   2. What a timer began has settled, as far as it needs no later timer, before the next one fires.

import { assert } from "./assert.ts";
import { systemEnv, type Env } from "./env.ts";

export interface VirtualEnv extends Env {
  /** Lets `ms` milliseconds pass, timers included that are set meanwhile. 0 only lets what is under way settle. */
  advance(ms: number): Promise<void>;
  /** Timers that are set and have not fired. */
  readonly timerCount: number;
}

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** 2026-01-01: late enough that nobody takes a time for a count. */
const START_MS = 1_767_225_600_000;

/** Makes one. Equal seeds give equal runs. */
export function createVirtualEnv(seed = 1): VirtualEnv {
  const timers = new Set<Timer>();
  const uint32 = createRandom(seed);
  let now = START_MS;
  const randomBytes = (length: number) => Uint8Array.from({ length }, () => uint32() >>> 24);
  return {
    now: () => now,
    setTimeout: (fn, delayMs) => {
      const timer = { at: now + Math.max(0, delayMs), fn };
      timers.add(timer);
      return timer;
    },
    clearTimeout: (handle) => void timers.delete(handle as Timer),
    randomBytes,
    randomUUID: () => formatUUID(randomBytes(16)),
    random: () => uint32() / 2 ** 32,
    get timerCount() {
      return timers.size;
    },
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (let timer = firstUntil(timers, end); timer !== undefined; timer = firstUntil(timers, end)) {
        timers.delete(timer);
        assert(timer.at >= now, "virtual env: time does not go back");
        now = timer.at;
        timer.fn();
        await settle();
      }
      now = end;
    },
  };
}

/** The first timer that fires by `end`; a Set keeps the order of setting. */
function firstUntil(timers: ReadonlySet<Timer>, end: number): Timer | undefined {
  let first: Timer | undefined;
  for (const timer of timers) if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer;
  return first;
}

/** Two turns of the real event loop: bodies of requests and answers take more than promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => void systemEnv.setTimeout(resolve, 0));
}

/** Whole numbers below 2³², each a scrambled step of a counter. */
export function createRandom(seed: number): () => number {
  let counter = seed | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = counter;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return (bits ^ (bits >>> 16)) >>> 0;
  };
}

/** A version 4 UUID of 16 random bytes. */
export function formatUUID(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = "89ab"[(bytes[8] ?? 0) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
