// Owns: the `scan` work on Plasma.

import { createPlasmaClient } from "plasma-sync/client";
import { asc, defineMutators, defineSchema, id, table, text } from "plasma-sync/core";
import { whenSynced } from "./open-plasma.ts";
import type { RunResult } from "./run-request.ts";
import { itemAt, sample, type ScanParams } from "./scan-work.ts";

const items = table("items", { id: id(), text: text() });
const schema = defineSchema({ items });
const mutators = defineMutators<typeof schema, null>()({});

export async function run(params: ScanParams): Promise<RunResult> {
  const rows = Array.from({ length: params.rows }, (_, i) => itemAt(i));
  const patch = rows.map((value) => ({ op: "put", table: "items", id: value.id, value }));
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName: "bench",
    endpoint: "/sync",
    schemaVersion: "1",
    clientGroupID: "bench",
    getContext: () => null,
    pollIntervalMs: 1e9,
    fetcher: async (request) =>
      request.method === "POST"
        ? new Response("{}", { status: 503 })
        : Response.json({ cookie: "all", patch, lastMutationIDs: {} }),
  });
  await whenSynced(client);
  const result = await sample(params, () => client.db.select().from(items).orderBy(asc(items.id)));
  await client.close();
  return result;
}
