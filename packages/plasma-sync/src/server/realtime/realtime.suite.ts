// What sockets do on every platform: the notes of sync-server.fixture.ts, over real sockets.

import { beforeEach, describe, expect, test, vi } from "vitest";
import * as limits from "../../core/limits.ts";
import { mutation, RawClient } from "../sync/sync-server.fixture.ts";

/** The client's end of a socket. */
export interface SocketClient {
  /** Every text that came, in order, but for pongs. */
  readonly received: readonly string[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly isOpen: boolean;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export type SocketQuery = { readonly [name: string]: string };

/** A server with sockets. Nobody may listen to the room "closed". */
export interface RealtimeServer {
  handle(request: Request): Promise<Response>;
  /** Asks for a socket; resolves when it is open, also if it is closed at once. */
  connect(query: SocketQuery, headers?: Record<string, string>): Promise<SocketClient>;
  /** The status of an answer that is no socket. */
  statusOf(query: SocketQuery, headers?: Record<string, string>): Promise<number>;
  /** As a page of the server's own origin says it. */
  readonly ownOrigin: string;
}

const POKE = { type: "poke" };
export const ada = { token: "ada", clientGroupID: "ada", clientID: "a1", replicaID: "ra", protocolVersion: "1" };
export const grace = { token: "grace", clientGroupID: "grace", clientID: "g1", replicaID: "rg" };

// oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
const framesOf = ({ received }: SocketClient): any[] => received.map((text) => JSON.parse(text) as unknown);

/** The members as a client knows them that applied all that came. */
export function membersOf(socket: SocketClient): Record<string, unknown> {
  const members = new Map<string, unknown>();
  for (const { type, entries = [], put = [], del = [] } of framesOf(socket)) {
    if (type === "presence") members.clear();
    for (const { clientID, userInfo } of [...entries, ...put]) members.set(clientID, userInfo);
    for (const clientID of del) members.delete(clientID);
  }
  return Object.fromEntries(members);
}

const pokesOf = (socket: SocketClient): number => framesOf(socket).filter(({ type }) => type === "poke").length;
const say = (socket: SocketClient, frame: unknown) => socket.send(JSON.stringify(frame));
const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 5 });
const hello = (userInfo?: unknown) => ({ type: "hello", ...(userInfo === undefined ? {} : { userInfo }) });

