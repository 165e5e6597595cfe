// Owns: what the socket of the tab that syncs does, against far ends that the test holds, on virtual time.

import { expect, test } from "vitest";
import * as limits from "../../core/limits.ts";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import { closeCodes, type PresenceEntry } from "../../core/protocol/realtime.ts";
import type { Poke, SubscribeSession } from "../plasma-client.ts";
import { createClientStatus } from "../sync/client-status.ts";
import type { SyncClientError } from "../sync/sync-error.ts";
import { createSocketPairs, type FarEnd } from "./socket-pair.fixture.ts";
import { openSyncSocket } from "./sync-socket.ts";
import type { ResolvedSubscriptionOptions } from "./subscription-options.ts";

/** A socket whose far ends let it in and answer pings, unless the test says otherwise. */
function open(given: Partial<ResolvedSubscriptionOptions> = {}, answer = (end: FarEnd) => end.accept()) {
  const env = createVirtualEnv();
  const pairs = createSocketPairs();
  const status = createClientStatus();
  const pokes: (Poke | undefined)[] = [];
  const errors: SyncClientError[] = [];
  const auths: string[] = [];
  const start = env.now();
  const connectedAt: number[] = [];
  pairs.onConnect = (end) => {
    connectedAt.push(env.now() - start);
    answer(end);
  };
  pairs.onFrame = (end, text) => text === "ping" && end.send("pong");
  const session: SubscribeSession = {
    clientID: "c1",
    clientGroupID: "ada",
    replicaID: "r1",
    schemaVersion: "1",
    cookie: () => status.get().cookie,
    status,
    env,
    connected: () => undefined,
    setAuth: (auth) => void auths.push(auth),
    report: (error) => void errors.push(error),
  };
  const options: ResolvedSubscriptionOptions = {
    url: "/sync/coordinator",
    room: "list 1",
    initialReconnectDelayMs: 500,
    maxReconnectDelayMs: 30_000,
    WebSocketImpl: pairs.WebSocketImpl,
    ...given,
  };
  const close = openSyncSocket(options, (poke) => void pokes.push(poke), session);
  return { env, pairs, status, pokes, errors, auths, connectedAt, close };
}

const frames = (end: FarEnd): unknown[] =>
  end.received.filter((text) => text !== "ping").map((text) => JSON.parse(text));

test("it asks for its room as SPEC says, and says hello with the cookie, before anything else", async () => {
  const t = open({ token: "s3cret", userInfo: { name: "Ada" } });
  t.status.update({ cookie: "k1" });
  await t.env.advance(0);
  const { url } = t.pairs.last();
  expect(`${url.origin}${url.pathname}`).toBe("ws://localhost/sync/coordinator");
  expect(Object.fromEntries(url.searchParams)).toEqual({
    room: "list 1",
    token: "s3cret",
    clientID: "c1",
    clientGroupID: "ada",
    replicaID: "r1",
    schemaVersion: "1",
    protocolVersion: "1",
    presence: "none",
  });
  expect(t.pairs.last().received).toEqual(['{"type":"hello","cookie":"k1","userInfo":{"name":"Ada"}}', "ping"]);
});

test("each opening is followed by a pull: something may have been missed", async () => {
  const t = open();
  await t.env.advance(0);
  expect(t.pokes).toEqual([undefined]);
  t.pairs.last().close(1006);
  await t.env.advance(500);
  expect(t.pairs.ends).toHaveLength(2);
  expect(t.pokes).toEqual([undefined, undefined]);
});

test("pokes are handed on with their patches; what is no frame is ignored", async () => {
  const t = open();
  await t.env.advance(0);
  t.pokes.length = 0;
  const end = t.pairs.last();
  const patch = {
    from: "k1",
    cookie: "k2",
    patch: [{ op: "del", table: "lists", id: "a" }],
    lastMutationIDs: { c1: 3 },
  };
  for (const text of [
    '{"type":"poke"}',
    JSON.stringify({ type: "poke", patch }),
    "{",
    "null",
    '{"type":"later"}',
    "[]",
  ])
    end.send(text);
  end.send(JSON.stringify({ type: "poke", patch: { ...patch, cookie: 7 } }));
  await t.env.advance(0);
  expect(t.pokes).toEqual([{ type: "poke" }, { type: "poke", patch }, { type: "poke" }]);
});

test("the server is told the cookie after each pull, once", async () => {
  const t = open();
  await t.env.advance(0);
  for (const cookie of ["k1", "k1", "k2"]) t.status.update({ cookie });
  t.status.update({ outboxDepth: 4 });
  expect(frames(t.pairs.last())).toEqual([
    { type: "hello" },
    { type: "cookie", cookie: "k1" },
    { type: "cookie", cookie: "k2" },
  ]);
  t.pairs.last().close(1012);
  t.status.update({ cookie: "k3" });
  await t.env.advance(500);
  expect(frames(t.pairs.last())).toEqual([{ type: "hello", cookie: "k3" }]);
});

