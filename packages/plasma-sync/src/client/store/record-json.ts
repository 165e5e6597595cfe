// Owns: records of IndexedDB as JSON, in exports. What JSON lacks is tagged: {"$bigint":"1"}, {"$bytes":"<base64>"} (Uint8Array),
// {"$buffer":"<base64>"} (ArrayBuffer), {"$date":0}, {"$number":"NaN"}, {"$undefined":true}; an app's key that begins with "$" gets
// one more "$" in front. Unlike the args of mutations (core/protocol/tagged-json.ts) a record is never refused: an export is for
// finding out what is wrong.

import { fromBase64, toBase64 } from "../../core/lib/base64.ts";

type Tag = readonly [tag: string, value: unknown];

/** A value that IndexedDB holds, as plain JSON. What has no JSON form is named: {"$unknown":"Map"}. */
export function encodeRecord(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const tag = tagOf(value);
  if (tag !== null) return { [tag[0]]: tag[1] };
  if (Array.isArray(value)) return value.map(encodeRecord);
  return Object.fromEntries(
    Object.entries(value as object).map(([key, field]) => [key.startsWith("$") ? `$${key}` : key, encodeRecord(field)]),
  );
}

function tagOf(value: unknown): Tag | null {
  if (value === undefined) return ["$undefined", true];
  if (typeof value === "bigint" || typeof value === "number")
    return [typeof value === "bigint" ? "$bigint" : "$number", String(value)];
  if (value instanceof Uint8Array) return ["$bytes", toBase64(value)];
  if (value instanceof ArrayBuffer) return ["$buffer", toBase64(new Uint8Array(value))];
  if (value instanceof Date) return ["$date", value.getTime()];
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return kind === "Object" || kind === "Array" ? null : ["$unknown", kind];
}

/** The value that `encodeRecord` had; what was named only is null. */
export function decodeRecord(json: unknown): unknown {
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map(decodeRecord);
  const entries = Object.entries(json);
  const [first] = entries;
  if (first !== undefined && /^\$[^$]/.test(first[0])) return untagged(first);
  return Object.fromEntries(
    entries.map(([key, field]) => [key.startsWith("$") ? key.slice(1) : key, decodeRecord(field)]),
  );
}

function untagged([tag, value]: Tag): unknown {
  switch (tag) {
    case "$undefined":
      return undefined;
    case "$bigint":
      return BigInt(value as string);
    case "$number":
      return Number(value);
    case "$bytes":
      return fromBase64(value as string);
    case "$buffer":
      return fromBase64(value as string)?.buffer;
    case "$date":
      return new Date(value as number);
    default:
      return null;
  }
}
