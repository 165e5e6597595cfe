// Owns: the order of values, the same as that of every SQL engine: null first, text by Unicode code point.

import type { CompareFamily, Value } from "../schema/value.ts";

type Compare = (a: never, b: never) => number;

/** Orders text by code point. UTF-16 order differs only where a surrogate meets a unit from U+E000 up. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return inCodePointOrder(x) - inCodePointOrder(y);
  }
  return a.length - b.length;
}

/** Moves surrogates (which stand for U+10000 and above) behind U+E000–U+FFFF. */
const inCodePointOrder = (unit: number): number =>
  unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const comparePlain = (a: number | bigint | boolean, b: number | bigint | boolean): number =>
  a < b ? -1 : a > b ? 1 : 0;

const compareNonNull: Record<CompareFamily, Compare> = {
  text: compareText,
  number: comparePlain,
  bigint: comparePlain,
  boolean: comparePlain,
  blob: compareBytes,
};

/** A comparison of two values of one family, neither null. */
export const comparerOf = (family: CompareFamily): ((a: Value, b: Value) => number) =>
  compareNonNull[family] as (a: Value, b: Value) => number;

/** Compares two values of one family; null comes first. */
export function compareValues(family: CompareFamily, a: Value, b: Value): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  return comparerOf(family)(a, b);
}