export function describeRealtime(name: string, start: () => Promise<RealtimeServer>): void {
  describe(`${name}: realtime`, { timeout: 30_000 }, () => {
    let server: RealtimeServer;
    let pusher: RawClient;
    let next: number;
    beforeEach(async () => {
      server = await start();
      next = 0;
      pusher = new RawClient(server, { user: "ada", clientID: "a1", replicaID: "ra" });
    });

    const pushSomething = () => pusher.push(mutation((next += 1), "addNote", { id: `n${next}`, shared: true }));

    /** A socket that is known to be with the hub: what is said is said to it. */
    async function join(query: SocketQuery, userInfo?: unknown): Promise<SocketClient> {
      const socket = await server.connect(query);
      say(socket, hello(userInfo));
      await until(() => expect(socket.received.length).toBeGreaterThan(0));
      return socket;
    }

    test("a push that changes something pokes all but the replica that pushed", async () => {
      const mine = await join(ada);
      const sameReplica = await join({ ...ada, clientID: "a2" });
      const hers = await join(grace);
      const nameless = await join({ token: "grace" });
      await pushSomething();
      for (const socket of [hers, nameless]) await until(() => expect(pokesOf(socket)).toBe(1));
      expect([mine, sameReplica].map(pokesOf)).toEqual([0, 0]);
      expect(framesOf(hers)).toContainEqual(POKE);
    });

    test("a push that changes nothing pokes nobody", async () => {
      const socket = await join(grace);
      await pusher.push(mutation((next += 1), "doNothing"), mutation((next += 1), "noSuch"));
      await pushSomething();
      await until(() => expect(pokesOf(socket)).toBe(1));
    });

    test("one that is closed is answered with a close and poked no more", async () => {
      const [gone, stays] = [await join(grace), await join({ token: "grace" })];
      gone.close();
      expect((await gone.closed).code).toBe(1000);
      await pushSomething();
      await until(() => expect(pokesOf(stays)).toBe(1));
      expect(pokesOf(gone)).toBe(0);
    });

    test("members see who is there, who comes, what they say and who goes", async () => {
      const adas = await join(ada, { name: "Ada" });
      expect(framesOf(adas)[0]).toEqual({ type: "presence", entries: [{ clientID: "a1", userInfo: { name: "Ada" } }] });
      const graces = await join(grace, { name: "Grace" });
      expect(membersOf(graces)).toEqual({ a1: { name: "Ada" }, g1: { name: "Grace" } });
      await until(() => expect(membersOf(adas)).toEqual(membersOf(graces)));
      say(graces, { type: "presence", userInfo: { x: 1 } });
      await until(() => expect(membersOf(adas)).toEqual({ a1: { name: "Ada" }, g1: { x: 1 } }));
      graces.close();
      await until(() => expect(membersOf(adas)).toEqual({ a1: { name: "Ada" } }));
    });

    test("rooms do not see each other", async () => {
      await join({ ...grace, room: "other" }, "there");
      const adas = await join(ada, "here");
      expect(membersOf(adas)).toEqual({ a1: "here" });
    });

    test("who wants pokes alone is told of no members", async () => {
      const quiet = await server.connect({ ...grace, presence: "none" });
      say(quiet, hello());
      await join(ada, "here");
      await pusher.push(mutation((next += 1), "addNote", { id: "own" }));
      const other = new RawClient(server, { user: "eve", clientID: "e1", replicaID: "re" });
      await other.push(mutation(1, "addNote", { id: "of-eve" }));
      await until(() => expect(pokesOf(quiet)).toBe(2));
      expect(framesOf(quiet)).toEqual([POKE, POKE]);
    });

    test("many updates arrive as few frames, the last one among them", async () => {
      const [adas, graces] = [await join(ada, 0), await join(grace, 0)];
      const frames = limits.socketFramesBurstMax / 2;
      for (let i = 1; i <= frames; i++) say(graces, { type: "presence", userInfo: i });
      await until(() => expect(membersOf(adas)["g1"]).toBe(frames));
      expect(adas.received.length).toBeLessThan(frames / 2);
    });

    test("a client of another's cannot be claimed, neither one that pushed nor one that is there", async () => {
      await pushSomething();
      expect(await server.statusOf({ token: "eve", clientID: "a1" })).toBe(400);
      expect(await server.statusOf({ token: "ada", clientID: "a1", replicaID: "another" })).toBe(400);
      const graces = await join(grace, "true");
      const posing = await server.connect({ token: "eve", clientID: "g1" });
      say(posing, hello("false"));
      expect(await posing.closed).toMatchObject({ code: 4403, reason: "auth/client-mismatch" });
      expect(membersOf(graces)).toEqual({ g1: "true" });
    });

    test.each([
      ["without a token", {}, 4401, "auth/unauthorized"],
      ["with an empty token", { token: "" }, 4401, "auth/unauthorized"],
      ["to a room that is closed to them", { ...ada, room: "closed" }, 4403, "auth/room"],
    ] as const)("one that comes %s is closed with the code for it", async (_, query, code, reason) => {
      const socket = await server.connect(query);
      expect(await socket.closed).toMatchObject({ code, reason });
      expect(socket.received).toEqual([]);
    });

    test("a page of another origin gets no socket; one of the same, and a program, do", async () => {
      const stranger = await server.connect(ada, { origin: "https://evil.example" });
      expect(await stranger.closed).toMatchObject({ code: 4403, reason: "auth/origin" });
      const nowhere = await server.connect(ada, { origin: "null" });
      expect((await nowhere.closed).code).toBe(4403);
      const own = await server.connect(ada, { origin: server.ownOrigin });
      say(own, hello());
      await until(() => expect(own.received.length).toBe(1));
    });

    test.each([
      ["for another's group", { ...ada, clientGroupID: "grace" }, 400],
      ["for another client than the login's", { ...ada, token: "ada/a9" }, 400],
      ["of another protocol", { ...ada, protocolVersion: "2" }, 409],
      ["with an id beyond the bound", { ...ada, replicaID: "x".repeat(201) }, 400],
    ] as const)("a request %s is refused with a status", async (_, query, status) => {
      expect(await server.statusOf(query)).toBe(status);
    });

    test("a header says who it is where a client can set one", async () => {
      const socket = await server.connect({}, { authorization: "Bearer ada" });
      say(socket, hello());
      await until(() => expect(socket.received.length).toBe(1));
    });

    test("the login's clientID is the member's, whatever the request leaves out", async () => {
      const socket = await join({ token: "ada/a9" }, "me");
      expect(membersOf(socket)).toEqual({ a9: "me" });
    });

    test.each([
      ["bytes", new Uint8Array([123, 125]), 1003],
      ["more than a frame may hold", `{"type":"${"x".repeat(limits.socketFrameBytesMax)}"}`, 1009],
    ] as const)("a frame of %s closes the socket, and the others stay", async (_, data, code) => {
      const [hostile, good] = [await join(ada), await join(grace)];
      hostile.send(data);
      expect((await hostile.closed).code).toBe(code);
      say(good, hello());
      await until(() => expect(good.received.length).toBe(2));
    });

    test("a flood closes the socket, and the others are not told of it", async () => {
      const [hostile, good] = [await join(ada, 0), await join(grace, 0)];
      for (let i = 0; i < 4 * limits.socketFramesBurstMax && hostile.isOpen; i++)
        say(hostile, { type: "presence", userInfo: i });
      expect((await hostile.closed).code).toBe(1008);
      await until(() => expect(membersOf(good)).toEqual({ g1: 0 }));
      expect(good.received.length).toBeLessThan(limits.socketFramesBurstMax);
    });

    test("hostile text is ignored, and the socket works on", async () => {
      const socket = await join(ada, 1);
      for (const text of [
        "",
        "{",
        "null",
        "[]",
        '"hello"',
        '{"type":"__proto__"}',
        '{"type":"hello","cookie":7}',
        '{"type":"cookie"}',
        '{"type":"presence","userInfo":'.padEnd(16_000, "["),
        JSON.stringify({ type: "presence", userInfo: "x".repeat(limits.userInfoBytesMax) }),
        JSON.stringify({ type: "cookie", cookie: "x".repeat(limits.cookieCharsMax + 1) }),
        "\uD800",
      ])
        socket.send(text);
      say(socket, { type: "presence", userInfo: { ["__proto__"]: "harmless", "\u2028": "\uD800" } });
      await until(() => expect(socket.received.at(-1)).toContain("harmless"));
      expect(membersOf(socket)).toEqual({ a1: { ["__proto__"]: "harmless", "\u2028": "\uD800" } });
      expect(socket.isOpen).toBe(true);
    });
  });
}
