// Owns: SimClock, the one line of virtual time on which everything of a simulated world happens, and SimLife, one process on it
// (a tab, a server), which may be frozen, go on, or die.
// Invariants:
//   1. One event at a time, in the order of its time, then of its making; what it began has settled before the next one.
//   2. Nothing of a dead life happens any more: its events are dropped, and what it waits for never comes.
//   3. A frozen life's events wait, and come in their order when it goes on.

import { sha256 } from "@noble/hashes/sha2.js";
import { assert } from "../core/lib/assert.ts";
import { nextTurn, type Env } from "../core/lib/env.ts";
import { formatUUID } from "../core/lib/virtual-env.ts";
import type { SimRandom } from "./sim-random.ts";

/** 2026-01-01: late enough that nobody takes a time for a count. */
const START_MS = 1_767_225_600_000;
/** Turns of the event loop after each event: bodies of requests and answers take more than promises. */
const SETTLE_TURNS = 2;

export class SimLife {
  readonly name: string;
  #state: "running" | "frozen" | "dead" = "running";
  #waiting: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isFrozen(): boolean {
    return this.#state === "frozen";
  }

  /** Runs `fn` now, when the life goes on, or never. */
  run(fn: () => void): void {
    if (this.#state === "running") fn();
    else if (this.#state === "frozen") this.#waiting.push(fn);
  }

  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  resume(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const fn of waiting) this.run(fn);
  }

  die(): void {
    this.#state = "dead";
    this.#waiting = [];
  }
}

interface SimEvent {
  at: number;
  readonly order: number;
  readonly life: SimLife;
  readonly fn: () => void;
  isCancelled: boolean;
}

export class SimClock {
  #now = START_MS;
  #order = 0;
  /** A binary heap. */
  readonly #events: SimEvent[] = [];
  eventCount = 0;

  get now(): number {
    return this.#now;
  }

  get elapsedMs(): number {
    return this.#now - START_MS;
  }

  /** When something happens next; null when nothing will. */
  get nextAt(): number | null {
    return this.#events[0]?.at ?? null;
  }

  /** As a sleeping machine does: it is later, nothing happened in between, and every wait lasts as long as before. */
  jump(ms: number): void {
    this.#now += ms;
    for (const event of this.#events) event.at += ms;
  }

  /** Runs `fn` for `life` after the delay. Returns how to take it back. */
  after(delayMs: number, life: SimLife, fn: () => void): () => void {
    const event: SimEvent = {
      // Whole milliseconds, as clocks tell.
      at: this.#now + Math.max(0, Math.ceil(delayMs)),
      order: this.#order++,
      life,
      fn,
      isCancelled: false,
    };
    this.#push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Resolves for `life` after the delay; never, when it dies. */
  sleep(delayMs: number, life: SimLife): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, life, resolve));
  }

  /** Lets time pass, and all that happens in it. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let event = this.#pop(end); event !== null; event = this.#pop(end)) {
      assert(event.at >= this.#now, "sim clock: time does not go back");
      this.#now = event.at;
      if (event.isCancelled || event.life.isDead) continue;
      this.eventCount += 1;
      event.life.run(event.fn);
      await settle();
    }
    this.#now = end;
  }

  #push(event: SimEvent): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as SimEvent)) break;
      heap[at] = heap[parent] as SimEvent;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(until: number): SimEvent | null {
    const heap = this.#events;
    const first = heap[0];
    if (first === undefined || first.at > until) return null;
    const last = heap.pop() as SimEvent;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(event: SimEvent): void {
    const heap = this.#events;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      if (child >= heap.length) break;
      if (right !== undefined && isBefore(right, heap[child] as SimEvent)) child += 1;
      if (!isBefore(heap[child] as SimEvent, event)) break;
      heap[at] = heap[child] as SimEvent;
      at = child;
    }
    heap[at] = event;
  }
}

const isBefore = (a: SimEvent, b: SimEvent): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await nextTurn();
}

/** The Env of one life. `skewMs` is how far its clock is off; it may change while it runs. */
export function createSimEnv(
  clock: SimClock,
  { life, random, skew }: { readonly life: SimLife; readonly random: SimRandom; readonly skew: { ms: number } },
): Env {
  return {
    // Whole, as everywhere, though jittered waits end between two.
    now: () => Math.floor(clock.now + skew.ms),
    // As on every platform, a timer takes a while: one that is set again and again must let time pass.
    setTimeout: (fn, delayMs) => clock.after(Math.max(1, delayMs), life, fn),
    clearTimeout: (handle) => (handle as () => void)(),
    randomBytes: (length) => random.bytes(length),
    randomUUID: () => formatUUID(random.bytes(16)),
    random: () => random.fraction(),
    // The platform's own ends on a thread that virtual time knows nothing of.
    sha256: (bytes) => sha256(bytes),
  };
}
