// Owns: SimRandom: every choice of a simulated run, drawn from one seed.

import { createRandom } from "../core/lib/virtual-env.ts";

/** Equal seeds give equal draws. */
export class SimRandom {
  /** A whole number below 2³². */
  readonly uint32: () => number;

  constructor(seed: number) {
    this.uint32 = createRandom(Math.imul(seed, 0x27d4eb2f) ^ 0x165667b1);
  }

  /** In [0, 1). */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** From `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** True once in `1 / probability` times. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  /** One of the keys, each as often as its weight says. */
  weighted<K extends string>(weights: { readonly [key in K]: number }): K {
    const entries = Object.entries(weights) as [K, number][];
    let rest = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) if ((rest -= weight) < 0) return key;
    return (entries.at(-1) as [K, number])[0];
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.uint32() >>> 24);
  }

  /** A source of its own, so that draws of one part do not shift those of another. */
  fork(): SimRandom {
    return new SimRandom(this.uint32());
  }
}
