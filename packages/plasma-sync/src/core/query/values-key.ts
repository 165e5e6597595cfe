// Owns: `valuesKey`, by which lists of values are grouped.

import type { Value } from "../schema/value.ts";

/** A text that two lists of values of the same kinds share exactly when they are equal; nulls are equal. */
export const valuesKey = (values: readonly Value[]): string =>
  values.length === 1 && typeof values[0] === "string" ? `"${values[0]}` : values.map(keyOf).join("\0");

// A text ends where U+0000 stands: no stored text holds one.
const keyOf = (value: Value): string =>
  value === null
    ? ""
    : typeof value === "string"
      ? `"${value}`
      : value instanceof Uint8Array
        ? `'${value.join()}`
        : String(value);
