// The bytes of files on a simulated disk owe what those in IndexedDB owe.

import { localBlobsSuite } from "../client/blobs/local-blobs.suite.ts";
import { MemoryBlobDisk } from "../client/blobs/memory-local-blobs.ts";
import { simLocalBlobs } from "./sim-local-blobs.ts";

const disks = new Map<string, MemoryBlobDisk>();

localBlobsSuite("a simulated disk", (name, env) => {
  const disk = disks.get(name) ?? new MemoryBlobDisk();
  disks.set(name, disk);
  return simLocalBlobs({ disk, env, gate: async () => undefined });
});
