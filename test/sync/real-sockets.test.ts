// Owns: clients and `serve()` over real sockets and real HTTP, in real time: what a change costs, and what a restart does. The
// poll is an hour away, so that only sockets bring anything. How a cut anywhere is survived: socket-cuts.test.ts.

import { DatabaseSync } from "node:sqlite";
import { createPlasmaClient, createPresence, createWebSocketSubscription } from "plasma-sync/client";
import type { Poke, SyncClientError } from "plasma-sync/client";
import { defineMutators, defineSchema, id, table, text, type MutatorInput } from "plasma-sync/core";
import { ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { serve, type PlasmaServer } from "plasma-sync/server/node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "./open-world.ts";

interface Ctx {
  readonly user: string;
}
const notes = table("notes", { id: id(), body: text() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args, newId }: MutatorInput<typeof schema, Ctx, { body: string }>) => {
    await db.insert(notes).values({ id: newId(), body: args.body });
  },
});
const HOUR_MS = 3_600_000;

let database: DatabaseSync;
let server: PlasmaServer;
/** Who may come in now. */
let tokens: Set<string>;
let pulls: string[];
const ends: (() => Promise<void> | void)[] = [];

async function start(port = 0): Promise<PlasmaServer> {
  const executor = fromNodeSqlite(database);
  await ensureSchema({ schema, executor });
  return serve({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    port,
    hostname: "127.0.0.1",
    handleSignals: false,
    auth: (request) => {
      const [, token = ""] = (request.headers.get("authorization") ?? "").split(" ");
      const [user = ""] = token.split(".");
      return tokens.has(token) ? { ok: true, clientGroupID: user, ctx: { user } } : { ok: false, reason: "Who?" };
    },
    authorizeRoom: ({ room }) => room !== "closed",
  });
}

beforeEach(async () => {
  database = new DatabaseSync(":memory:");
  tokens = new Set(["ada.1", "grace.1"]);
  pulls = [];
  server = await start();
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await server.close();
  database.close();
});

function open(user: string, room = "global") {
  const origin = `http://127.0.0.1:${server.port}`;
  const pokes: (Poke | undefined)[] = [];
  const errors: SyncClientError[] = [];
  const token = () => `${user}.${tokens.has(`${user}.2`) ? 2 : 1}`;
  const subscribe = createWebSocketSubscription({
    url: `${origin}/sync/coordinator`,
    room,
    token,
    initialReconnectDelayMs: 20,
    maxReconnectDelayMs: 200,
  });
  const client = createPlasmaClient({
    schema,
    mutators,
    dbName: "real",
    endpoint: `${origin}/sync`,
    schemaVersion: "1",
    clientGroupID: user,
    getContext: () => ({ user }),
    storage: "memory",
    pollIntervalMs: HOUR_MS,
    retry: { maxAttempts: 100, initialDelayMs: 20, maxDelayMs: 200 },
    authHeaders: () => ({ authorization: `Bearer ${token()}` }),
    fetcher: (request) => {
      if (request.method === "GET") pulls.push(user);
      return fetch(request);
    },
    subscribe: (onPoke, session) =>
      subscribe((poke) => {
        pokes.push(poke);
        onPoke(poke);
      }, session),
    onError: (error) => errors.push(error),
  });
  ends.push(() => client.close());
  const bodies = async () => (await client.db.select().from(notes).orderBy(notes.body)).map(({ body }) => body);
  return { client, pokes, errors, bodies };
}

/** Connected, and at rest. */
async function settled({ client, pokes }: ReturnType<typeof open>): Promise<void> {
  await eventually(() => expect(pokes.length).toBeGreaterThan(0));
  await eventually(() => expect(client.status.get()).toMatchObject({ syncing: false, outboxDepth: 0 }));
}

test("a change of another arrives as a patch: nothing is pulled for it", async () => {
  const [ada, grace] = [open("ada"), open("grace")];
  await settled(ada);
  await settled(grace);
  for (const body of ["a", "b", "c"]) {
    pulls = [];
    await ada.client.mutate.add({ body });
    await eventually(async () => expect(await grace.bodies()).toContain(body));
    await settled(ada);
    await settled(grace);
    expect(pulls.filter((user) => user === "grace")).toEqual([]);
  }
  expect(grace.pokes.filter((poke) => poke?.patch !== undefined)).toHaveLength(3);
  expect(await grace.bodies()).toEqual(["a", "b", "c"]);
});

test("the server restarts: clients come back, and what was done meanwhile arrives on both sides", async () => {
  const [ada, grace] = [open("ada"), open("grace")];
  await settled(ada);
  await settled(grace);
  const { port } = server;
  await server.close();
  await ada.client.mutate.add({ body: "while it was away" });
  server = await start(port);
  await eventually(async () => expect(await grace.bodies()).toEqual(["while it was away"]));
  await grace.client.mutate.add({ body: "after" });
  await eventually(async () => expect(await ada.bodies()).toEqual(["after", "while it was away"]));
});

test("a token that the server takes no more: the next one is asked for, at the socket and for requests", async () => {
  const ada = open("ada");
  await settled(ada);
  tokens.clear();
  const { port } = server;
  await server.close();
  server = await start(port);
  await eventually(() => expect(ada.client.status.get().auth).toBe("required"));
  tokens.add("ada.2");
  await eventually(() => expect(ada.client.status.get().auth).toBe("ok"));
  await ada.client.mutate.add({ body: "back" }).server;
  expect(ada.errors.some((error) => error.kind === "socket-refused")).toBe(true);
});

test("a room that is closed to it is told, and pulls and pushes go on", async () => {
  const ada = open("ada", "closed");
  await eventually(() =>
    expect(ada.errors).toMatchObject([{ kind: "socket-refused", code: "auth/room", room: "closed" }]),
  );
  await ada.client.mutate.add({ body: "a" }).server;
  expect(await ada.bodies()).toEqual(["a"]);
});

test("people in a room see each other come, change and go", async () => {
  const url = `http://127.0.0.1:${server.port}/sync/coordinator`;
  const [ada, grace] = ["ada", "grace"].map((user) =>
    createPresence({ url, room: "r", token: `${user}.1`, clientID: `tab of ${user}`, userInfo: { user, x: 0 } }),
  ) as [ReturnType<typeof createPresence>, ReturnType<typeof createPresence>];
  ends.push(() => grace.close());
  await eventually(() =>
    expect(grace.get()).toMatchObject({ connecting: false, peers: [{ userInfo: { user: "ada" } }] }),
  );
  expect(grace.get().me).toEqual({ clientID: "tab of grace", userInfo: { user: "grace", x: 0 } });
  for (let x = 1; x <= 100; x += 1) ada.update({ user: "ada", x });
  await eventually(() => expect(grace.get().peers).toMatchObject([{ userInfo: { x: 100 } }]));
  ada.close();
  await eventually(() => expect(grace.get().peers).toEqual([]));
});
