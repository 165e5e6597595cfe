// The Worker of the guide, in workerd: a push reaches the others of the room through the SyncCoordinator.

import { env as bindings } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createSyncHandler, type SyncHandler } from "plasma-sync/server";
import worker, { narrow, renameTeam } from "../../docs/guides/realtime-examples.ts";
import { freshD1 } from "../../packages/plasma-sync/src/server/database/d1.fixture.ts";
import { socketOf } from "../../packages/plasma-sync/src/server/cloudflare/socket-client.fixture.ts";
import type { SocketClient } from "../../packages/plasma-sync/src/server/realtime/realtime.suite.ts";

const env = { DB: bindings.DB, COORDINATOR: bindings.COORDINATOR };
const serve: SyncHandler = (request) => worker.fetch(request, env, { waitUntil: (promise) => void promise });

async function connect(handle: SyncHandler, query: Record<string, string>): Promise<SocketClient> {
  const request = new Request(`https://app.example/sync/coordinator?${new URLSearchParams(query)}`);
  request.headers.set("upgrade", "websocket");
  return socketOf(await handle(request));
}

async function push(handle: SyncHandler, id: number, name: string, args: object): Promise<void> {
  const mutations = [{ id, name, args, timestamp: 0 }];
  const body = { protocolVersion: 1, schemaVersion: "1", clientGroupID: "ada", clientID: "a1", mutations };
  const headers = { authorization: "Bearer ada" };
  const request = new Request("https://app.example/sync/push", { method: "POST", headers, body: JSON.stringify(body) });
  expect((await handle(request)).status).toBe(200);
}

const pokesOf = ({ received }: SocketClient) => received.filter((text) => text === '{"type":"poke"}').length;
const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 5 });

test("a push pokes the room global", async () => {
  await freshD1();
  const grace = await connect(serve, { token: "grace", clientID: "g1" });
  await push(serve, 1, "joinTeam", { teamId: "red" });
  await until(() => expect(pokesOf(grace)).toBe(1));
});

test("narrowed, only members of a team are let in, and its pushes poke it", async () => {
  await freshD1();
  const handle = createSyncHandler(narrow(env));
  await push(handle, 1, "joinTeam", { teamId: "red" });
  const stranger = await connect(handle, { token: "grace", clientID: "g1", room: "red" });
  expect((await stranger.closed).code).toBe(4403);
  const member = await connect(handle, { token: "ada", clientID: "a2", room: "red" });
  await push(handle, 2, "addNote", { teamId: "blue", title: "Not theirs" });
  await push(handle, 3, "addNote", { teamId: "red", title: "Theirs" });
  await until(() => expect(pokesOf(member)).toBe(1));
  await renameTeam(env, "red", "Red");
  await until(() => expect(pokesOf(member)).toBe(2));
});