test("a cookie that came in a patch is not told back; another one is", async () => {
  const t = open();
  await t.env.advance(0);
  const patch = { from: "k1", cookie: "k2", patch: [], lastMutationIDs: {} };
  t.pairs.last().send(JSON.stringify({ type: "poke", patch }));
  await t.env.advance(0);
  t.status.update({ cookie: "k2" });
  t.status.update({ cookie: "k3" });
  expect(frames(t.pairs.last())).toEqual([{ type: "hello" }, { type: "cookie", cookie: "k3" }]);
});

test("while a patch is being taken, the cookie that it replaces is not told again", async () => {
  const t = open();
  t.status.update({ cookie: "k1" });
  await t.env.advance(0);
  const patch = { from: "k1", cookie: "k2", patch: [], lastMutationIDs: {} };
  t.pairs.last().send(JSON.stringify({ type: "poke", patch }));
  await t.env.advance(0);
  t.status.update({ syncing: true });
  t.status.update({ cookie: "k2" });
  expect(frames(t.pairs.last())).toEqual([{ type: "hello", cookie: "k1" }]);
});

test("a server that cannot be reached is asked at 0, then after waits that double, jittered, up to the longest", async () => {
  const t = open({}, (end) => end.close(1006));
  await t.env.advance(600_000);
  const waits = t.connectedAt.map((at, i) => at - (t.connectedAt[i - 1] ?? at)).slice(1);
  waits.slice(0, 6).forEach((wait, i) => {
    expect(wait).toBeGreaterThanOrEqual(250 * 2 ** i);
    expect(wait).toBeLessThanOrEqual(500 * 2 ** i);
  });
  for (const wait of waits.slice(6)) expect(wait >= 15_000 && wait <= 30_000).toBe(true);
  expect(new Set(waits).size, "jittered").toBe(waits.length);
  expect(t.errors).toEqual([]);
});

test("a connection that is dead without a word is noticed by a ping without an answer, and replaced", async () => {
  const t = open();
  await t.env.advance(0);
  t.pairs.last().fallSilent();
  await t.env.advance(limits.socketPingMs + limits.socketPongMsMax - 1);
  expect(t.pairs.ends).toHaveLength(1);
  await t.env.advance(501);
  expect(t.pairs.ends).toHaveLength(2);
  expect(t.pairs.ends[0]?.isOpen).toBe(false);
  expect(t.pokes).toHaveLength(2);
});

test("an open connection is pinged every 25 s and kept for days", async () => {
  const t = open();
  await t.env.advance(3_600_000);
  expect(t.pairs.ends).toHaveLength(1);
  expect(t.pairs.last().received.filter((text) => text === "ping")).toHaveLength(1 + 3_600_000 / limits.socketPingMs);
});

test("a connection that never opens is given up", async () => {
  const t = open({}, (end) => end.fallSilent());
  await t.env.advance(limits.socketOpenMsMax + 500);
  expect(t.pairs.ends).toHaveLength(2);
});

test("offline nothing is tried; back online at once, and what is open is looked at", async () => {
  const t = open();
  await t.env.advance(0);
  t.status.update({ online: false });
  t.pairs.last().close(1006);
  await t.env.advance(600_000);
  expect(t.pairs.ends).toHaveLength(1);
  expect(t.env.timerCount).toBe(0);
  t.status.update({ online: true });
  await t.env.advance(0);
  expect(t.pairs.ends).toHaveLength(2);
  // Another network: the old connection is dead, and that is found in seconds.
  t.pairs.last().fallSilent();
  t.status.update({ online: false });
  t.status.update({ online: true });
  await t.env.advance(limits.socketPongMsMax + 500);
  expect(t.pairs.ends).toHaveLength(3);
});

test("4401: a new token at once; refused again it shows as auth, is told once, and is tried with growing waits", async () => {
  let asked = 0;
  const t = open({ token: async () => `t${(asked += 1)}` }, (end) => {
    end.accept();
    end.close(closeCodes.unauthorized);
  });
  t.pairs.onFrame = () => undefined;
  await t.env.advance(0);
  expect(t.pairs.ends.map(({ url }) => url.searchParams.get("token"))).toEqual(["t1", "t2"]);
  expect(t.auths).toEqual(["required"]);
  await t.env.advance(60_000);
  expect(asked).toBeGreaterThan(4);
  expect(asked).toBeLessThan(12);
  expect(t.errors).toMatchObject([{ kind: "socket-refused", code: "auth/unauthorized", room: "list 1" }]);
  t.pairs.onConnect = (end) => end.accept();
  t.pairs.onFrame = (end, text) => text === "ping" && end.send("pong");
  await t.env.advance(30_000);
  expect(t.auths).toEqual(["required", "ok"]);
});

