// Owns: TestTime: who moves the virtual time of a test's world. While a test awaits something of its world, time passes by itself,
// from event to event; else it stands still.
// Invariants:
//   1. One driver at a time, however many promises are awaited: the order of events depends on the seed alone.
//   2. Nothing is awaited for ever: after a bounded virtual time the wait fails, and says what is still pending.
//   3. While the app's own code waits for something real (a crypto call in `auth`), time stands still.
//
//   await ada.mutate.add(…)                 then() ─► watch ─► drive: event, event, … until it has ended
//   await world.advance(5000)               the same, until a time
//   world.holdTime(); await world.advance() only that moves it

import { nextTurn } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import type { SimClock } from "./sim-clock.ts";
import { TestFailure } from "./test-failure.ts";

/** Milliseconds between looks at a condition while nothing happens. */
const IDLE_STEP_MS = 100;

interface Wait {
  readonly what: string;
  readonly deadline: number;
  readonly fail: (error: TestFailure) => void;
}

export class TestTime {
  readonly #clock: SimClock;
  readonly #describe: () => string;
  readonly #waits = new Set<Wait>();
  readonly #targets = new Set<{ readonly at: number; readonly reached: () => void }>();
  #isDriving = false;
  /** Calls of the app's code that have not ended. */
  #realWork = 0;
  isHeld = false;
  isClosed = false;

  /** `describe` says what is pending in the world, for the message of a wait that fails. */
  constructor(clock: SimClock, describe: () => string) {
    this.#clock = clock;
    this.#describe = describe;
  }

  get now(): number {
    return this.#clock.now;
  }

  /** Lets time pass until the promise has ended; rejects when it has not after a bounded time. */
  watch<T>(what: string, promise: PromiseLike<T>, msMax: number = limits.testWaitMsMax): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) return reject(closed(what));
      const wait: Wait = { what, deadline: this.now + msMax, fail: reject };
      const over = () => void this.#waits.delete(wait);
      promise.then(
        (value) => (over(), resolve(value)),
        (error: unknown) => (over(), reject(error)),
      );
      this.#waits.add(wait);
      void this.#drive();
    });
  }

  /** A promise that is watched once somebody awaits it. */
  lazily<T>(what: string, promise: PromiseLike<T>): LazyPromise<T> {
    return new LazyPromise(() => this.watch(what, promise));
  }

  /** Lets `ms` pass, and all that happens in it. */
  advance(ms: number): Promise<void> {
    if (!(ms >= 0))
      throw new TestFailure("test/time", `advance(${ms}): time goes forward. Give 0 or more milliseconds.`);
    const reached = new Promise<void>((resolve) => this.#targets.add({ at: this.now + ms, reached: resolve }));
    return this.watch("advance", reached, Number.POSITIVE_INFINITY);
  }

  /** Lets time pass until the condition holds; it is asked after each event. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = this.now + limits.testWaitMsMax;
    while (!(await condition())) {
      if (this.now > deadline) throw this.#stuck(what);
      await this.advance((this.#clock.nextAt ?? this.now + IDLE_STEP_MS) - this.now);
    }
  }

  /** It is later, and nothing happened in between. */
  jumpTo(at: number): void {
    if (!(at >= this.now))
      throw new TestFailure(
        "test/time",
        `jumpTo(${show(at)}): it is ${show(this.now)} already, and time goes forward only.`,
      );
    this.#clock.jump(at - this.now);
  }

  /** Runs the app's own code, during which time stands still. */
  async real<T>(run: () => T | Promise<T>): Promise<T> {
    this.#realWork += 1;
    try {
      return await run();
    } finally {
      this.#realWork -= 1;
    }
  }

  /** Nothing moves any more. */
  close(): void {
    this.isClosed = true;
    for (const { what, fail } of this.#waits) fail(closed(what));
    this.#waits.clear();
  }

  async #drive(): Promise<void> {
    if (this.#isDriving) return;
    this.#isDriving = true;
    for (let idleTurns = 0; this.#waits.size > 0 && !this.isClosed;) {
      await this.#clock.advance(0);
      // Whoever waited for this time goes on first.
      if (this.#arrive()) await nextTurn();
      const next = this.#nextStop();
      if (this.#waits.size === 0) break;
      if (this.#realWork > 0) await nextTurn();
      else if (next !== null) {
        idleTurns = 0;
        await this.#clock.advance(next - this.now);
      } else if ((idleTurns += 1) > limits.testIdleTurnsMax) this.#fail(() => true);
      this.#fail(({ deadline }) => this.now > deadline);
    }
    this.#isDriving = false;
  }

  #nextStop(): number | null {
    const stops = [...this.#targets].map(({ at }) => at);
    // A held clock moves only as far as a test tells it to.
    const event = this.isHeld && stops.length === 0 ? null : this.#clock.nextAt;
    if (event !== null) stops.push(event);
    return stops.length === 0 ? null : Math.max(this.now, Math.min(...stops));
  }

  #arrive(): boolean {
    const due = [...this.#targets].filter(({ at }) => at <= this.now);
    for (const target of due) {
      this.#targets.delete(target);
      target.reached();
    }
    return due.length > 0;
  }

  #fail(isOver: (wait: Wait) => boolean): void {
    for (const wait of this.#waits) {
      if (!isOver(wait)) continue;
      this.#waits.delete(wait);
      wait.fail(this.#stuck(wait.what));
    }
  }

  #stuck(what: string): TestFailure {
    const held = this.isHeld ? " Time is held: world.advance(ms) moves it, world.releaseTime() lets it go." : "";
    return new TestFailure(
      "test/stuck",
      `${what} has not ended: ${limits.testWaitMsMax / 1000} s of virtual time have passed, or nothing will happen any more.${held}\n${this.#describe()}\n`,
    );
  }
}

/** A promise that begins to be watched when somebody awaits it. */
export class LazyPromise<T> implements Promise<T> {
  readonly [Symbol.toStringTag] = "Promise";
  readonly #watch: () => Promise<T>;
  #watched: Promise<T> | undefined;

  constructor(watch: () => Promise<T>) {
    this.#watch = watch;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting it is what lets time pass
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#watched ??= this.#watch();
    return this.#watched.then(onfulfilled, onrejected);
  }

  catch<B = never>(onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.then(null, onrejected);
  }

  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.then().finally(onfinally);
  }
}

const closed = (what: string) =>
  new TestFailure("test/closed", `The world is closed, and what a test awaits, ${what}, cannot end.`);

const show = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString() : String(ms));
