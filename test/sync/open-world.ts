// Owns: real clients (storage in memory) against the real handler on SQLite in one process, with a network whose faults a
// test chooses. Persons are named by the header x-user; `ctx` is `{ userId }`.

import { DatabaseSync } from "node:sqlite";
import { createPlasmaClient, type PlasmaClient, type SyncClientError } from "plasma-sync/client";
import type { AnyMutators, AnySchema } from "plasma-sync/core";
import { createServerDb, createSyncHandler, fromNodeSqlite } from "plasma-sync/server";
import { vi } from "vitest";

const ENDPOINT = "http://plasma.test/sync";

export interface Ctx {
  readonly userId: string;
}

/** What happens to a request. */
export type Fault = "none" | "unreachable" | "answer-lost" | "bad-gateway" | "bad-cookie";

export interface PushResult {
  readonly status: "applied" | "duplicate" | "rejected";
  readonly error?: { readonly code: string; readonly message: string };
}

export interface World<S extends AnySchema, M extends AnyMutators> {
  client(user: string): PlasmaClient<S, M>;
  /** Calls a mutator on the server alone, as a changed app could, and gives its result. */
  push(user: string, name: string, args: unknown): Promise<PushResult>;
  /** What the clients' `onError` was told. */
  readonly errors: SyncClientError[];
  /** Decides about each request from now on. */
  setFault(fault: (request: Request) => Fault): void;
  /** Reads and writes everything, as the server's own code does. */
  readonly db: ReturnType<typeof createServerDb>;
  /** Bodies of the answers to pulls, and who was answered. */
  readonly pulls: { readonly user: string; readonly body: string }[];
  readonly requests: { readonly method: string; readonly path: string; readonly status: number | "none" }[];
  /** Processed mutations, in the server's order. */
  readonly processed: { readonly name: string; readonly status: string; readonly args: unknown }[];
  close(): Promise<void>;
}

export interface WorldOptions<S extends AnySchema, M extends AnyMutators> {
  readonly schema: S;
  readonly mutators: M;
  /** Default 50. */
  readonly pollIntervalMs?: number;
}

export function openWorld<S extends AnySchema, M extends AnyMutators>(options: WorldOptions<S, M>): World<S, M> {
  const { schema, mutators, pollIntervalMs = 50 } = options;
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  const processed: World<S, M>["processed"] = [];
  const requests: World<S, M>["requests"] = [];
  const pulls: World<S, M>["pulls"] = [];
  const clients: PlasmaClient<S, M>[] = [];
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
    if (request.method === "GET")
      pulls.push({ user: request.headers.get("x-user") ?? "", body: await answer.clone().text() });
    if (kind === "answer-lost") throw new TypeError("Failed to fetch");
    return answer;
  };
  let pushed = 0;
  const push = async (userId: string, name: string, args: unknown): Promise<PushResult> => {
    const mutations = [{ id: 1, name, args, timestamp: Date.now() }];
    const clientID = `changed-app-${++pushed}`;
    const body = { protocolVersion: 1, schemaVersion: "1", clientGroupID: userId, clientID, mutations };
    const headers = { "x-user": userId, "content-type": "application/json" };
    const request = new Request(`${ENDPOINT}/push`, { method: "POST", headers, body: JSON.stringify(body) });
    const { results } = (await (await handler(request)).json()) as { results: readonly [PushResult] };
    return results[0];
  };
  return {
    push,
    errors,
    requests,
    pulls,
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
        endpoint: ENDPOINT,
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

/** Waits until `check` does not throw. */
export const eventually = (check: () => unknown): Promise<unknown> =>
  vi.waitFor(check, { timeout: 5000, interval: 10 });
