// Owns: equality of values and rows by content.

import type { Row } from "../schema/value.ts";

/** Whether two values are equal: bytes and JSON by content. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (Array.isArray(b) || b instanceof Uint8Array) return false;
  return sameFields(a as Fields, b as Fields);
}

/** Whether two rows of one table are equal. */
export const sameRow = (a: Row, b: Row): boolean => a === b || sameFields(a, b);

type Fields = { readonly [key: string]: unknown };

/** Runs for every row of every pull: no arrays of keys. Rows and JSON objects have no inherited keys. */
function sameFields(a: Fields, b: Fields): boolean {
  let surplus = 0;
  for (const key in a) {
    const value = b[key];
    if (a[key] !== value && !sameValue(a[key], value)) return false;
    if (value === undefined && !Object.hasOwn(b, key)) return false;
    surplus += 1;
  }
  for (const _ in b) surplus -= 1;
  return surplus === 0;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
