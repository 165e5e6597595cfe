// Owns: the `startup` work on Plasma.

import { asc, eq } from "plasma-sync/core";
import { whenDiskRests } from "./disk-rest.ts";
import type { Item } from "./kilobyte-rows.ts";
import { answerPulls, nothingNew, openReader, pageBodies, whenSynced } from "./open-plasma.ts";
import type { RunResult } from "./run-request.ts";
import { randomIDs, sample, SHOWN, type StartupParams } from "./startup-work.ts";

const PAGE = 5000;
const INDEXES = 1;

export async function prepare({ rows }: StartupParams): Promise<void> {
  const { client } = openReader(INDEXES, answerPulls(pageBodies(rows, PAGE), PAGE), PAGE);
  await whenSynced(client);
  await whenDiskRests();
  await client.close();
}

export const run = (params: StartupParams): Promise<RunResult> =>
  sample(async () => {
    const { client, items } = openReader(INDEXES, nothingNew);
    if (params.reads === "100 rows by id") {
      const found: Item[] = [];
      for (const id of randomIDs(params)) found.push(...(await client.db.select().from(items).where(eq(items.id, id))));
      return found;
    }
    const column = params.reads === "window by id" ? items.id : items.rank;
    return new Promise((resolve) => {
      client.db
        .select()
        .from(items)
        .orderBy(asc(column))
        .limit(SHOWN)
        .live()
        .subscribe((rows) => {
          if (rows.length === SHOWN) resolve(rows);
        });
    });
  });
