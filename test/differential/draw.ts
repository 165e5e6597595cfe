// Owns: Draw, where a generated case takes its choices from: a tape of numbers, drawn from a seed or replayed. A tape that
// fails is shrunk: chunks cut out, numbers made small; past its end every choice is the first.

export class Draw {
  readonly tape: number[];
  readonly #isReplay: boolean;
  #state: number;
  #next = 0;

  /** From a seed, or the choices of a tape again. */
  constructor(source: number | readonly number[]) {
    this.#isReplay = typeof source !== "number";
    this.tape = typeof source === "number" ? [] : [...source];
    this.#state = typeof source === "number" ? source : 0;
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    if (this.#isReplay) return (this.tape[this.#next++] ?? 0) % count;
    const choice = Math.floor(this.#random() * count);
    this.tape.push(choice);
    return choice;
  }

  /** True once in `times`. Replayed past the end of a tape: false. */
  once(times: number): boolean {
    return this.below(times) === times - 1;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  list<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }

  /** mulberry32: good enough to choose with, and the same on every machine. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

/** A smaller tape that still fails, within so many tries. */
export async function shrink(
  tape: readonly number[],
  fails: (tape: readonly number[]) => Promise<boolean>,
  triesMax = 2000,
): Promise<readonly number[]> {
  let best = tape;
  let tries = 0;
  const attempt = async (candidate: readonly number[]): Promise<boolean> => {
    if (tries++ >= triesMax || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length;) {
      const without = [...best.slice(0, at), ...best.slice(at + size)];
      const zeroed = best.map((value, i) => (i >= at && i < at + size ? 0 : value));
      if (await attempt(without)) continue;
      if (zeroed.some((value, i) => value !== best[i])) await attempt(zeroed);
      at += size;
    }
  }
  for (let at = 0; at < best.length; at++) {
    const halved = best.map((value, i) => (i === at ? value >> 1 : value));
    if ((best[at] ?? 0) > 0) await attempt(halved);
  }
  return best;
}
