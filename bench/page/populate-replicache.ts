// Owns: the `populate` work on Replicache.

import type { ReadonlyJSONValue, WriteTransaction } from "replicache";
import type { Item } from "./kilobyte-rows.ts";
import { indexDefinitions, nextPersist, openReplicache } from "./open-replicache.ts";
import { sample, SHOWN, type PopulateParams } from "./populate-work.ts";
import type { RunResult } from "./run-request.ts";

export const run = (params: PopulateParams): Promise<RunResult> =>
  sample(params, async (rows, k) => {
    const indexes = indexDefinitions(params.indexes);
    const rep = openReplicache({
      name: `bench-${k}`,
      indexes,
      mutators: {
        async populate(tx: WriteTransaction) {
          for (const item of rows) await tx.set(item.id, item as unknown as ReadonlyJSONValue);
        },
      },
    });
    await rep.pull();
    await nextPersist(rep.name);
    let waiting = Object.keys(indexes).length + 1;
    const visible = new Promise<void>((resolve) => {
      const onData = (shown: readonly unknown[]) => {
        if (shown.length === SHOWN && --waiting === 0) resolve();
      };
      rep.subscribe((tx) => tx.scan({ limit: SHOWN }).values().toArray(), { onData });
      for (const indexName of Object.keys(indexes))
        rep.subscribe((tx) => tx.scan({ indexName, limit: SHOWN }).values().toArray(), { onData });
    });
    await rep.query(() => null);
    const persisted = nextPersist(rep.name);
    const start = performance.now();
    void rep.mutate.populate();
    await visible;
    const visibleMs = performance.now() - start;
    await persisted;
    const durableMs = performance.now() - start;
    const found = (await rep.query((tx) => tx.scan().values().toArray())) as unknown as Item[];
    await rep.close();
    return { visibleMs, durableMs, found };
  });
