// The code that the guide shows is a program that the compiler checks; here two clients and a room of it meet at `serve()`. What its
// hooks do is tested beside them, and in the todo app.

import { DatabaseSync } from "node:sqlite";
import "fake-indexeddb/auto";
import { ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { serve, type PlasmaServer } from "plasma-sync/server/node";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mutators, openClient, schema, watchRoom } from "../../docs/guides/realtime-browser-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

let server: PlasmaServer;
let origin: string;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  await ensureSchema({ schema, executor });
  server = await serve({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    port: 0,
    hostname: "127.0.0.1",
    handleSignals: false,
    // Whoever has no token is known by a cookie, as it were.
    auth: (request) => {
      const user = /^Bearer token of (\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "somebody";
      return { ok: true, clientGroupID: user, ctx: {} };
    },
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await server.close();
});

test("the guide shows the program's code, and all of it", () => {
  expect(blocksOf("realtime-browser.md")).toEqual(regionsOf("realtime-browser-examples.ts"));
});

test("a note of one client is in the other before the first poll, which is after five seconds", async () => {
  const [ada, grace] = ["ada", "grace"].map((user) => {
    const client = openClient(user, origin, async () => `token of ${user}`);
    ends.push(() => client.close());
    return client;
  }) as [ReturnType<typeof openClient>, ReturnType<typeof openClient>];
  await Promise.all([ada.pullOnce(), grace.pullOnce()]);
  const before = grace.status.get().cookie;
  await ada.mutate.addNote({ body: "hello" }).server;
  await vi.waitFor(() => expect(grace.status.get().cookie).not.toBe(before), { timeout: 3000 });
});

test("a room's names are told as people come and go", async () => {
  const url = `${origin}/sync/coordinator`;
  let names: readonly string[] = [];
  const watch = (name: string, onNames: (names: readonly string[]) => void) =>
    watchRoom(url, "r", { name, color: "#17694f" }, onNames);
  ends.push(watch("Ada", (told) => (names = told)));
  await vi.waitFor(() => expect(names).toEqual(["Ada"]));
  ends.push(watch("Ada again", () => undefined));
  await vi.waitFor(() => expect(names, "one tab is one person, and shows what it said last").toEqual(["Ada again"]));
});
