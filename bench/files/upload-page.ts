// Owns: the page of `upload`: sends random files by each way, driven by upload.ts. Its query: endpoint.

import { createPlasmaClient, deleteLocalData } from "plasma-sync/client";
import { mutators, schema, type UploadRequest } from "./upload-work.ts";

declare global {
  interface Window {
    bench: { upload(request: UploadRequest): Promise<number> };
  }
}

const endpoint = new URLSearchParams(location.search).get("endpoint") ?? "";
const RANDOM_BYTES_MAX = 65_536;

function randomFile(sizeBytes: number): Blob {
  const bytes = new Uint8Array(sizeBytes);
  for (let from = 0; from < sizeBytes; from += RANDOM_BYTES_MAX)
    crypto.getRandomValues(bytes.subarray(from, from + RANDOM_BYTES_MAX));
  return new Blob([bytes], { type: "application/octet-stream" });
}

async function byPlasma(files: readonly Blob[]): Promise<number> {
  const dbName = crypto.randomUUID();
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName,
    endpoint,
    schemaVersion: "1",
    clientGroupID: "bench",
    getContext: () => null,
    authHeaders: () => ({ "x-user": "bench" }),
  });
  // Taken in while nothing is sent: what counts is the way to the server.
  client.stop();
  const added = files.map((film, i) => client.mutate.add({ id: `${dbName} ${i}`, film }));
  await Promise.all(added);
  const began = performance.now();
  client.start();
  await Promise.all(added.map(({ server }) => server));
  const ms = performance.now() - began;
  await client.close();
  await deleteLocalData({ dbName, clientGroupID: "bench" });
  return ms;
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function byFetch(files: readonly Blob[], atOnce: number): Promise<number> {
  const hashes: string[] = [];
  for (const each of files)
    hashes.push(hex(new Uint8Array(await crypto.subtle.digest("SHA-256", await each.arrayBuffer()))));
  const left = files.map((body, i) => ({ body, hash: hashes[i] }));
  const began = performance.now();
  const line = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const headers = { "x-user": "bench", "content-type": "application/octet-stream" };
      const { ok } = await fetch(`${endpoint}/blob/${next.hash}`, { method: "PUT", headers, body: next.body });
      if (!ok) throw new Error("an upload failed");
    }
  };
  await Promise.all(Array.from({ length: atOnce }, line));
  return performance.now() - began;
}

window.bench = {
  upload: async ({ way, count, sizeBytes, atOnce }) => {
    const files = Array.from({ length: count }, () => randomFile(sizeBytes));
    return way === "Plasma" ? byPlasma(files) : byFetch(files, atOnce);
  },
};
