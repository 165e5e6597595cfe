// Owns: Mismatch, what a case throws where an executor's answer is not the one expected, and the comparison of answers.

import { showOf } from "./show.ts";

export class Mismatch extends Error {
  override readonly name = "Mismatch";
  /** Which check failed: a case is shrunk as long as the same one does. */
  readonly check: string;

  constructor(check: string, message: string) {
    super(`${check}: ${message}`);
    this.check = check;
  }
}

/** Compares two answers in order. */
export function expectSame(
  check: string,
  got: readonly unknown[],
  expected: readonly unknown[],
  {
    isRounding = false,
  }: { /** Engines may round the last digits of a mean in their own way. */ readonly isRounding?: boolean } = {},
): void {
  const length = Math.max(got.length, expected.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [showOf(got[at]), showOf(expected[at])];
    if (one === other || (isRounding && isNear(got[at], expected[at]))) continue;
    throw new Mismatch(
      check,
      `row ${at} of ${got.length} is not as evaluate has it, of ${expected.length}:\n  got      ${one}\n  expected ${other}`,
    );
  }
}

function isNear(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number")
    return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [one, other] = [Object.entries(a), b as { readonly [key: string]: unknown }];
  return one.length === Object.keys(b).length && one.every(([key, value]) => isNear(value, other[key]));
}
