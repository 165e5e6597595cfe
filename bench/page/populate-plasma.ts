// Owns: the `populate` work on Plasma. What a mutation of a synced table makes durable is the mutation; rows it writes at once only
// where the table is local to the device. So *visible* is taken on a synced table, *durable* on a local one.

import { createPlasmaClient } from "plasma-sync/client";
import { asc, defineMutators, defineSchema, id, table, text, type MutatorInput } from "plasma-sync/core";
import type { Item } from "./kilobyte-rows.ts";
import { clientOptions, nothingNew, whenSynced } from "./open-plasma.ts";
import { sample, SHOWN, type Populated, type PopulateParams } from "./populate-work.ts";
import type { RunResult } from "./run-request.ts";

export const run = (params: PopulateParams): Promise<RunResult> =>
  sample(params, async (rows, k) => {
    const synced = await populate({ ...params, rows, k, isLocal: false });
    const local = await populate({ ...params, rows, k, isLocal: true });
    return { ...local, visibleMs: synced.visibleMs };
  });

interface Setting {
  readonly indexes: number;
  readonly rows: readonly Item[];
  readonly k: number;
  readonly isLocal: boolean;
}

async function populate({ indexes, rows, k, isLocal }: Setting): Promise<Populated & { visibleMs: number }> {
  const items = table(
    "items",
    { id: id(), rank: text(), label: text(), text: text() },
    { changeLogSuppressed: isLocal, indexes: ({ rank, label }) => [[rank], [label]].slice(0, indexes) },
  );
  const schema = defineSchema({ items });
  const mutators = defineMutators<typeof schema, null>()({
    populate: async ({ db }: MutatorInput<typeof schema, null, null>) => {
      await db.insert(items).values([...rows]);
    },
  });
  const dbName = `bench-${isLocal ? "local" : "synced"}-${k}`;
  const client = createPlasmaClient({ ...clientOptions, dbName, schema, mutators, fetcher: nothingNew });
  await whenSynced(client);
  client.stop();
  const lives = [items.id, items.rank, items.label]
    .slice(0, indexes + 1)
    .map((column) => client.db.select().from(items).orderBy(asc(column)).limit(SHOWN).live());
  await Promise.all(lives.map((live) => live.whenReady()));
  let waiting = lives.length;
  const visible = new Promise<void>((resolve) => {
    for (const live of lives)
      live.subscribe((shown) => {
        if (shown.length === SHOWN && --waiting === 0) resolve();
      });
  });
  const start = performance.now();
  const written = client.mutate.populate(null);
  await visible;
  const visibleMs = performance.now() - start;
  await written;
  const durableMs = performance.now() - start;
  const found = await client.db.select().from(items).orderBy(asc(items.id));
  await client.close();
  return { visibleMs, durableMs, found };
}
