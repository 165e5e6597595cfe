// Owns: ids that a mutation makes: the same on both sides, not guessable by others.

import { sha256 } from "../lib/sha256.ts";
import type { Env } from "../lib/env.ts";
import { must } from "../lib/assert.ts";
import { fromHex, toHex } from "../lib/hex.ts";

const SEED_BYTES = 16;

/** 128 random bits as 32 hex digits. */
export const createSeed = (env: Env): string => toHex(env.randomBytes(SEED_BYTES));

/**
 * Makes a mutation's `newId`: call n (from 0) gives the first 16 bytes of SHA-256(seed ‖ n as uint32 big-endian), with
 * version 4 and variant bits set, as a lower-case UUID.
 */
export function createNewId(seed: string): () => string {
  let counter = 0;
  let input: DataView<ArrayBuffer> | null = null;
  return () => {
    // Made at the first call: most replays make no id.
    input ??= seedAndCounter(seed);
    input.setUint32(SEED_BYTES, counter++);
    const bytes = sha256(new Uint8Array(input.buffer)).subarray(0, 16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
}

function seedAndCounter(seed: string): DataView<ArrayBuffer> {
  const bytes = new Uint8Array(SEED_BYTES + 4);
  bytes.set(must(fromHex(seed), "new id: a seed is 32 hex digits"));
  return new DataView(bytes.buffer);
}
