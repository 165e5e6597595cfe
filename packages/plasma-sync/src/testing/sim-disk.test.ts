// The simulated disk owes what IndexedDB owes.

import { systemEnv } from "../core/lib/env.ts";
import { schema, storeSuite } from "../client/store/store.suite.ts";
import { SimDisk, simStore } from "./sim-disk.ts";

const disks = new Map<string, SimDisk>();

storeSuite("simulated disk", (name) => {
  const disk = disks.get(name) ?? new SimDisk();
  disks.set(name, disk);
  return simStore({ disk, schema, schemaVersion: "1", env: systemEnv, gate: async () => undefined });
});
