// Owns: the one place where a value is checked against its column.

import { PlasmaError } from "../error.ts";
import { isStorableText } from "../lib/utf8.ts";
import * as limits from "../limits.ts";
import type { AnyColumn, ColumnDef } from "./column.ts";
import { isJsonKind, type FileRef, type Value } from "./value.ts";

/**
 * The value as it is stored, in the place of `before`. Throws `data/invalid`, `constraint/not-null` for a null where none may
 * be, or `blob/refused` for a file that the column's options do not allow.
 */
export function checkValue(column: AnyColumn, value: unknown, before: Value = null): Value {
  const { def } = column;
  if (value === null) {
    if (def.notNull) throw new PlasmaError("constraint/not-null", { table: def.table, column: def.name });
    return null;
  }
  const expected = expectation(def, value);
  if (expected !== null)
    throw new PlasmaError("data/invalid", { table: def.table, column: def.name, expected, got: describe(value) });
  def.file?.rules.check(def, value as FileRef, before);
  return stored(def, value);
}

/** A copy of JSON, so that what the app does to its object afterwards does not reach the row; -0 is 0 everywhere. */
export function stored({ kind }: ColumnDef, value: unknown): Value {
  if (isJsonKind(kind)) return JSON.parse(JSON.stringify(value)) as Value;
  return Object.is(value, -0) ? 0 : (value as Value);
}

/** What the column takes, when `value` is not that; else null. */
export function expectation(def: ColumnDef, value: unknown): string | null {
  switch (def.kind) {
    case "id":
      return isText(value) && value !== "" && value.length <= limits.idCharsMax
        ? null
        : `a text of 1 to ${limits.idCharsMax} characters`;
    case "ref":
    case "text":
      if (def.values !== undefined && !def.values.includes(value as string)) return `one of ${def.values.join(", ")}`;
      return isText(value) ? null : "a well-formed text without U+0000";
    case "int":
    case "timestamp":
      return Number.isSafeInteger(value) ? null : "a whole number between -(2^53-1) and 2^53-1";
    case "real":
      return typeof value === "number" && Number.isFinite(value) ? null : "a finite number";
    case "bigint":
      return typeof value === "bigint" && BigInt.asIntN(64, value) === value ? null : "a bigint of 64 bits";
    case "boolean":
      return typeof value === "boolean" ? null : "true or false";
    case "blob":
      return value instanceof Uint8Array ? null : "a Uint8Array";
    default:
      if (def.file !== undefined) return def.file.rules.expectation(value);
      return isJsonKind(def.kind) && isJSON(value, 0) ? null : "a JSON value";
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && isStorableText(value);

function isJSON(value: unknown, depth: number): boolean {
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "string") return isStorableText(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth >= limits.jsonDepthMax) return false;
  if (Array.isArray(value)) return value.every((item) => isJSON(item, depth + 1));
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) return false;
  return Object.entries(value).every(([key, item]) => isStorableText(key) && isJSON(item, depth + 1));
}

/** The kind of a value, never the value itself. */
function describe(value: unknown): string {
  if (typeof value === "number") return Number.isFinite(value) ? "a number" : String(value);
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  return Array.isArray(value) ? "an array" : `a ${value.constructor?.name ?? "object"}`;
}
