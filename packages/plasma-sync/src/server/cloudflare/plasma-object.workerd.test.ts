// A whole sync server in one Durable Object, in the real Workers runtime.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, type ObjectStub } from "cloudflare:workers";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { id, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { fromDurableObject } from "../database/from-durable-object.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { ada, describeRealtime, grace, membersOf, type RealtimeServer } from "../realtime/realtime.suite.ts";
import { ERROR_CODES } from "../sync/documented-codes.fixture.ts";
import { Choices, hostileValue } from "../sync/hostile-json.fixture.ts";
import { HostileRequests } from "../sync/hostile-requests.fixture.ts";
import { answerOf, mutation, pullRequest, RawClient } from "../sync/sync-server.fixture.ts";
import { serverOf, upgradeRequest } from "./socket-client.fixture.ts";

const newRoom = (): ObjectStub => env.NOTES.get(env.NOTES.newUniqueId());
const handlerOf = (room: ObjectStub) => ({ handle: (request: Request) => room.fetch(request) });

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
const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 5 });

describeRealtime("PlasmaObject", async () => {
  const room = newRoom();
  return serverOf((request) => room.fetch(request));
});

describe("PlasmaObject", { timeout: 30_000 }, () => {
  let room: ObjectStub;
  let server: RealtimeServer;
  let pusher: RawClient;
  beforeEach(() => {
    room = newRoom();
    server = serverOf((request) => room.fetch(request));
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
    test("stay open, with their members, when the object was evicted in between", async () => {
      const [mine, hers] = [await server.connect(ada), await server.connect(grace)];
      const hello = JSON.stringify({ type: "hello", userInfo: "here" });
      for (const socket of [mine, hers]) socket.send(hello);
      await until(() => expect(membersOf(mine)).toEqual({ a1: "here", g1: "here" }));
      await evictDurableObject(room);
      await pusher.push(mutation(1, "addNote", { id: "n1" }));
      await until(() => expect(hers.received).toContain(POKE));
      expect(mine.received).not.toContain(POKE);
      await evictDurableObject(room);
      hers.close();
      await until(() => expect(membersOf(mine)).toEqual({ a1: "here" }));
    });

    test("are sent the change itself while the object remembers who they are, else told to pull", async () => {
      const reader = new RawClient(handlerOf(room), { user: "grace", clientID: "g1", replicaID: "rg" });
      await reader.pull();
      const socket = await server.connect({ ...grace, schemaVersion: "1" });
      socket.send(JSON.stringify({ type: "hello", cookie: reader.cookie }));
      await until(() => expect(socket.received).toHaveLength(1));
      await pusher.push(mutation(1, "addNote", { id: "n1", shared: true }), mutation(2, "addNote", { id: "n2" }));
      await until(() => expect(socket.received).toHaveLength(2));
      const { patch } = JSON.parse(socket.received[1] as string);
      expect(patch.from).toBe(reader.cookie);
      reader.apply(patch);
      expect([...reader.rows.keys()]).toEqual(["notes/n1"]);
      expect((await reader.pullPage()).json).toMatchObject({ cookie: patch.cookie, patch: [] });
      await evictDurableObject(room);
      await pusher.push(mutation(3, "addNote", { id: "n3", shared: true }));
      await until(() => expect(socket.received.at(-1)).toBe(POKE));
      await reader.pull();
      socket.send(JSON.stringify({ type: "cookie", cookie: reader.cookie }));
      socket.send(JSON.stringify({ type: "hello" }));
      await until(() => expect(socket.received.at(-1)).toContain('"presence"'));
      await pusher.push(mutation(4, "addNote", { id: "n4", shared: true }));
      await until(() => expect(socket.received.at(-1)).toContain(`"from":"${reader.cookie}"`));
    });

    test("poke() tells all of them", async () => {
      const [mine, hers] = [await server.connect(ada), await server.connect({ ...grace, room: "other" })];
      await runInDurableObject(room, (object, { storage }) => {
        storage.sql.exec("INSERT INTO posts VALUES ('p1', 'raw')");
        (object as { poke(): void }).poke();
      });
      await until(() => expect([mine.received, hers.received]).toEqual([[POKE], [POKE]]));
    });

    test.each([
      ["that is no upgrade", new Request("http://room/sync/coordinator?token=ada"), 400, "request/invalid"],
      ["by POST", new Request("http://room/sync/coordinator", { method: "POST" }), 405, "request/method"],
      ["for another's group", upgradeRequest({ ...ada, clientGroupID: "grace" }), 400, "auth/group-mismatch"],
      ["of another protocol", upgradeRequest({ ...ada, protocolVersion: "2" }), 409, "protocol/mismatch"],
      ["with a token that no header holds", upgradeRequest({ token: "a\nb" }), 400, "request/invalid"],
    ] as const)("a request %s is refused with a status and a code", async (_, request, status, code) => {
      const answer = await answerOf(await room.fetch(request.clone()));
      expect([answer.status, answer.json.code]).toEqual([status, code]);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(answer.text).not.toContain("\\n    at ");
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
