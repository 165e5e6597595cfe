// Owns: the names of the indexes, triggers and functions that Plasma creates for an app's tables.
// Invariants:
//   1. A dot stands in no name of a schema, so two lists of names never make the same one.
//   2. No name is longer than Postgres keeps: it would cut it, and two may begin alike.

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../../core/lib/hex.ts";
import * as limits from "../../core/limits.ts";

const DIGEST_CHARS = 16;

/** `_plasma_index`, table, columns … as one name. */
export function objectName(...parts: readonly string[]): string {
  const name = parts.join(".");
  if (name.length <= limits.sqlNameBytesMax) return name;
  const digest = toHex(sha256(new TextEncoder().encode(name))).slice(0, DIGEST_CHARS);
  return `${name.slice(0, limits.sqlNameBytesMax - DIGEST_CHARS - 1)}.${digest}`;
}
