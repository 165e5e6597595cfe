// Owns: real clients (storage in memory) against the real handler on SQLite in one process, with a network whose faults a
// test chooses.

import { DatabaseSync } from "node:sqlite";
import { createPlasmaClient, type PlasmaClient, type SyncClientError } from "plasma-sync/client";
import {
  boolean,
  defineMutators,
  defineSchema,
  desc,
  eq,
  id,
  int,
  table,
  text,
  type MutatorInput,
} from "plasma-sync/core";
import { createServerDb, createSyncHandler, fromNodeSqlite } from "plasma-sync/server";
import { vi } from "vitest";

interface Ctx {
  readonly userId: string;
}

export const notes = table(
  "notes",
  { id: id(), owner: text(), body: text(), rank: int().default(0), shared: boolean().default(false) },
  {
    auth: {
      read: (ctx: Ctx, row) => row.shared || row.owner === ctx.userId,
      write: (ctx: Ctx, row) => row.owner === ctx.userId,
    },
  },
);
export const schema = defineSchema({ notes });

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
export const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args, ctx, newId }: Input<{ body: string; shared?: boolean }>) => {
    const [last] = await db.select().from(notes).orderBy(desc(notes.rank)).limit(1);
    await db.insert(notes).values({
      id: newId(),
      owner: ctx.userId,
      body: args.body,
      rank: (last?.rank ?? 0) + 1,
      shared: args.shared ?? false,
    });
  },
  edit: async ({ db, args, side }: Input<{ id: string; body: string }>) => {
    // A rule that only the server knows.
    if (side === "server" && args.body.includes("forbidden")) throw new Error("That word is not allowed here.");
    await db.update(notes).set({ body: args.body }).where(eq(notes.id, args.id));
  },
  remove: async ({ db, args }: Input<{ id: string }>) => {
    await db.delete(notes).where(eq(notes.id, args.id));
  },
});

export type Client = PlasmaClient<typeof schema, typeof mutators>;

/** What happens to a request. */
export type Fault = "none" | "unreachable" | "answer-lost" | "bad-gateway" | "bad-cookie";

export interface World {
  client(user: string): Client;
  /** What the clients' `onError` was told. */
  readonly errors: SyncClientError[];
  /** Decides about each request from now on. */
  setFault(fault: (request: Request) => Fault): void;
  readonly db: ReturnType<typeof createServerDb>;
  readonly requests: { readonly method: string; readonly path: string; readonly status: number | "none" }[];
  /** Processed mutations, in the server's order. */
  readonly processed: { readonly name: string; readonly status: string; readonly args: unknown }[];
  close(): Promise<void>;
}

export function createWorld({ pollIntervalMs = 50 }: { readonly pollIntervalMs?: number } = {}): World {
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  const processed: World["processed"] = [];
  const requests: World["requests"] = [];
  const clients: Client[] = [];
  const errors: SyncClientError[] = [];
  const handler = createSyncHandler<Ctx>({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    auth: (request) => {
      const userId = request.headers.get("x-user");
      return userId === null
        ? { ok: false, reason: "Who are you?" }
        : { ok: true, clientGroupID: userId, ctx: { userId } };
    },
    onMutation: ({ name, status, args }) => void processed.push({ name, status, args }),
  });
  let fault: (request: Request) => Fault = () => "none";
  const send = async (request: Request): Promise<Response> => {
    const path = new URL(request.url).pathname;
    const kind = fault(request);
    const note = (status: number | "none") => requests.push({ method: request.method, path, status });
    if (kind === "unreachable") {
      note("none");
      throw new TypeError("Failed to fetch");
    }
    if (kind === "bad-gateway" || kind === "bad-cookie") {
      const status = kind === "bad-gateway" ? 502 : 400;
      note(status);
      return new Response(
        kind === "bad-gateway" ? "<h1>Bad gateway</h1>" : JSON.stringify({ error: "?", code: "pull/cookie" }),
        { status },
      );
    }
    const answer = await handler(request);
    note(answer.status);
    if (kind === "answer-lost") throw new TypeError("Failed to fetch");
    return answer;
  };
  return {
    errors,
    requests,
    processed,
    db: createServerDb({ schema, executor }),
    setFault: (next) => {
      fault = next;
    },
    client: (userId) => {
      const client = createPlasmaClient({
        schema,
        mutators,
        dbName: "world",
        endpoint: "http://plasma.test/sync",
        schemaVersion: "1",
        clientGroupID: userId,
        getContext: (): Ctx => ({ userId }),
        storage: "memory",
        pollIntervalMs,
        retry: { maxAttempts: 3, initialDelayMs: 5, maxDelayMs: 20 },
        authHeaders: () => ({ "x-user": userId }),
        fetcher: send,
        onError: (error) => errors.push(error),
      });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) await client.close();
    },
  };
}

/** The bodies that a client shows, in order of rank. */
export async function bodies(client: Client): Promise<string[]> {
  return (await client.db.select().from(notes).orderBy(notes.rank)).map(({ body }) => body);
}

/** Waits until `check` does not throw. */
export const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 5000, interval: 10 });
