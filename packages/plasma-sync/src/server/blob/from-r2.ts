// Owns: fromR2: a BlobStore over a bucket of Cloudflare R2.
//
// What R2 does for us: an object appears whole or not at all, and a put that names its SHA-256 is refused when the bytes have
// another one, so no CPU time of the Worker goes into hashing.

import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";
import { hashOfKey } from "./blob-key.ts";
import type { BlobStore } from "./blob-store.ts";

/** What Plasma uses of an `R2Bucket`. */
export interface R2BucketLike {
  put(key: string, value: ReadableStream<Uint8Array>, options: { readonly sha256: string }): Promise<unknown>;
  get(key: string, options: { readonly range?: { offset: number; length: number } }): Promise<R2ObjectLike | null>;
  head(key: string): Promise<{ readonly size: number } | null>;
  delete(keys: string[]): Promise<void>;
  list(options: { readonly prefix: string; readonly limit: number; readonly cursor?: string }): Promise<{
    readonly objects: readonly { readonly key: string }[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
}

interface R2ObjectLike {
  readonly size: number;
  // A stream of the runtime's own type.
  readonly body: unknown;
}

/**
 * Keeps the bytes of files in a bucket of R2. Several databases may share a bucket: names are unique.
 *
 * @param options.prefix Stands before the names of all objects. Default "plasma/".
 * @example
 * const blobs = { default: fromR2(env.FILES) };
 */
export function fromR2(bucket: R2BucketLike, { prefix = "plasma/" }: { readonly prefix?: string } = {}): BlobStore {
  const nameOf = (key: string) => prefix + key;
  return {
    put: (key, body, sizeBytes) => putObject(bucket, { name: nameOf(key), hash: hashOfKey(key), sizeBytes }, body),
    get: async (key, range) => {
      // R2 takes no empty range, and no range of an empty object.
      if (range?.length === 0) return emptyPart(bucket, nameOf(key));
      const object = await bucket.get(nameOf(key), range === undefined ? {} : { range: { ...range } });
      return object === null ? null : { body: object.body as ReadableStream<Uint8Array>, sizeBytes: object.size };
    },
    head: async (key) => {
      const object = await bucket.head(nameOf(key));
      return object === null ? null : { sizeBytes: object.size };
    },
    delete: async (keys) => {
      for (let i = 0; i < keys.length; i += limits.blobListKeysMax)
        await bucket.delete(keys.slice(i, i + limits.blobListKeysMax).map(nameOf));
    },
    list: async (cursor) => {
      const page = await bucket.list({
        prefix,
        limit: limits.blobListKeysMax,
        ...(cursor !== undefined && { cursor }),
      });
      const keys = page.objects.map((object) => object.key.slice(prefix.length));
      return { keys, cursor: page.truncated ? must(page.cursor, "R2: a page that is cut has a cursor") : null };
    },
  };
}

async function emptyPart(bucket: R2BucketLike, name: string) {
  const object = await bucket.head(name);
  if (object === null) return null;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  return { body, sizeBytes: object.size };
}

/** A stream of which the runtime knows how long it is: R2 takes no other. It fails for one byte more or less. */
type FixedLength = new (sizeBytes: number) => TransformStream<Uint8Array, Uint8Array>;

interface NewObject {
  readonly name: string;
  readonly hash: string;
  readonly sizeBytes: number;
}

async function putObject(
  bucket: R2BucketLike,
  { name, hash, sizeBytes }: NewObject,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  const { FixedLengthStream } = globalThis as unknown as { readonly FixedLengthStream: FixedLength };
  const { readable, writable } = new FixedLengthStream(sizeBytes);
  let arrivedBytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      arrivedBytes += chunk.length;
      if (arrivedBytes > sizeBytes) throw serverError("blob/interrupted", {});
      controller.enqueue(chunk);
    },
    flush: () => {
      if (arrivedBytes < sizeBytes) throw serverError("blob/interrupted", {});
    },
  });
  const piped = body.pipeThrough(counted).pipeTo(writable);
  const [sent, stored] = await Promise.allSettled([piped, bucket.put(name, readable, { sha256: hash })]);
  if (stored.status === "fulfilled" && sent.status === "fulfilled") return;
  if (stored.status === "rejected" && isHashMismatch(stored.reason))
    throw serverError("blob/hash-mismatch", {}, { cause: stored.reason });
  throw sent.status === "rejected" ? sent.reason : (stored as PromiseRejectedResult).reason;
}

/** R2 tells by the code 10037 in its message ("BadDigest"). */
const isHashMismatch = (error: unknown): boolean => /\b10037\b|checksum you specified/i.test(String(error));
