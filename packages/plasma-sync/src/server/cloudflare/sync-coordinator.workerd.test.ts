// A Worker with D1 beside a SyncCoordinator, in the real Workers runtime.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, type ObjectStub } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { freshD1 } from "../database/d1.fixture.ts";
import { describeRealtime, membersOf, type SocketClient } from "../realtime/realtime.suite.ts";
import { pokeCoordinator, TICKET_HEADER } from "../realtime/namespace-coordinator.ts";
import type { SyncHandlerOptions } from "../handler-options.ts";
import { mutation, RawClient, startServer, type Ctx } from "../sync/sync-server.fixture.ts";
import { serverOf, socketOf, upgradeRequest } from "./socket-client.fixture.ts";

const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 5 });
const pokes = ({ received }: SocketClient): number => received.filter((text) => text === '{"type":"poke"}').length;

async function startWorker(options: Partial<SyncHandlerOptions<Ctx>> = {}) {
  const { handle } = startServer(await freshD1(), {
    coordinator: env.COORDINATOR,
    authorizeRoom: ({ room }) => room !== "closed",
    ...options,
  });
  return serverOf(handle);
}

describeRealtime("Worker with SyncCoordinator", () => startWorker());

describe("SyncCoordinator", { timeout: 30_000 }, () => {
  const room = (name: string): ObjectStub => env.COORDINATOR.get(env.COORDINATOR.idFromName(name));
  const grace = { token: "grace", clientID: "g1" };
  const helloOf = (userInfo: unknown) => JSON.stringify({ type: "hello", userInfo });

  test("without a coordinator there is nothing at its path", async () => {
    const { handle } = startServer(await freshD1());
    expect((await handle(upgradeRequest({ token: "ada" }))).status).toBe(404);
  });

  test("a push pokes the room global, or those that pokeRooms names from its mutations", async () => {
    const asked: unknown[] = [];
    const worker = await startWorker({
      pokeRooms: ({ auth, mutations }) => {
        asked.push([auth.clientGroupID, mutations]);
        return mutations.map(({ args }) => (args as { id: string }).id);
      },
    });
    const plain = await startWorker();
    const [global, red, blue] = [
      await worker.connect(grace),
      await worker.connect({ ...grace, room: "red" }),
      await worker.connect({ ...grace, room: "blue" }),
    ];
    const pusher = { user: "ada", clientID: "a1" };
    await new RawClient(worker, pusher).push(mutation(1, "addNote", { id: "red" }));
    await until(() => expect([global, red, blue].map(pokes)).toEqual([0, 1, 0]));
    expect(asked).toMatchObject([["ada", [{ name: "addNote", args: { id: "red" }, status: "applied" }]]]);
    await new RawClient(plain, pusher).push(mutation(2, "addNote", { id: "n2" }));
    await until(() => expect([global, red, blue].map(pokes)).toEqual([1, 1, 0]));
  });

  test("pages of an origin that cors lets in get sockets, others do not", async () => {
    const worker = await startWorker({ cors: { origin: ["https://app.example"] } });
    const friend = await worker.connect(grace, { origin: "https://app.example" });
    friend.send(helloOf(1));
    await until(() => expect(membersOf(friend)).toEqual({ g1: 1 }));
    expect((await (await worker.connect(grace, { origin: "https://evil.example" })).closed).code).toBe(4403);
  });

  test("a pokeRooms that throws is told to the operator, and the push stands", async () => {
    const errors: unknown[] = [];
    const worker = await startWorker({
      pokeRooms: () => {
        throw new TypeError("no room");
      },
      onError: ({ kind, message }) => errors.push([kind, message]),
    });
    const { json } = await new RawClient(worker, { user: "ada", clientID: "a1" }).push(
      mutation(1, "addNote", { id: "n" }),
    );
    expect([json.ok, errors]).toEqual([true, [["onPushed-failed", "The hook pokeRooms threw."]]]);
  });

  test("pokeCoordinator tells a room, the global one by default", async () => {
    const worker = await startWorker();
    const [global, red] = [await worker.connect(grace), await worker.connect({ ...grace, room: "red" })];
    await pokeCoordinator(env.COORDINATOR);
    await until(() => expect([global, red].map(pokes)).toEqual([1, 0]));
    await pokeCoordinator(env.COORDINATOR, { room: "red" });
    await until(() => expect([global, red].map(pokes)).toEqual([1, 1]));
  });

  test("members and sockets outlive the object's eviction, and nobody flickers", async () => {
    const worker = await startWorker();
    const [adas, graces] = [await worker.connect({ token: "ada", clientID: "a1" }), await worker.connect(grace)];
    adas.send(helloOf("Ada"));
    graces.send(helloOf("Grace"));
    await until(() => expect(membersOf(adas)).toEqual({ a1: "Ada", g1: "Grace" }));
    const { length } = adas.received;
    await evictDurableObject(room("global"));
    await pokeCoordinator(env.COORDINATOR);
    await until(() => expect(adas.received.slice(length)).toEqual(['{"type":"poke"}']));
    await evictDurableObject(room("global"));
    graces.send(JSON.stringify({ type: "presence", userInfo: "still" }));
    await until(() => expect(membersOf(adas)).toEqual({ a1: "Ada", g1: "still" }));
    await evictDurableObject(room("global"));
    graces.close();
    await until(() => expect(membersOf(adas)).toEqual({ a1: "Ada" }));
    expect(JSON.stringify(adas.received)).not.toContain('del":["a1');
  });

  test("members are looked after by an alarm, by the pings that the platform answered", async () => {
    const worker = await startWorker();
    const adas = await worker.connect({ token: "ada", clientID: "a1" });
    await runInDurableObject(room("global"), async (_, { storage }) => expect(await storage.getAlarm()).toBeNull());
    adas.send(helloOf("Ada"));
    await until(() => expect(membersOf(adas)).toEqual({ a1: "Ada" }));
    adas.send("ping");
    await evictDurableObject(room("global"));
    await runInDurableObject(room("global"), async (object, ctx) => {
      expect(await ctx.storage.getAlarm()).toBeGreaterThan(0);
      const pingAt = ctx.getWebSockets().map((socket) => ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime());
      expect(pingAt).toEqual([expect.any(Number)]);
      await (object as { alarm(): Promise<void> }).alarm();
    });
    expect(adas.isOpen).toBe(true);
  });

  test("the largest record of a socket fits its attachment", async () => {
    const wide = (chars: number) => "\u{1F600}".repeat(chars / 2);
    const worker = await startWorker();
    const socket = await worker.connect({
      token: "ada",
      clientID: wide(200),
      replicaID: wide(200),
      schemaVersion: wide(200),
      room: wide(200),
    });
    const userInfo = `${"x".repeat(2000)}é`;
    socket.send(JSON.stringify({ type: "hello", cookie: "c".repeat(4096), userInfo }));
    await until(() => expect(Object.values(membersOf(socket))).toEqual([userInfo]));
    expect(socket.isOpen).toBe(true);
  });

  describe("asked directly", () => {
    test("whoever names the shared token is let in, as whom it says", async () => {
      const query = { token: "a token of the tests", clientID: "me" };
      const socket = socketOf(await room("global").fetch(upgradeRequest(query)));
      socket.send(helloOf(1));
      await until(() => expect(membersOf(socket)).toEqual({ me: 1 }));
    });

    test.each([
      ["another token", { token: "another token" }, {}, 4401],
      ["no token", {}, {}, 4401],
      ["a ticket that it made up", { token: "ada" }, { [TICKET_HEADER]: "00000000-0000-4000-8000-000000000000" }, 1012],
    ] as const)("who comes with %s is closed", async (_, query, headers, code) => {
      const socket = socketOf(await room("global").fetch(upgradeRequest(query, headers)));
      expect((await socket.closed).code).toBe(code);
    });

    test("a ticket is good once", async () => {
      const stub = room("global") as ObjectStub & { expect(ticket: string, identity: object): Promise<void> };
      const identity = { room: "global", clientGroupID: "g", clientID: "c", replicaID: null, wantsPresence: true };
      await stub.expect("t", { ...identity, schemaVersion: null });
      const once = socketOf(await stub.fetch(upgradeRequest({}, { [TICKET_HEADER]: "t" })));
      const twice = socketOf(await stub.fetch(upgradeRequest({}, { [TICKET_HEADER]: "t" })));
      expect((await twice.closed).code).toBe(1012);
      expect(once.isOpen).toBe(true);
    });

    test("what is no request for a socket is refused", async () => {
      expect((await room("global").fetch(new Request("http://room/x?token=ada"))).status).toBe(400);
    });
  });
});
