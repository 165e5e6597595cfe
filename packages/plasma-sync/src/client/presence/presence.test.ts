// Owns: what a presence shows and sends, against far ends that the test holds, on virtual time.

import { expect, test } from "vitest";
import { isPlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import { createSocketPairs, type FarEnd } from "../transport/socket-pair.fixture.ts";
import { createPresence, type PresenceOptions } from "./presence.ts";
import type { PresenceState } from "./presence-state.ts";

/** A room whose far ends let in, answer pings, and tell nobody of anything by themselves. */
function world(answer = (end: FarEnd) => end.accept()) {
  const env = createVirtualEnv();
  const pairs = createSocketPairs();
  pairs.onConnect = answer;
  pairs.onFrame = (end, text) => text === "ping" && end.send("pong");
  const open = (given: Partial<PresenceOptions> = {}) =>
    createPresence({
      url: "/sync/coordinator",
      room: "r",
      clientID: "me",
      WebSocketImpl: pairs.WebSocketImpl,
      env,
      ...given,
    });
  const tell = (frame: object) => pairs.last().send(JSON.stringify(frame));
  return { env, pairs, open, tell };
}

const sent = (end: FarEnd): unknown[] => end.received.filter((text) => text !== "ping").map((text) => JSON.parse(text));
const entry = (clientID: string, userInfo: unknown = null) => ({ clientID, userInfo });

test("it says hello with what it shows, and knows who is there once the server has said so", async () => {
  const { env, pairs, open, tell } = world();
  const presence = open({ userInfo: { name: "Ada" }, clientGroupID: "ada" });
  const states: PresenceState[] = [];
  presence.subscribe(() => void states.push(presence.get()));
  expect(presence.get()).toEqual({ all: [], peers: [], me: null, connecting: true, error: null });
  await env.advance(0);
  expect(Object.fromEntries(pairs.last().url.searchParams)).toEqual({
    room: "r",
    clientID: "me",
    clientGroupID: "ada",
    protocolVersion: "1",
  });
  expect(sent(pairs.last())).toEqual([{ type: "hello", userInfo: { name: "Ada" } }]);
  tell({ type: "presence", entries: [entry("me", { name: "Ada" }), entry("b", 1)] });
  tell({ type: "presence-delta", put: [entry("a", 2)], del: ["b"] });
  await env.advance(0);
  expect(states.map(({ all, peers, me, connecting }) => ({ all, peers, me, connecting }))).toEqual([
    {
      all: [entry("b", 1), entry("me", { name: "Ada" })],
      peers: [entry("b", 1)],
      me: entry("me", { name: "Ada" }),
      connecting: false,
    },
    {
      all: [entry("a", 2), entry("me", { name: "Ada" })],
      peers: [entry("a", 2)],
      me: entry("me", { name: "Ada" }),
      connecting: false,
    },
  ]);
  expect(states[1]?.me, "unchanged entries keep their identity").toBe(states[0]?.me);
  presence.close();
  await env.advance(0);
});

test("frames that change nothing wake nobody", async () => {
  const { env, open, tell } = world();
  const presence = open();
  let woken = 0;
  presence.subscribe(() => (woken += 1));
  await env.advance(0);
  tell({ type: "presence", entries: [entry("a", { x: [1, 2] })] });
  await env.advance(0);
  const state = presence.get();
  tell({ type: "presence", entries: [entry("a", { x: [1, 2] })] });
  tell({ type: "presence-delta", put: [entry("a", { x: [1, 2] })], del: ["nobody"] });
  tell({ type: "poke" });
  tell({ type: "presence-delta", put: "all of them" });
  await env.advance(0);
  expect([woken, presence.get() === state]).toEqual([1, true]);
  tell({ type: "presence-delta", put: [entry("me", 1)], del: [] });
  await env.advance(0);
  expect(presence.get().peers, "a change of mine is none of theirs").toBe(state.peers);
});

test("a cursor at any rate goes out at most 20 times a second, and ends where it is", async () => {
  const { env, pairs, open, tell } = world();
  const presence = open({ userInfo: { x: -1 } });
  await env.advance(0);
  tell({ type: "presence", entries: [] });
  await env.advance(0);
  for (let x = 0; x < 1000; x += 1) {
    presence.update({ x });
    await env.advance(1);
  }
  await env.advance(limits.presenceTickMs);
  const frames = sent(pairs.last()).slice(1) as { userInfo: { x: number } }[];
  expect(frames[0], "the first at once").toEqual({ type: "presence", userInfo: { x: 0 } });
  expect(frames.at(-1)).toEqual({ type: "presence", userInfo: { x: 999 } });
  expect(frames.length).toBeLessThanOrEqual(1000 / limits.presenceTickMs + 1);
  presence.update({ x: 999 });
  await env.advance(1000);
  expect(sent(pairs.last()), "the same again is no news").toHaveLength(frames.length + 1);
  presence.close();
  await env.advance(0);
  expect(env.timerCount).toBe(0);
});

test("after a reconnect it says all of it again, and what changed meanwhile", async () => {
  const { env, pairs, open } = world();
  const presence = open({ userInfo: 1 });
  await env.advance(0);
  pairs.last().close(1006);
  await env.advance(0);
  presence.update(2);
  presence.update(3);
  await env.advance(500);
  expect(pairs.ends.map(sent)).toEqual([[{ type: "hello", userInfo: 1 }], [{ type: "hello", userInfo: 3 }]]);
});

test("connected again, it says so though the same members are there", async () => {
  const { env, pairs, open, tell } = world();
  const presence = open();
  await env.advance(0);
  tell({ type: "presence", entries: [entry("a")] });
  await env.advance(0);
  pairs.last().close(1006);
  await env.advance(0);
  expect(presence.get().connecting).toBe(true);
  await env.advance(1000);
  tell({ type: "presence", entries: [entry("a")] });
  await env.advance(0);
  expect(presence.get()).toMatchObject({ connecting: false, peers: [entry("a")] });
});

test("null shows nothing any more", async () => {
  const { env, pairs, open } = world();
  const presence = open({ userInfo: 1 });
  await env.advance(0);
  presence.update(null);
  await env.advance(0);
  expect(sent(pairs.last()).at(-1)).toEqual({ type: "presence", userInfo: null });
});

test("while the connection is gone, members stay for half a minute, and then nothing is known of them", async () => {
  let lets = true;
  const { env, pairs, open, tell } = world((end) => (lets ? end.accept() : end.close(1006)));
  const presence = open();
  await env.advance(0);
  tell({ type: "presence", entries: [entry("a")] });
  await env.advance(0);
  lets = false;
  pairs.last().close(1006);
  await env.advance(limits.presenceStaleMs - 1);
  expect(presence.get()).toMatchObject({ connecting: true, peers: [entry("a")] });
  await env.advance(1);
  expect(presence.get()).toMatchObject({ connecting: true, peers: [], all: [] });
  lets = true;
  await env.advance(60_000);
  tell({ type: "presence", entries: [entry("a")] });
  await env.advance(0);
  expect(presence.get()).toMatchObject({ connecting: false, peers: [entry("a")] });
});

test("what is shown while the room refuses this tab waits for its opening, without a timer of its own", async () => {
  let lets = false;
  const { env, pairs, open } = world((end) => {
    end.accept();
    if (!lets) end.close(closeCodes.room);
  });
  const presence = open();
  await env.advance(0);
  const timersBefore = env.timerCount;
  presence.update({ x: 1 });
  expect([presence.get().connecting, env.timerCount]).toEqual([false, timersBefore]);
  lets = true;
  await env.advance(limits.roomRetry.initialDelayMs);
  expect(sent(pairs.last())).toEqual([{ type: "hello", userInfo: { x: 1 } }]);
  presence.close();
  await env.advance(0);
});

test("a refused room says so, and is entered when it opens; a refused login says so and goes on", async () => {
  let lets = false;
  const room = world((end) => {
    end.accept();
    if (!lets) end.close(closeCodes.room);
  });
  const refused = room.open({ userInfo: "me" });
  await room.env.advance(0);
  expect(refused.get()).toMatchObject({
    connecting: false,
    error: { kind: "socket-refused", code: "auth/room", room: "r" },
  });
  lets = true;
  await room.env.advance(limits.roomRetry.initialDelayMs);
  room.tell({ type: "presence", entries: [entry("a")] });
  await room.env.advance(0);
  expect(refused.get()).toMatchObject({ connecting: false, error: null, peers: [entry("a")] });
  const login = world((end) => {
    end.accept();
    end.close(closeCodes.unauthorized);
  });
  login.pairs.onFrame = () => undefined;
  const waiting = login.open();
  await login.env.advance(10_000);
  expect(waiting.get()).toMatchObject({
    connecting: true,
    error: { kind: "socket-refused", code: "auth/unauthorized" },
  });
  expect(login.pairs.ends.length).toBeGreaterThan(3);
});

test("with another token it is another login: nobody is shown by that of somebody else", async () => {
  const { env, pairs, open } = world();
  open({ token: "ada", userInfo: { name: "Ada" } });
  open({ token: "bob", userInfo: { name: "Bob" } });
  await env.advance(0);
  expect(pairs.ends.map((end) => [end.url.searchParams.get("token"), ...sent(end)])).toEqual([
    ["ada", { type: "hello", userInfo: { name: "Ada" } }],
    ["bob", { type: "hello", userInfo: { name: "Bob" } }],
  ]);
});

test("all who look at one room share one socket, until the last one leaves", async () => {
  const { env, pairs, open } = world();
  const first = open({ userInfo: 1 });
  const second = open();
  const other = open({ room: "another" });
  await env.advance(0);
  expect(pairs.ends.map(({ url }) => url.searchParams.get("room"))).toEqual(["r", "another"]);
  other.close();
  await env.advance(0);
  expect(pairs.ends.map(({ isOpen }) => isOpen)).toEqual([true, false]);
  second.update(2);
  first.close();
  first.update(3);
  await env.advance(0);
  expect(sent(pairs.ends[0] as FarEnd)).toEqual([
    { type: "hello", userInfo: 1 },
    { type: "presence", userInfo: 2 },
  ]);
  second.close();
  // In the same turn another view of the page opens: it goes on with the socket.
  const third = open();
  await env.advance(0);
  expect(pairs.ends).toHaveLength(2);
  third.close();
  third.close();
  await env.advance(0);
  expect([pairs.ends[0]?.isOpen, env.timerCount]).toEqual([false, 0]);
});

test("a listener that has unsubscribed, or whose presence is closed, hears nothing", async () => {
  const { env, open, tell } = world();
  const heard: string[] = [];
  const [first, second] = [open(), open()];
  const stop = first.subscribe(() => void heard.push("stopped"));
  second.subscribe(() => void heard.push("closed"));
  first.subscribe(() => void heard.push("stays"));
  stop();
  second.close();
  await env.advance(0);
  tell({ type: "presence", entries: [] });
  await env.advance(0);
  expect(heard).toEqual(["stays"]);
});

test.each([
  ["an empty url", { url: "" }, "url"],
  ["what is no JSON", { userInfo: 1n }, "userInfo"],
  ["too much", { userInfo: "x".repeat(limits.userInfoBytesMax) }, "userInfo"],
])("%s is refused at the call", (_what, given, option) => {
  const { open } = world();
  const call = () => open(given);
  expect(call).toThrow(
    expect.toSatisfy((error) => isPlasmaError(error, "client/option") && error.data.option === option),
  );
});
