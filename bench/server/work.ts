// Owns: what the server's benches work on: one table, the mutator that inserts into it, and requests as clients send them.

import { defineMutators, defineSchema, id, int, table, text, type MutatorInput } from "plasma-sync/core";
import { createSyncHandler, type SqlExecutor, type SyncHandler, type SyncHandlerOptions } from "plasma-sync/server";

export const items = table(
  "items",
  { id: id(), title: text(), state: text({ enum: ["open", "done"] }).default("open"), rank: int(), ownerId: text() },
  { indexes: (t) => [[t.ownerId, t.rank]] },
);
export const schema = defineSchema({ items });

export interface Item {
  readonly id: string;
  readonly title: string;
  readonly state: "open" | "done";
  readonly rank: number;
  readonly ownerId: string;
}

export const itemOf = (n: number): Item => ({
  id: `item-${String(n).padStart(9, "0")}`,
  title: `The title of item ${n}, as long as titles are`,
  state: n % 3 === 0 ? "done" : "open",
  rank: (n * 7919) % 100_003,
  ownerId: `owner-${n % 50}`,
});

export const mutators = defineMutators<typeof schema, null>()({
  add: async ({ db, args }: MutatorInput<typeof schema, null, Item>) => {
    await db.insert(items).values(args);
  },
  rename: async ({ db, args }: MutatorInput<typeof schema, null, { id: string; title: string }>) => {
    const { id: itemID, title } = args;
    await db
      .insert(items)
      .values({ ...itemOf(0), id: itemID, title })
      .onConflictDoUpdate({ set: { title } });
  },
});

export const GROUP = "bench";

export const handlerOf = (executor: SqlExecutor, options: Partial<SyncHandlerOptions<null>> = {}): SyncHandler =>
  createSyncHandler<null>({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    auth: () => ({ ok: true, clientGroupID: GROUP, ctx: null }),
    ...options,
  });

export interface Mutation {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
}

export function pushRequest(clientID: string, mutations: readonly Mutation[]): Request {
  const sent = mutations.map((mutation) => ({ ...mutation, timestamp: Date.now(), seed: SEED }));
  const body = { protocolVersion: 1, schemaVersion: "1", clientGroupID: GROUP, clientID, replicaID: clientID };
  return new Request("http://bench/sync/push", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, mutations: sent }),
  });
}

const SEED = "000102030405060708090a0b0c0d0e0f";

export function pullRequest(clientID: string, cookie: string | undefined): Request {
  const params = { protocolVersion: "1", schemaVersion: "1", clientGroupID: GROUP, clientID, replicaID: clientID };
  const query = new URLSearchParams({ ...params, ...(cookie === undefined ? {} : { cookie }) });
  return new Request(`http://bench/sync/pull?${query}`);
}

/** The JSON of an answer that must be 200. */
export async function expectOk<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}

export function expectEqual(what: string, found: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a?.slice(0, 500)} is not ${b?.slice(0, 500)}`);
}
