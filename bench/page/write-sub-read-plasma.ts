// Owns: the `write-sub-read` work on Plasma.

import { createPlasmaClient } from "plasma-sync/client";
import { and, asc, defineMutators, defineSchema, eq, gte, lt, type MutatorInput } from "plasma-sync/core";
import { whenDiskRests } from "./disk-rest.ts";
import { answerPulls, clientOptions, itemsTable, pageBodies, whenSynced } from "./open-plasma.ts";
import type { RunResult } from "./run-request.ts";
import { rowCount, sample, type Edit, type WriteSubReadParams } from "./write-sub-read-work.ts";

const PAGE = 5000;
const items = itemsTable(0);
const schema = defineSchema({ items });
const mutators = defineMutators<typeof schema, null>()({
  write: async ({ db, args }: MutatorInput<typeof schema, null, { edits: Edit[] }>) => {
    for (const { id, text } of args.edits) await db.update(items).set({ text }).where(eq(items.id, id));
  },
});

export async function run(params: WriteSubReadParams): Promise<RunResult> {
  const fetcher = answerPulls(pageBodies(rowCount(params), PAGE), PAGE);
  const client = createPlasmaClient({ ...clientOptions, schema, mutators, fetcher, pullPageSize: PAGE });
  await whenSynced(client);
  // Holds pushes back.
  client.stop();
  await whenDiskRests();
  return sample(params, {
    subscribe: async (ranges, onRows) => {
      const lives = ranges.map(({ from, to, limit }, range) => {
        const live = client.db
          .select()
          .from(items)
          .where(and(gte(items.id, from), lt(items.id, to)))
          .orderBy(asc(items.id))
          .limit(limit)
          .live();
        return { live, leave: live.subscribe((rows) => onRows(range, rows)) };
      });
      await Promise.all(lives.map(({ live }) => live.whenReady()));
      return () => lives.forEach(({ leave }) => leave());
    },
    write: async (edits) => {
      await client.mutate.write({ edits: [...edits] });
    },
    all: async () => client.db.select().from(items).orderBy(asc(items.id)),
    close: () => client.close(),
  });
}
