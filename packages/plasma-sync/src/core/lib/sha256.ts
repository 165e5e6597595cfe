// Owns: SHA-256 of a few bytes, synchronously: the platform's digest is asynchronous, and the library that has a synchronous
// one costs 2.6 KiB of every page's bundle (docs/decisions/0005). Not for files: those take the platform's or a library's.
// Invariant: the message fits one block (at most 55 bytes).

import { assert } from "./assert.ts";

const MESSAGE_BYTES_MAX = 55; // A block of 64 bytes less the end mark and the length.

/** Fractional parts of the square roots (start state) and cube roots (round constants) of the first primes. */
const { state: START, rounds: ROUNDS } = constants();

function constants(): { state: Uint32Array; rounds: Uint32Array } {
  const state = new Uint32Array(8);
  const rounds = new Uint32Array(64);
  let count = 0;
  for (let candidate = 2; count < 64; candidate++) {
    if (!isPrime(candidate)) continue;
    if (count < 8) state[count] = (candidate ** (1 / 2) % 1) * 2 ** 32;
    rounds[count++] = (candidate ** (1 / 3) % 1) * 2 ** 32;
  }
  return { state, rounds };
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false;
  return true;
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** The 32 bytes of the digest. */
export function sha256(message: Uint8Array): Uint8Array<ArrayBuffer> {
  assert(message.length <= MESSAGE_BYTES_MAX, "sha256: the message fits one block");
  const block = new DataView(new ArrayBuffer(64));
  message.forEach((byte, i) => block.setUint8(i, byte));
  block.setUint8(message.length, 0x80);
  block.setUint32(60, message.length * 8);
  const digest = new DataView(new ArrayBuffer(32));
  compress(schedule(block)).forEach((word, i) => digest.setUint32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

/** The block's 16 words, extended to one per round. */
function schedule(block: DataView): Uint32Array {
  const words = new Uint32Array(64);
  const at = (i: number) => words[i] as number;
  for (let i = 0; i < 64; i++) {
    if (i < 16) {
      words[i] = block.getUint32(4 * i);
      continue;
    }
    const low = rotate(at(i - 15), 7) ^ rotate(at(i - 15), 18) ^ (at(i - 15) >>> 3);
    const high = rotate(at(i - 2), 17) ^ rotate(at(i - 2), 19) ^ (at(i - 2) >>> 10);
    words[i] = at(i - 16) + low + at(i - 7) + high;
  }
  return words;
}

function compress(words: Uint32Array): Uint32Array {
  let [a, b, c, d, e, f, g, h] = START as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first =
      (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + (ROUNDS[i] as number) + (words[i] as number)) | 0;
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  return START.map((word, i) => word + ([a, b, c, d, e, f, g, h][i] as number));
}
