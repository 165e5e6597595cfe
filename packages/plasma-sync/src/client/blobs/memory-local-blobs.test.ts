import { localBlobsSuite } from "./local-blobs.suite.ts";
import { createMemoryLocalBlobs, MemoryBlobDisk } from "./memory-local-blobs.ts";

const disks = new Map<string, MemoryBlobDisk>();

localBlobsSuite("memory", (name, env) => {
  const disk = disks.get(name) ?? new MemoryBlobDisk();
  disks.set(name, disk);
  return createMemoryLocalBlobs(env, disk);
});
