// Owns: the page of `files`: takes the chosen file in by each way, driven by run.ts.

import { sha256 } from "@noble/hashes/sha2.js";
import { createPlasmaClient, deleteLocalData } from "plasma-sync/client";
import { defineMutators, defineSchema, file, id, table, type FileRef, type MutatorInput } from "plasma-sync/core";

export type Way = "Plasma" | "platform digest, whole file in memory" | "hash in pieces on the page, nothing stored";

export interface Taken {
  readonly ms: number;
  /** All ways must give the same. */
  readonly hash: string;
}

declare global {
  interface Window {
    bench: { take(way: Way): Promise<Taken> };
  }
}

const PIECE_BYTES = 1024 * 1024;
const films = table("films", { id: id(), file: file() });
const schema = defineSchema({ films });
const mutators = defineMutators<typeof schema, null>()({
  add: async ({ db, args }: MutatorInput<typeof schema, null, { id: string; film: FileRef }>) => {
    await db.insert(films).values({ id: args.id, file: args.film });
  },
});

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Until the bytes and the mutation are durable, in a database of its own. */
async function byPlasma(film: File): Promise<Taken> {
  const dbName = crypto.randomUUID();
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName,
    schemaVersion: "1",
    clientGroupID: "bench",
    getContext: () => null,
    offline: true,
  });
  await client.pending();
  const began = performance.now();
  await client.mutate.add({ id: "film", film });
  const ms = performance.now() - began;
  const [row] = await client.db.select().from(films);
  await client.close();
  await deleteLocalData({ dbName, clientGroupID: "bench" });
  return { ms, hash: row?.file.hash ?? "" };
}

async function byDigest(film: File): Promise<Taken> {
  const began = performance.now();
  const digest = await crypto.subtle.digest("SHA-256", await film.arrayBuffer());
  return { ms: performance.now() - began, hash: hex(new Uint8Array(digest)) };
}

async function inPieces(film: File): Promise<Taken> {
  const began = performance.now();
  const hasher = sha256.create();
  for (let from = 0; from < film.size; from += PIECE_BYTES)
    hasher.update(new Uint8Array(await film.slice(from, from + PIECE_BYTES).arrayBuffer()));
  return { hash: hex(hasher.digest()), ms: performance.now() - began };
}

const ways: { readonly [way in Way]: (film: File) => Promise<Taken> } = {
  Plasma: byPlasma,
  "platform digest, whole file in memory": byDigest,
  "hash in pieces on the page, nothing stored": inPieces,
};

window.bench = {
  take: async (way) => {
    const film = document.querySelector<HTMLInputElement>("#picked")?.files?.[0];
    if (film === undefined) throw new Error("no file was chosen");
    performance.mark("bench-begin");
    const taken = await ways[way](film);
    performance.mark("bench-end");
    return taken;
  },
};
