// Owns: the `initial-pull` work on Plasma.

import { asc, eq } from "plasma-sync/core";
import { lastID, sample, type InitialPullParams } from "./initial-pull-work.ts";
import { answerPulls, nothingNew, openReader, pageBodies, whenSynced } from "./open-plasma.ts";
import type { RunResult } from "./run-request.ts";

export async function run(params: InitialPullParams): Promise<RunResult> {
  const pages = pageBodies(params.rows, params.perPage);
  return sample({
    start: (onFirst, onLast) => {
      const { client, items } = openReader(0, answerPulls(pages, params.perPage), params.perPage);
      const notify = (call: () => void) => (rows: readonly unknown[]) => {
        if (rows.length > 0) call();
      };
      client.db.select().from(items).orderBy(asc(items.id)).limit(1).live().subscribe(notify(onFirst));
      client.db
        .select()
        .from(items)
        .where(eq(items.id, lastID(params)))
        .live()
        .subscribe(notify(onLast));
      return { durable: whenSynced(client).then(() => client.close()) };
    },
    onDisk: async () => {
      const { client, items } = openReader(0, nothingNew);
      const found = await client.db.select().from(items).orderBy(asc(items.id));
      await client.close();
      return found;
    },
  });
}
