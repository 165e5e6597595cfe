// Owns: what an aggregate of a list of values is: the meaning that accumulators and SQL are held to.

import { must } from "../lib/assert.ts";
import { compareFamily, type ColumnKind, type Value } from "../schema/value.ts";
import type { AggregateFunction } from "./ast.ts";
import { compareValues } from "./compare.ts";
import { valuesKey } from "./values-key.ts";

/** The aggregate of `values`, of a column of `kind`. */
export function aggregateValues(fn: AggregateFunction, kind: ColumnKind, values: readonly Value[]): Value {
  const known = values.filter((value) => value !== null);
  if (fn === "count") return known.length;
  if (fn === "countDistinct") return new Set(known.map((value) => valuesKey([value]))).size;
  if (known.length === 0) return null;
  if (fn === "sum" || fn === "avg") {
    const sum =
      kind === "bigint"
        ? (known as bigint[]).reduce((total, value) => total + value, 0n)
        : (known as number[]).reduce((total, value) => total + value, 0);
    return fn === "sum" ? sum : Number(sum) / known.length;
  }
  const family = must(compareFamily(kind), "aggregate: the builder refuses kinds without order");
  const sign = fn === "min" ? 1 : -1;
  return known.reduce((best, value) => (compareValues(family, value, best) * sign < 0 ? value : best));
}
