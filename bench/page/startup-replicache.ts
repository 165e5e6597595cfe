// Owns: the `startup` work on Replicache.

import type { ReadTransaction } from "replicache";
import { whenDiskRests } from "./disk-rest.ts";
import { itemsFrom, type Item } from "./kilobyte-rows.ts";
import { indexDefinitions, nextPersist, openReplicache } from "./open-replicache.ts";
import type { RunResult } from "./run-request.ts";
import { randomIDs, sample, SHOWN, type StartupParams } from "./startup-work.ts";

const indexes = indexDefinitions(1);

export async function prepare({ rows }: StartupParams): Promise<void> {
  const persisted = nextPersist();
  const rep = openReplicache({ indexes, firstPull: () => itemsFrom(0, rows) });
  await rep.pull();
  await persisted;
  await whenDiskRests();
  await rep.close();
}

export const run = (params: StartupParams): Promise<RunResult> =>
  sample(async () => {
    const rep = openReplicache({ indexes });
    if (params.reads === "100 rows by id") {
      return rep.query(async (tx) => {
        const found: Item[] = [];
        for (const id of randomIDs(params)) found.push((await tx.get(id)) as unknown as Item);
        return found;
      });
    }
    const window = (tx: ReadTransaction) =>
      params.reads === "window by id" ? tx.scan({ limit: SHOWN }) : tx.scan({ indexName: "rank", limit: SHOWN });
    return new Promise((resolve) => {
      rep.subscribe((tx) => window(tx).values().toArray(), {
        onData: (rows) => {
          if (rows.length === SHOWN) resolve(rows as unknown as Item[]);
        },
      });
    });
  });
