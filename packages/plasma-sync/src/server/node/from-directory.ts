// Owns: fromDirectory: a BlobStore in a directory of the disk.
//
//   <root>/ab/cd/<key>                      a blob; ab and cd are the first digits of its hash
//   <root>/ab/cd/<key>.<random>.part        one that is being written, or that a killed process has left
//
// Invariants:
//   1. A blob gets its name by a rename, after its bytes are on the disk (fsync) and have been checked; the directory is
//      synced after it. So a power loss leaves a whole blob or none.
//   2. No text from outside becomes a path: keys are hex digits and a dot.
//   3. Directories are left when they are empty: another process may be about to write into them.

import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as limits from "../../core/limits.ts";
import { hashOfKey, isBlobKey } from "../blob/blob-key.ts";
import type { BlobContent, BlobPage, BlobRange, BlobStore } from "../blob/blob-store.ts";
import { serverError } from "../server-error.ts";

/**
 * Keeps the bytes of files in a directory, which is made when it is not there. Several processes of one machine may use it at
 * once. Network file systems must have atomic renames.
 *
 * @param root The directory. Nothing else should be in it.
 * @example
 * const server = await serve({
 *   schema, mutators, auth, schemaVersion: "1",
 *   executor: fromNodeSqlite(new DatabaseSync("app.db", { timeout: 5000 })),
 *   blobs: { default: fromDirectory("files") },
 *   port: 8787,
 * });
 */
export function fromDirectory(root: string): BlobStore {
  const pathOf = (key: string) => join(root, ...shardOf(hashOfKey(key)), key);
  return {
    put: (key, body, sizeBytes) => putFile(pathOf(key), body, { hash: hashOfKey(key), sizeBytes }),
    get: (key, range) => getFile(pathOf(key), range),
    head: async (key) => {
      const found = await orNull(stat(pathOf(key)));
      return found === null ? null : { sizeBytes: found.size };
    },
    delete: async (keys) => {
      for (const key of keys) await deleteFiles(dirname(pathOf(key)), key);
    },
    list: (cursor) => listShard(root, cursor),
  };
}

const shardOf = (hash: string): readonly [string, string] => [hash.slice(0, 2), hash.slice(2, 4)];

interface Expected {
  readonly hash: string;
  readonly sizeBytes: number;
}

async function putFile(path: string, body: ReadableStream<Uint8Array>, expected: Expected): Promise<void> {
  const shard = dirname(path);
  const isNew = (await mkdir(shard, { recursive: true })) !== undefined;
  const part = `${path}.${randomBytes(8).toString("hex")}.part`;
  try {
    const file = await open(part, "wx");
    try {
      await writeChecked(file, body, expected);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    for (const directory of [shard, ...(isNew ? [dirname(shard), dirname(dirname(shard))] : [])])
      await syncDirectory(directory);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function writeChecked(
  file: FileHandle,
  body: ReadableStream<Uint8Array>,
  { hash, sizeBytes }: Expected,
): Promise<void> {
  const digest = createHash("sha256");
  let arrivedBytes = 0;
  // A loop that is left early cancels the stream.
  for await (const chunk of body) {
    arrivedBytes += chunk.length;
    if (arrivedBytes > sizeBytes) throw serverError("blob/interrupted", {});
    digest.update(chunk);
    await file.appendFile(chunk);
  }
  if (arrivedBytes < sizeBytes) throw serverError("blob/interrupted", {});
  if (digest.digest("hex") !== hash) throw serverError("blob/hash-mismatch", {});
}

/** So that the new name survives a power loss. Windows opens no directories, and needs none of it. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function getFile(path: string, range: BlobRange | undefined): Promise<BlobContent | null> {
  const file = await orNull(open(path, "r"));
  if (file === null) return null;
  try {
    const { size: sizeBytes } = await file.stat();
    return { body: streamOf(file, range ?? { offset: 0, length: sizeBytes }), sizeBytes };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads when asked; closes the file at the end, when cancelled and when reading fails. */
function streamOf(file: FileHandle, { offset, length }: BlobRange): ReadableStream<Uint8Array> {
  let at = offset;
  const end = offset + length;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const chunk = new Uint8Array(Math.min(limits.blobReadBytes, end - at));
          const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
          at += bytesRead;
          if (bytesRead > 0) controller.enqueue(chunk.subarray(0, bytesRead));
          // A file that is shorter than it was: its reader sees that bytes are missing.
          if (bytesRead > 0 && at < end) return;
          await file.close();
          controller.close();
        } catch (error) {
          await file.close();
          throw error;
        }
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}

/** The blob, and parts of it that were never finished. */
async function deleteFiles(shard: string, key: string): Promise<void> {
  for (const name of (await orNull(readdir(shard))) ?? [])
    if (name === key || name.startsWith(`${key}.`)) await rm(join(shard, name), { force: true });
}

/** One page is one first-level directory; the cursor is the name of the last one read. */
async function listShard(root: string, cursor = ""): Promise<BlobPage> {
  const shards = ((await orNull(readdir(root))) ?? [])
    .filter((name) => /^[0-9a-f]{2}$/.test(name) && name > cursor)
    .sort();
  const [shard] = shards;
  if (shard === undefined) return { keys: [], cursor: null };
  const names = await Promise.all(
    ((await orNull(readdir(join(root, shard)))) ?? []).map((inner) => orNull(readdir(join(root, shard, inner)))),
  );
  const keys = names.flatMap((list) => list ?? []).filter(isBlobKey);
  return { keys, cursor: shards.length > 1 ? shard : null };
}

/** Null where nothing of that name is. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ENOENT") return null;
    throw error;
  }
}
