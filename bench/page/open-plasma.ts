// Owns: a Plasma client for the workloads: a table of 1 KB rows, and pulls that the page itself answers with the bytes of a text, as a
// network would.

import { createPlasmaClient, type PlasmaClient } from "plasma-sync/client";
import { defineMutators, defineSchema, id, table, text } from "plasma-sync/core";
import { itemsFrom } from "./kilobyte-rows.ts";

export type Fetcher = (request: Request) => Promise<Response>;

const columns = () => ({ id: id(), rank: text(), label: text(), text: text() });

/** The table, with the first `indexCount` of the indexes on rank and label declared. */
export const itemsTable = (indexCount: number) =>
  table("items", columns(), { indexes: ({ rank, label }) => [[rank], [label]].slice(0, indexCount) });

/** What every client here has. No poll: nothing but what a workload asks for. */
export const clientOptions = {
  dbName: "bench",
  endpoint: "/sync",
  schemaVersion: "1",
  clientGroupID: "bench",
  getContext: () => null,
  pollIntervalMs: 1e9,
} as const;

/** A client that only reads, and its table. */
export function openReader(indexCount: number, fetcher: Fetcher, pullPageSize?: number) {
  const items = itemsTable(indexCount);
  const schema = defineSchema({ items });
  const mutators = defineMutators<typeof schema, null>()({});
  const paging = pullPageSize === undefined ? {} : { pullPageSize };
  return { items, client: createPlasmaClient({ ...clientOptions, ...paging, schema, mutators, fetcher }) };
}

/** The pages of a first sync: `count` rows, `perPage` a page. The cookie names the row that is next. */
export function pageBodies(count: number, perPage: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: Math.ceil(count / perPage) }, (_, page) => {
    const first = page * perPage;
    const rows = itemsFrom(first, Math.min(perPage, count - first));
    const patch = rows.map((value) => ({ op: "put", table: "items", id: value.id, value }));
    const hasMore = first + rows.length < count;
    const answer = { cookie: `row-${first + rows.length}`, patch, lastMutationIDs: {}, hasMore };
    return new TextEncoder().encode(JSON.stringify(answer));
  });
}

/** Answers pulls with these pages, one after the other, and whoever has them all with nothing. Pushes fail. */
export function answerPulls(pages: readonly Uint8Array<ArrayBuffer>[], perPage: number): Fetcher {
  return async (request) => {
    if (request.method === "POST") return new Response("{}", { status: 503 });
    const cookie = new URL(request.url).searchParams.get("cookie");
    const next = cookie === null ? 0 : Number(cookie.slice("row-".length)) / perPage;
    const body = pages[Math.ceil(next)] ?? JSON.stringify({ cookie, patch: [], lastMutationIDs: {} });
    return new Response(body, { headers: { "Content-Type": "application/json" } });
  };
}

/** Whoever pulls already has everything. */
export const nothingNew: Fetcher = async (request) =>
  request.method === "POST"
    ? new Response("{}", { status: 503 })
    : Response.json({
        cookie: new URL(request.url).searchParams.get("cookie") ?? "none",
        patch: [],
        lastMutationIDs: {},
      });

/** Resolves when the first sync is over and on disk. (`pullOnce()` waits for a bounded time only.) */
export function whenSynced({ status }: Pick<PlasmaClient, "status">): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      const { firstSync, syncing } = status.get();
      if (firstSync.done && !syncing) resolve();
    };
    status.subscribe(check);
    check();
  });
}
