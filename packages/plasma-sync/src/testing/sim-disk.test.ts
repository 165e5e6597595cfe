// The simulated disk owes what IndexedDB owes.

import { systemEnv } from "../core/lib/env.ts";
import { schema, storeSuite } from "../client/store/store.suite.ts";
import { coldRowsSuite, coldSchema } from "../client/store/cold-rows.suite.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import { SimDisk, simStore } from "./sim-disk.ts";

const disks = new Map<string, SimDisk>();

const openOf = (opened: AnySchema) => (name: string) => {
  const disk = disks.get(name) ?? new SimDisk();
  disks.set(name, disk);
  return simStore({ disk, schema: opened, schemaVersion: "1", env: systemEnv, gate: async () => undefined });
};

storeSuite("simulated disk", openOf(schema));
coldRowsSuite("simulated disk", {
  open: openOf(coldSchema),
  fold: async (name) => disks.get(name)?.rows.fold(),
  isCold: true,
});
