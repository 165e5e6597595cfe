// Owns: the small functions that parsers of untrusted JSON are made of. Each throws `protocol/field` with the path of what
// does not fit, and never repeats the value.

import { PlasmaError } from "../error.ts";
import * as limits from "../limits.ts";

export type Fields = { readonly [key: string]: unknown };

export function refuseField(path: string, expected: string): never {
  throw new PlasmaError("protocol/field", { path, expected });
}

export function parseFields(value: unknown, path: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuseField(path, "an object");
  return value as Fields;
}

export function parseList(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuseField(path, "an array");
}

export function parseText(value: unknown, path: string, charsMax: number): string {
  if (
    typeof value !== "string" ||
    value.length === 0 ||
    value.length > charsMax ||
    !value.isWellFormed() ||
    value.includes("\0")
  ) {
    return refuseField(path, `a text of 1 to ${charsMax} characters`);
  }
  return value;
}

export const parseID = (value: unknown, path: string): string => parseText(value, path, limits.idCharsMax);

/** What a person is told: nothing where it is no text, and no more than is kept. */
export const parseMessage = (value: unknown): string =>
  typeof value === "string" ? value.slice(0, limits.errorMessageCharsMax) : "";

/** Zero or more. */
export function parseCount(value: unknown, path: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : refuseField(path, "a whole number of 0 or more");
}

/** `{ [key]: parse(value) }`, with nothing where the value is absent. */
export function optional<K extends string, T>(
  fields: Fields,
  key: K,
  parse: (value: unknown, path: string) => T,
): { [P in K]?: T } {
  const value = fields[key];
  return value === undefined || value === null ? {} : ({ [key]: parse(value, key) } as { [P in K]?: T });
}
