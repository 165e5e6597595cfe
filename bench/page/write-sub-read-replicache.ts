// Owns: the `write-sub-read` work on Replicache.

import type { ReadonlyJSONValue, WriteTransaction } from "replicache";
import { whenDiskRests } from "./disk-rest.ts";
import { itemsFrom, type Item } from "./kilobyte-rows.ts";
import { nextPersist, openReplicache } from "./open-replicache.ts";
import type { RunResult } from "./run-request.ts";
import { rowCount, sample, type Edit, type WriteSubReadParams } from "./write-sub-read-work.ts";

export async function run(params: WriteSubReadParams): Promise<RunResult> {
  const rows = itemsFrom(0, rowCount(params));
  const persisted = nextPersist();
  const rep = openReplicache({
    firstPull: () => rows,
    mutators: {
      async write(tx: WriteTransaction, edits: readonly Edit[]) {
        for (const { id, text } of edits) {
          const item = (await tx.get(id)) as unknown as Item;
          await tx.set(id, { ...item, text });
        }
      },
    },
  });
  await rep.pull();
  await persisted;
  await whenDiskRests();
  return sample(params, {
    subscribe: async (ranges, onRows) => {
      const leaves = await Promise.all(
        ranges.map(({ from, limit }, range) => {
          const read = { start: { key: from }, limit };
          return new Promise<() => void>((resolve) => {
            const leave = rep.subscribe(
              async (tx) => (await tx.scan(read).values().toArray()) as readonly ReadonlyJSONValue[],
              {
                onData: (found) => {
                  onRows(range, found as unknown as Item[]);
                  queueMicrotask(() => resolve(leave));
                },
              },
            );
          });
        }),
      );
      return () => leaves.forEach((leave) => leave());
    },
    write: (edits) => rep.mutate.write(edits.map((edit) => ({ ...edit }))),
    all: async () => (await rep.query((tx) => tx.scan().values().toArray())) as unknown as Item[],
    close: () => rep.close(),
  });
}
