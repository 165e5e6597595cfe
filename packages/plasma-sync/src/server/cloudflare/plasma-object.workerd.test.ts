// A whole sync server in one Durable Object, in the real Workers runtime.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, type ObjectStub } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { must } from "../../core/lib/assert.ts";
import { id, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { fromDurableObject } from "../database/from-durable-object.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { ERROR_CODES } from "../sync/documented-codes.fixture.ts";
import { Choices, hostileValue } from "../sync/hostile-json.fixture.ts";
import { HostileRequests } from "../sync/hostile-requests.fixture.ts";
import { answerOf, mutation, pullRequest, RawClient } from "../sync/sync-server.fixture.ts";

const newRoom = (): ObjectStub => env.NOTES.get(env.NOTES.newUniqueId());
const handlerOf = (room: ObjectStub) => ({ handle: (request: Request) => room.fetch(request) });

/** The client's end of a socket. */
interface Listener {
  /** Every text that came, in order. */
  readonly received: string[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(text: string): void;
  close(): void;
  /** Resolves when everything that was sent before has come: frames keep their order. */
  synced(): Promise<void>;
}

interface ClientSocket extends WebSocket {
  accept(): void;
}

function upgradeRequest(query: { readonly [name: string]: string }, headers: HeadersInit = {}): Request {
  const request = new Request(`http://room/sync/coordinator?${new URLSearchParams(query)}`, { headers });
  request.headers.set("upgrade", "websocket");
  return request;
}

async function listen(room: ObjectStub, query: { readonly [name: string]: string }): Promise<Listener> {
  const response = (await room.fetch(upgradeRequest(query))) as Response & { readonly webSocket: ClientSocket | null };
  expect(response.status).toBe(101);
  const socket = must(response.webSocket, "the answer carries a socket");
  const received: string[] = [];
  let onPong: () => void = () => undefined;
  socket.addEventListener("message", ({ data }) => {
    if (data === "pong") onPong();
    else received.push(String(data));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  socket.accept();
  return {
    received,
    closed,
    send: (text) => socket.send(text),
    close: () => socket.close(1000, "done"),
    synced: () =>
      new Promise((resolve) => {
        onPong = resolve;
        socket.send("ping");
      }),
  };
}

/** An upgrade with one or two parameters that are not what they should be. */
function hostileUpgrade(choices: Choices): Request {
  const query: { [name: string]: string } = { ...ada, schemaVersion: "1", room: "global" };
  for (let i = choices.below(3); i > 0; i--) {
    const name = choices.pick([...Object.keys(query), "__proto__", "x"]);
    query[name] = String(JSON.stringify(hostileValue(choices))).slice(0, 3000);
  }
  return upgradeRequest(query);
}

const POKE = '{"type":"poke"}';
const ada = { token: "ada", clientGroupID: "ada", clientID: "a1", replicaID: "ra", protocolVersion: "1" };
const grace = { token: "grace", clientGroupID: "grace", clientID: "g1", replicaID: "rg" };

describe("PlasmaObject", { timeout: 30_000 }, () => {
  let room: ObjectStub;
  let pusher: RawClient;
  beforeEach(() => {
    room = newRoom();
    pusher = new RawClient(handlerOf(room), { user: "ada", clientID: "a1", replicaID: "ra" });
  });

  test("serves pushes and pulls from its own storage", async () => {
    const { status, json } = await pusher.push(
      mutation(1, "addNote", { id: "n1", shared: true }),
      mutation(2, "addNote", { id: "n2" }),
      mutation(3, "noSuch"),
    );
    expect([status, json.results.map((result) => result.status)]).toEqual([200, ["applied", "applied", "rejected"]]);
    await pusher.pull();
    expect([...pusher.rows.keys()]).toEqual(["notes/n1", "notes/n2"]);
    expect(pusher.rejected).toEqual(["a1#3 mutation/unknown"]);
    const other = new RawClient(handlerOf(room), { user: "grace", clientID: "g1" });
    await other.pull();
    expect([...other.rows.keys()]).toEqual(["notes/n1"]);
  });

  test("an object with the database of an older schema migrates it by itself", async () => {
    const older = defineSchema({
      notes: table("notes", { id: id(), title: text(), ownerId: text() }),
      gone: table("gone", { id: id() }),
    });
    const refused = newRoom();
    const { gone: _, ...still } = older.tables;
    for (const [each, schema] of [
      [room, defineSchema(still)],
      [refused, older],
    ] as const) {
      await runInDurableObject(each, async (_object, { storage }) => {
        const executor = fromDurableObject(storage);
        await ensureSchema({ schema, executor });
        await executor.run({
          text: "INSERT INTO notes (id, title, \"ownerId\") VALUES ('old', '', 'ada')",
          params: [],
        });
      });
    }
    await pusher.push(mutation(1, "addNote", { id: "n1", rank: 3 }));
    await pusher.pull();
    expect([...pusher.rows].map(([key, { rank }]) => [key, rank])).toEqual([
      ["notes/n1", 3],
      ["notes/old", 0],
    ]);
    // A table that the schema has no more: that needs a hand, and meanwhile clients are asked to wait.
    expect((await refused.fetch(pullRequest({ user: "ada", clientID: "a1" }))).status).toBe(503);
  });

  test("two objects share no data", async () => {
    await pusher.push(mutation(1, "addNote", { id: "n1" }));
    const elsewhere = new RawClient(handlerOf(newRoom()), { user: "ada", clientID: "a1", replicaID: "ra" });
    await elsewhere.pull();
    expect(elsewhere.rows.size).toBe(0);
    expect((await elsewhere.push(mutation(1, "addNote", { id: "n1" }))).json.results[0]?.status).toBe("applied");
  });

  test("concurrent pushes, copies of one push among them, each take effect exactly once", async () => {
    const mine = Array.from({ length: 20 }, (_, i) => mutation(i + 1, "stamp", { id: `p${i}` }));
    const other = new RawClient(handlerOf(room), { user: "grace", clientID: "g1" });
    const theirs = Array.from({ length: 20 }, (_, i) => mutation(i + 1, "stamp", { id: `q${i}` }));
    const answers = await Promise.all([pusher.push(...mine), other.push(...theirs), pusher.push(...mine)]);
    const statuses = answers.flatMap(({ json }) => json.results).map(({ status }) => status);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(statuses.filter((status) => status === "applied")).toHaveLength(40);
    expect(statuses.filter((status) => status === "duplicate")).toHaveLength(20);
  });

  test("what is stored outlives an eviction", async () => {
    await pusher.push(mutation(1, "addNote", { id: "n1" }));
    await evictDurableObject(room);
    expect((await pusher.push(mutation(1, "addNote", { id: "n1" }))).json.results[0]?.status).toBe("duplicate");
    await pusher.pull();
    expect([...pusher.rows.keys()]).toEqual(["notes/n1"]);
  });

  describe("its sockets", () => {
    test("a push that changes something pokes all but the replica that pushed", async () => {
      const [mine, sameReplica, hers, nameless] = await Promise.all([
        listen(room, ada),
        listen(room, { ...ada, clientID: "a2" }),
        listen(room, grace),
        listen(room, { token: "grace" }),
      ]);
      await pusher.push(mutation(1, "addNote", { id: "n1" }));
      for (const listener of [mine, sameReplica, hers, nameless]) await listener.synced();
      expect([mine, sameReplica, hers, nameless].map(({ received }) => received)).toEqual([[], [], [POKE], [POKE]]);
    });

    test("a push that changes nothing pokes nobody", async () => {
      const listener = await listen(room, grace);
      await pusher.push(
        mutation(1, "doNothing"),
        mutation(2, "noSuch"),
        mutation(3, "throwAfterWrite", { message: "" }),
      );
      await listener.synced();
      expect(listener.received).toEqual([]);
    });

    test("they stay open and are poked when the object was evicted in between", async () => {
      const [mine, hers] = [await listen(room, ada), await listen(room, grace)];
      await evictDurableObject(room);
      await pusher.push(mutation(1, "addNote", { id: "n1" }));
      await mine.synced();
      await hers.synced();
      expect([mine.received, hers.received]).toEqual([[], [POKE]]);
    });

    test("poke() tells all of them", async () => {
      const [mine, hers] = [await listen(room, ada), await listen(room, grace)];
      await runInDurableObject(room, (object) => (object as { poke(): void }).poke());
      await mine.synced();
      await hers.synced();
      expect([mine.received, hers.received]).toEqual([[POKE], [POKE]]);
    });

    test("frames that nobody knows are ignored", async () => {
      const listener = await listen(room, grace);
      for (const frame of [
        "",
        "{",
        "null",
        '{"type":"hello","cookie":"c1:x"}',
        '{"type":"__proto__"}',
        "x".repeat(1e6),
      ])
        listener.send(frame);
      await pusher.push(mutation(1, "addNote", { id: "n1" }));
      await listener.synced();
      expect(listener.received).toEqual([POKE]);
    });

    test("one that is closed is answered with a close and poked no more", async () => {
      const [gone, stays] = [await listen(room, grace), await listen(room, { token: "grace" })];
      gone.close();
      expect((await gone.closed).code).toBe(1000);
      await pusher.push(mutation(1, "addNote", { id: "n1" }));
      await stays.synced();
      expect([gone.received, stays.received]).toEqual([[], [POKE]]);
    });

    test.each([
      ["without a token", {}, 4401, "auth/unauthorized"],
      ["with an empty token", { token: "" }, 4401, "auth/unauthorized"],
      ["to a room that is closed to them", { ...ada, room: "closed" }, 4403, "auth/room"],
    ] as const)("one that comes %s is closed with the code for it", async (_, query, code, reason) => {
      const listener = await listen(room, query);
      expect(await listener.closed).toEqual({ code, reason });
      await pusher.push(mutation(1, "addNote", { id: "n1" }));
      expect(listener.received).toEqual([]);
    });

    test.each([
      ["that is no upgrade", new Request("http://room/sync/coordinator?token=ada"), 400, "request/invalid"],
      ["by POST", new Request("http://room/sync/coordinator", { method: "POST" }), 405, "request/method"],
      ["for another's group", upgradeRequest({ ...ada, clientGroupID: "grace" }), 400, "auth/group-mismatch"],
      ["for another client", upgradeRequest({ ...ada, token: "ada/a9" }), 400, "auth/client-mismatch"],
      ["of another protocol", upgradeRequest({ ...ada, protocolVersion: "2" }), 409, "protocol/mismatch"],
      ["with an id beyond the bound", upgradeRequest({ ...ada, replicaID: "x".repeat(201) }), 400, "request/invalid"],
      ["with a token that no header holds", upgradeRequest({ token: "a\nb" }), 400, "request/invalid"],
    ] as const)("a request %s is refused with a status and a code", async (_, request, status, code) => {
      const answer = await answerOf(await room.fetch(request.clone()));
      expect([answer.status, answer.json.code]).toEqual([status, code]);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(answer.text).not.toContain("\\n    at ");
    });

    test("a header says who it is where a client can set one", async () => {
      const response = await room.fetch(upgradeRequest({}, { authorization: "Bearer ada" }));
      expect(response.status).toBe(101);
    });
  });

  test("hostile requests and upgrades get documented answers, and it works on", async () => {
    const requests = new HostileRequests(7);
    const choices = new Choices(7);
    const seen = new Set<number>();
    for (let i = 0; i < 400; i++) {
      const isUpgrade = i % 4 === 0;
      const { request, wrongs } = requests.next();
      // workerd writes a report of its own of each stream that does not end well.
      if (!isUpgrade && wrongs.some((wrong) => wrong === "broken off" || wrong === "endless")) continue;
      const hostile = isUpgrade ? hostileUpgrade(choices) : request;
      const response = await room.fetch(hostile);
      seen.add(response.status);
      if (response.status === 101) continue;
      const { status, text, json } = await answerOf(response);
      expect(text).not.toMatch(/\n\s+at |\.[cm]?[jt]s:\d+|SQLITE_/);
      if (status !== 200 && hostile.method !== "HEAD") expect(ERROR_CODES[status] ?? []).toContain(json.code);
    }
    expect([...seen]).toEqual(expect.arrayContaining([101, 200, 400, 404, 405, 409]));
    await pusher.push(mutation(1, "addNote", { id: "last" }));
    const ids = [...(await pusher.pull())].map((op) => ("id" in op ? op.id : op.op));
    expect(ids).toContain("last");
  });

  test("paths beside its own are not found", async () => {
    const request = pullRequest({ user: "ada", clientID: "a1" });
    const at = (path: string) => new Request(request.url.replace("/sync/pull", path), { headers: { "x-user": "ada" } });
    for (const path of ["/", "/sync", "/sync/coordinator/", "/coordinator", "/sync/blob/x"])
      expect((await room.fetch(at(path))).status).toBe(404);
  });
});
