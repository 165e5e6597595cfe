// Owns: the `initial-pull` work on Replicache. Its puller hands over the rows as objects, or as text that it parses first, as the
// puller that comes with Replicache does.

import { lastID, sample, type InitialPullParams } from "./initial-pull-work.ts";
import { itemsFrom, type Item } from "./kilobyte-rows.ts";
import { nextPersist, openReplicache } from "./open-replicache.ts";
import type { RunResult } from "./run-request.ts";

export async function run(params: InitialPullParams): Promise<RunResult> {
  const rows = itemsFrom(0, params.rows);
  const text = params.side === "Replicache, parsing" ? JSON.stringify(rows) : null;
  return sample({
    start: (onFirst, onLast) => {
      const persisted = nextPersist();
      const rep = openReplicache({ firstPull: () => (text === null ? rows : (JSON.parse(text) as Item[])) });
      rep.subscribe((tx) => tx.scan({ limit: 1 }).keys().toArray(), {
        onData: (found) => {
          if (found.length > 0) onFirst();
        },
      });
      rep.subscribe((tx) => tx.has(lastID(params)), {
        onData: (isThere) => {
          if (isThere) onLast();
        },
      });
      return { durable: persisted.then(() => rep.close()) };
    },
    onDisk: async () => {
      const rep = openReplicache({});
      const found = (await rep.query((tx) => tx.scan().values().toArray())) as unknown as Item[];
      await rep.close();
      return found;
    },
  });
}
