// Owns: the `rebase` work on Plasma.

import { createPlasmaClient } from "plasma-sync/client";
import { asc, defineMutators, defineSchema, eq, id, int, table, text, type MutatorInput } from "plasma-sync/core";
import { whenSynced } from "./open-plasma.ts";
import { digest, itemAt, itemID, markerOf, pulledItems, type Item, type RebaseParams } from "./rebase-work.ts";
import type { RunResult } from "./run-request.ts";

const items = table("items", { id: id(), text: text(), n: int() });
const schema = defineSchema({ items });
const mutators = defineMutators<typeof schema, null>()({
  increment: async ({ db, args }: MutatorInput<typeof schema, null, { id: string }>) => {
    const [item] = await db.select().from(items).where(eq(items.id, args.id));
    if (item !== undefined)
      await db
        .update(items)
        .set({ n: item.n + 1 })
        .where(eq(items.id, args.id));
  },
});

export async function run(params: RebaseParams): Promise<RunResult> {
  let round = 0;
  let handedOverMs = 0;
  const answerPull = (): Response => {
    const put = (value: Item) => ({ op: "put", table: "items", id: value.id, value });
    const rows = round === 0 ? Array.from({ length: params.rows }, (_, i) => itemAt(i)) : pulledItems(params, round);
    // Handed over as text, as any server would: parsing it is part of the sample.
    const body = JSON.stringify({ cookie: `round-${round}`, patch: rows.map(put), lastMutationIDs: {} });
    handedOverMs = performance.now();
    return new Response(body, { headers: { "Content-Type": "application/json" } });
  };
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName: "bench",
    endpoint: "/sync",
    schemaVersion: "1",
    clientGroupID: "bench",
    getContext: () => null,
    pollIntervalMs: 1e9,
    fetcher: async (request) => (request.method === "POST" ? new Response("{}", { status: 503 }) : answerPull()),
  });
  await whenSynced(client);
  for (let i = 0; i < params.pending; i++) await client.mutate.increment({ id: itemID(i % (params.rows - 1)) });

  let delivered: () => void = () => undefined;
  const live = client.db
    .select()
    .from(items)
    .where(eq(items.id, itemID(markerOf(params))))
    .live();
  const stop = live.subscribe(([row]) => {
    if (row?.text === pulledItems(params, round).at(-1)?.text) delivered();
  });
  await live.whenReady();
  const ms: number[] = [];
  for (round = 1; round <= params.samples; round++) {
    const done = new Promise<void>((resolve) => (delivered = resolve));
    void client.pullOnce();
    await done;
    ms.push(performance.now() - handedOverMs);
  }
  stop();
  const all = await client.db.select().from(items).orderBy(asc(items.id));
  await client.close();
  return { figures: { "": ms }, answer: digest(all) };
}
