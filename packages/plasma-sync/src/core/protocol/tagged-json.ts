// Owns: a mutation's args as JSON. Values that JSON lacks travel tagged:
//   bigint → {"$bigint":"1"}   Uint8Array → {"$bytes":"<base64>"}   FileRef → {"$file":{…}}
// A user key that begins with "$" gets one more "$" in front, so no user object can be taken for a tag.

import { PlasmaError } from "../error.ts";
import { fromBase64, toBase64 } from "../lib/base64.ts";
import { isStorableText, utf8SizeBytes } from "../lib/utf8.ts";
import * as limits from "../limits.ts";
import type { FileRef } from "../schema/value.ts";

/** A file's place in encoded args. Where the app gave a Blob, the caller puts its FileRef here before the args are used. */
export interface FileTag {
  $file: FileRef | Blob;
}

/** Whether it is a File or Blob, also one of another window or frame, whose class is another. */
export const isBlob = (value: unknown): value is Blob =>
  value instanceof Blob || /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(value));

/**
 * The args as plain JSON. The tags of all files in them are added to `files`; without it a Blob is refused.
 * Throws `mutation/args-value` naming the path of what cannot be sent.
 */
export function encodeTagged(value: unknown, mutatorName: string, files?: FileTag[]): unknown {
  return value === undefined ? null : encode(value, { name: mutatorName, path: "args", depth: 0, files });
}

/** The args as the mutator gets them. Throws `protocol/field` for a malformed tag. */
export function decodeTagged(wire: unknown): unknown {
  return decode(wire, "args", 0);
}

/** Throws `mutation/args-size` when the encoded args are larger than a push can hold. */
export function checkArgsSize(encoded: unknown, mutatorName: string): void {
  const sizeBytes = taggedSizeBytes(encoded);
  const sizeBytesMax = limits.mutationArgsBytesMax;
  if (sizeBytes > sizeBytesMax)
    throw new PlasmaError("mutation/args-size", { name: mutatorName, sizeBytes, sizeBytesMax });
}

/** Bytes of encoded args as JSON text. */
export const taggedSizeBytes = (encoded: unknown): number => utf8SizeBytes(JSON.stringify(encoded));

interface Place {
  readonly name: string;
  readonly path: string;
  readonly depth: number;
  readonly files: FileTag[] | undefined;
}

function encode(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case "boolean":
      return value;
    case "string":
      return isStorableText(value) ? value : refuse(place, "a text with a lone surrogate or U+0000");
    case "number":
      return Number.isFinite(value) ? value : refuse(place, String(value));
    case "bigint":
      return { $bigint: String(value) };
    case "object":
      return value === null ? null : encodeObject(value, place);
    default:
      return refuse(place, typeof value);
  }
}

function encodeObject(value: object, place: Place): unknown {
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
  if (place.depth >= limits.jsonDepthMax)
    return refuse(place, `nesting deeper than ${limits.jsonDepthMax} (or a cycle)`);
  const inner = (key: string | number): Place => ({ ...place, path: `${place.path}.${key}`, depth: place.depth + 1 });
  if (Array.isArray(value)) return value.map((item, i) => encode(item, inner(i)));
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) {
    // Only now, so that args without files never ask.
    return place.files !== undefined && isBlob(value)
      ? tagged(value, place)
      : refuse(place, `a ${value.constructor.name}`);
  }
  if (isFileRef(value)) return tagged({ ...value }, place);
  const encoded: { [key: string]: unknown } = {};
  for (const [key, item] of Object.entries(value)) {
    if (!isStorableText(key)) refuse(place, "a key with a lone surrogate or U+0000");
    if (item !== undefined) define(encoded, key.startsWith("$") ? `$${key}` : key, encode(item, inner(key)));
  }
  return encoded;
}

function tagged(file: FileRef | Blob, { files }: Place): FileTag {
  const tag = { $file: file };
  files?.push(tag);
  return tag;
}

function refuse({ name, path }: Place, got: string): never {
  throw new PlasmaError("mutation/args-value", { name, path, got });
}

/** A plain assignment to "__proto__" would set the prototype. */
function define(target: { [key: string]: unknown }, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}

const fileRefKeys = new Set(["hash", "size", "mime", "name", "inline"]);

function isFileRef(value: object): value is FileRef {
  const { hash, size, mime } = value as { readonly [key: string]: unknown };
  const isShaped =
    typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash) && typeof size === "number" && typeof mime === "string";
  return isShaped && Object.keys(value).every((key) => fileRefKeys.has(key));
}

function decode(wire: unknown, path: string, depth: number): unknown {
  if (typeof wire === "string") return isStorableText(wire) ? wire : malformed(path, "a well-formed text");
  if (typeof wire === "number") return Number.isFinite(wire) ? wire : malformed(path, "a finite number");
  if (typeof wire !== "object" || wire === null) return wire;
  if (depth > limits.jsonDepthMax) return malformed(path, `nested at most ${limits.jsonDepthMax} deep`);
  if (Array.isArray(wire)) return wire.map((item, i) => decode(item, `${path}.${i}`, depth + 1));
  const entries = Object.entries(wire);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && first[0].startsWith("$") && !first[0].startsWith("$$")) {
    return decodeTag(first[0], first[1], path);
  }
  const decoded = {};
  for (const [key, item] of entries) {
    if (key.startsWith("$") && !key.startsWith("$$")) malformed(`${path}.${key}`, "a key that Plasma knows");
    // Most values are texts, which need no path.
    const isText = typeof item === "string" && isStorableText(item);
    const value: unknown = isText ? item : decode(item, `${path}.${key}`, depth + 1);
    define(decoded, key.startsWith("$") ? key.slice(1) : key, value);
  }
  return decoded;
}

function decodeTag(tag: string, wire: unknown, path: string): unknown {
  if (tag === "$bigint" && typeof wire === "string" && /^-?\d{1,100}$/.test(wire)) return BigInt(wire);
  if (tag === "$bytes" && typeof wire === "string") return fromBase64(wire) ?? malformed(path, "base64");
  if (tag === "$file" && typeof wire === "object" && wire !== null && isFileRef(wire)) return wire;
  return malformed(path, "a well-formed tagged value");
}

function malformed(path: string, expected: string): never {
  throw new PlasmaError("protocol/field", { path, expected });
}
