// Owns: the names of blobs: hashes as clients say them, and keys as stores know them. Nothing else becomes a path or an object's
// name, so no text from outside does.

import { assert } from "../../core/lib/assert.ts";
import type { Env } from "../../core/lib/env.ts";
import { toHex } from "../../core/lib/hex.ts";

const GENERATION_BYTES = 8;

/** SHA-256 as 64 lower-case hex digits. */
export const isBlobHash = (text: unknown): text is string => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);

export const isBlobKey = (text: string): boolean => /^[0-9a-f]{64}\.[0-9a-f]{16}$/.test(text);

/** A key that nobody else has or will have: `<hash>.<16 random hex digits>`. */
export const createBlobKey = (hash: string, env: Env): string => `${hash}.${toHex(env.randomBytes(GENERATION_BYTES))}`;

export function hashOfKey(key: string): string {
  assert(isBlobKey(key), "blob key: only keys of ours reach a store");
  return key.slice(0, 64);
}
