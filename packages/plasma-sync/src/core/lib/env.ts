// Owns: the seam through which all nondeterminism enters Plasma: clock, timers, randomness.
// Invariants:
//   1. No other file of client or server reads a clock, sets a timer or draws a random number.
//   2. An Env handed to a client or handler serves everything that it creates, so a simulator can replace it whole.

export type TimerHandle = { readonly __timer: unique symbol } | number | object;

export interface Env {
  /** Milliseconds since the epoch. May jump backwards when the user sets the clock. */
  now(): number;
  /** Calls `fn` once after `delayMs`. Never synchronously, also when `delayMs` is 0. */
  setTimeout(fn: () => void, delayMs: number): TimerHandle;
  /** Forgets a timer; a timer that has fired or is unknown is ignored. */
  clearTimeout(handle: TimerHandle): void;
  /** `length` cryptographically random bytes. */
  randomBytes(length: number): Uint8Array<ArrayBuffer>;
  /** A random (version 4) UUID in lower case. */
  randomUUID(): string;
  /** A number in [0, 1), for jitter only. */
  random(): number;
  /** SHA-256, at once. Absent: the platform's own is used, which ends on another thread, when it pleases. */
  sha256?(bytes: Uint8Array): Uint8Array;
}

/** The real clock, timers and randomness of the platform. */
export const systemEnv: Env = {
  now: () => Date.now(),
  setTimeout: (fn, delayMs) => setTimeout(fn, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as Parameters<typeof clearTimeout>[0]),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  randomUUID: () => crypto.randomUUID(),
  random: () => Math.random(),
};

/** Lets everything that is under way settle, as far as it waits for promises and not for a timer. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    // Node has it, and it costs microseconds where a timer takes a millisecond.
    const { setImmediate: immediate } = globalThis as { setImmediate?: (fn: () => void) => void };
    if (immediate === undefined) setTimeout(resolve, 0);
    else immediate(resolve);
  });