test("4401 of a connection that was good: its login has ended, a new one is asked for, and nobody is told", async () => {
  let asked = 0;
  const t = open({ token: () => `t${(asked += 1)}` });
  await t.env.advance(60_000);
  for (let i = 0; i < 5; i += 1) {
    t.pairs.last().close(closeCodes.unauthorized);
    await t.env.advance(0);
  }
  expect(asked).toBe(6);
  expect([t.auths, t.errors]).toEqual([[], []]);
});

test("4403 is told once, and tried again with waits that grow to minutes, until the room opens", async () => {
  const t = open();
  let lets = false;
  t.pairs.onConnect = (end) => {
    end.accept();
    if (!lets) end.close(closeCodes.room);
  };
  const { initialDelayMs, maxDelayMs } = limits.roomRetry;
  await t.env.advance(initialDelayMs);
  expect(t.pairs.ends).toHaveLength(2);
  await t.env.advance(3_600_000);
  const tried = t.pairs.ends.length;
  expect(tried).toBeLessThan(2 * (3_600_000 / maxDelayMs) + 8);
  expect(t.errors).toMatchObject([{ kind: "socket-refused", code: "auth/room", room: "list 1" }]);
  lets = true;
  await t.env.advance(maxDelayMs);
  expect([t.pairs.ends.length, t.pairs.last().isOpen]).toEqual([tried + 1, true]);
  // Open in between, so this is news.
  t.pairs.last().close(closeCodes.room);
  await t.env.advance(0);
  expect(t.errors).toHaveLength(2);
});

test("4408: it comes back and pulls", async () => {
  const t = open();
  await t.env.advance(0);
  t.pairs.last().close(closeCodes.slowConsumer);
  await t.env.advance(500);
  expect([t.pairs.ends.length, t.pokes.length]).toEqual([2, 2]);
});

test("a token that cannot be had is told, and asked for again after a wait", async () => {
  let asked = 0;
  const t = open({
    token: async () => {
      asked += 1;
      if (asked === 1) throw new Error("the login server is away");
      return "t";
    },
  });
  await t.env.advance(0);
  expect([t.pairs.ends.length, t.errors]).toMatchObject([0, [{ kind: "network", phase: "socket" }]]);
  expect(t.errors[0]?.message).toContain("the login server is away");
  await t.env.advance(500);
  expect(t.pairs.ends).toHaveLength(1);
});

test("a token that never comes is given up and asked for again; late, it opens nothing", async () => {
  const gates: ((token: string) => void)[] = [];
  const t = open({ token: () => new Promise((resolve) => void gates.push(resolve)) });
  await t.env.advance(limits.socketOpenMsMax + 500);
  expect(gates).toHaveLength(2);
  gates[0]?.("late");
  await t.env.advance(0);
  expect(t.pairs.ends).toHaveLength(0);
  gates[1]?.("t2");
  await t.env.advance(0);
  expect(t.pairs.ends.map(({ url }) => url.searchParams.get("token"))).toEqual(["t2"]);
});

test.each(["ftp://x/sync", "ws://", "javascript:alert(1)"])("%s is no URL of a coordinator: told once", async (url) => {
  const t = open({ url });
  await t.env.advance(600_000);
  expect([t.pairs.ends.length, t.env.timerCount]).toEqual([0, 0]);
  expect(t.errors).toMatchObject([{ kind: "network", phase: "socket" }]);
});

test("members of the room are told when they have changed", async () => {
  const told: (readonly PresenceEntry[])[] = [];
  const t = open({ onPresence: (entries) => void told.push(entries) });
  await t.env.advance(0);
  const send = (frame: object) => t.pairs.last().send(JSON.stringify(frame));
  const ada = { clientID: "c2", userInfo: { name: "Ada" } };
  send({ type: "presence", entries: [ada] });
  send({ type: "presence", entries: [ada] });
  send({ type: "presence-delta", put: [{ clientID: "c1", userInfo: 1 }], del: [] });
  send({ type: "presence-delta", put: [], del: ["c2", "c9"] });
  await t.env.advance(0);
  expect(told.map((entries) => entries.map(({ clientID }) => clientID))).toEqual([["c2"], ["c1", "c2"], ["c1"]]);
  expect(told[1]?.[1], "unchanged entries keep their identity").toBe(told[0]?.[0]);
});

test("closed, it is silent: no timer, no connection, no poke of an old one", async () => {
  const t = open();
  await t.env.advance(0);
  const end = t.pairs.last();
  end.send('{"type":"poke"}');
  t.close();
  t.pokes.length = 0;
  await t.env.advance(600_000);
  expect([end.isOpen, t.pairs.ends.length, t.env.timerCount, t.pokes]).toEqual([false, 1, 0, []]);
});
