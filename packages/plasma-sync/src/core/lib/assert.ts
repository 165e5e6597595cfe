// Owns: the checks that state what must be true inside Plasma. A failing assert is a bug of ours, never of the app.

import { PlasmaError } from "../error.ts";

/** Throws a `bug/invariant` error citing `invariant` when `condition` is false. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new PlasmaError("bug/invariant", { invariant });
}

/** Returns `value`, or throws a `bug/invariant` error citing `invariant` when it is null or undefined. */
export function must<T>(value: T | null | undefined, invariant: string): T {
  assert(value !== null && value !== undefined, invariant);
  return value;
}
