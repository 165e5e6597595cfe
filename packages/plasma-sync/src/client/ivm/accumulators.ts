// Owns: accumulators, aggregates kept under additions and removals: each O(1), min, max and countDistinct O(log values).

import { must } from "../../core/lib/assert.ts";
import { OrderedMap } from "../../core/lib/ordered-map.ts";
import type { AggregateNode } from "../../core/query/ast.ts";
import { comparerOf } from "../../core/query/compare.ts";
import { valuesKey } from "../../core/query/values-key.ts";
import { compareFamily, type Value } from "../../core/schema/value.ts";

/** Takes the values of a group's column; nulls are left out before. */
export interface Accumulator {
  add(value: Value): void;
  remove(value: Value): void;
  readonly value: Value;
}

/** An accumulator for an aggregate over a column. */
export function createAccumulator({ fn, column }: AggregateNode): Accumulator {
  const kind = column?.kind ?? "int";
  switch (fn) {
    case "count":
      return new Count();
    case "countDistinct":
      return new CountDistinct();
    case "sum":
    case "avg":
      return kind === "bigint" ? new BigSum(fn === "avg") : new Sum(fn === "avg");
    default:
      return new Extreme(
        must(compareFamily(kind), "accumulators: the builder refuses kinds without order"),
        fn === "min",
      );
  }
}

class Count implements Accumulator {
  value = 0;

  add(): void {
    this.value += 1;
  }

  remove(): void {
    this.value -= 1;
  }
}

class CountDistinct implements Accumulator {
  readonly #counts = new Map<string, number>();

  get value(): number {
    return this.#counts.size;
  }

  add(value: Value): void {
    const key = valuesKey([value]);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  remove(value: Value): void {
    const key = valuesKey([value]);
    const count = must(this.#counts.get(key), "accumulators: what is removed was added");
    if (count === 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
  }
}

/** Numbers with the error of each addition kept aside (Neumaier), so that values which come and go leave nothing behind. */
class Sum implements Accumulator {
  readonly #isMean: boolean;
  #count = 0;
  #sum = 0;
  #error = 0;

  constructor(isMean: boolean) {
    this.#isMean = isMean;
  }

  get value(): number | null {
    if (this.#count === 0) return null;
    const sum = this.#sum + this.#error;
    return this.#isMean ? sum / this.#count : sum;
  }

  add(value: Value): void {
    this.#count += 1;
    this.#plus(value as number);
  }

  remove(value: Value): void {
    this.#count -= 1;
    this.#plus(-(value as number));
    if (this.#count === 0) this.#sum = this.#error = 0;
  }

  #plus(value: number): void {
    const sum = this.#sum + value;
    this.#error += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }
}

class BigSum implements Accumulator {
  readonly #isMean: boolean;
  #count = 0;
  #sum = 0n;

  constructor(isMean: boolean) {
    this.#isMean = isMean;
  }

  get value(): Value {
    if (this.#count === 0) return null;
    return this.#isMean ? Number(this.#sum) / this.#count : this.#sum;
  }

  add(value: Value): void {
    this.#count += 1;
    this.#sum += value as bigint;
  }

  remove(value: Value): void {
    this.#count -= 1;
    this.#sum -= value as bigint;
  }
}

interface Counted {
  readonly value: Value;
  count: number;
}

/** The smallest or largest of the values, all of which it keeps, in order. */
class Extreme implements Accumulator {
  readonly #values: OrderedMap<Counted>;
  readonly #isMin: boolean;

  constructor(family: Parameters<typeof comparerOf>[0], isMin: boolean) {
    const compare = comparerOf(family);
    this.#values = new OrderedMap((a, b) => compare(a.value, b.value));
    this.#isMin = isMin;
  }

  get value(): Value {
    return (this.#isMin ? this.#values.at(0) : this.#values.last)?.value ?? null;
  }

  add(value: Value): void {
    const found = this.#values.get({ value, count: 0 });
    if (found === undefined) this.#values.set({ value, count: 1 });
    else found.count += 1;
  }

  remove(value: Value): void {
    const found = must(this.#values.get({ value, count: 0 }), "accumulators: what is removed was added");
    if (found.count === 1) this.#values.delete(found);
    else found.count -= 1;
  }
}
