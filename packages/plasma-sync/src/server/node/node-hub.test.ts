// Sockets of Node: what they do as everywhere (realtime.suite.ts), and what is of Node alone.

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { connect as connectTCP, type AddressInfo, type Socket } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import { createSyncHandler } from "../handler.ts";
import { ada, describeRealtime, grace } from "../realtime/realtime.suite.ts";
import { Choices } from "../sync/hostile-json.fixture.ts";
import { authOf, mutation, mutators, RawClient, schema } from "../sync/sync-server.fixture.ts";
import { createNodeHub } from "./node-hub.ts";
import { connect, realtimeServer, sendTo, startNode, statusOf } from "./node-sockets.fixture.ts";
import type { PlasmaServer } from "./serve.ts";

const SEED = 20_261_127;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Parameters<typeof startNode>[0] = {}): Promise<PlasmaServer> {
  const server = await startNode(options);
  cleanups.push(() => server.close());
  return server;
}

describeRealtime("Node", async () => realtimeServer(await start()));

const pusherOf = (server: { readonly port: number }) =>
  new RawClient(
    { handle: (request) => sendTo(server.port, request) },
    { user: "ada", clientID: "a1", replicaID: "ra" },
  );
const readerOf = (server: { readonly port: number }) =>
  new RawClient(
    { handle: (request) => sendTo(server.port, request) },
    { user: "grace", clientID: "g1", replicaID: "rg" },
  );
const until = (assertion: () => void) => vi.waitFor(assertion, { timeout: 10_000, interval: 5 });

/** A connection on which bytes are sent by hand. */
function raw({ port }: { readonly port: number }): { readonly socket: Socket; readonly received: Promise<string> } {
  const socket = connectTCP(port, "127.0.0.1");
  cleanups.push(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString("latin1"))).on("error", () => undefined);
  return { socket, received: once(socket, "close").then(() => text) };
}
const upgradeText = (path: string, more = "") =>
  `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
  `sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

describe("sockets of Node", () => {
  test("a change rides on the poke once the client has said where it is", async () => {
    const server = await start();
    const reader = readerOf(server);
    await reader.pull();
    const socket = await connect(server.port, { ...grace, schemaVersion: "1" });
    socket.send(JSON.stringify({ type: "hello", cookie: reader.cookie }));
    await until(() => expect(socket.received).toHaveLength(1));
    const pusher = pusherOf(server);
    for (const id of [1, 2]) {
      await pusher.push(mutation(id, "addNote", { id: `n${id}`, shared: true }));
      await until(() => expect(socket.received).toHaveLength(1 + id));
    }
    for (const text of socket.received.slice(1)) {
      const { patch } = JSON.parse(text);
      expect(patch.from).toBe(reader.cookie);
      reader.apply(patch);
    }
    expect([...reader.rows.keys()]).toEqual(["notes/n1", "notes/n2"]);
  });

  test("poke() tells all of them, in whatever room", async () => {
    const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
    const server = await start({ executor });
    const sockets = [await connect(server.port, grace), await connect(server.port, { ...ada, room: "other" })];
    await executor.run({ text: "INSERT INTO posts VALUES ('p1', 'raw')", params: [] });
    server.poke();
    for (const { received } of sockets) await until(() => expect(received).toEqual(['{"type":"poke"}']));
  });

  test("who reads too slowly is closed, and told so if it reads on soon", async () => {
    const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
    const server = await start({ executor });
    const reader = readerOf(server);
    await reader.pull();
    const slow = await connect(server.port, { ...grace, schemaVersion: "1" });
    slow.send(JSON.stringify({ type: "hello", cookie: reader.cookie }));
    await until(() => expect(slow.received).toHaveLength(1));
    slow.socket.pause();
    // More than the system keeps for a connection and the server for a socket.
    const count = 600;
    for (let n = 1; n <= count; n++) {
      await executor.run({ text: `INSERT INTO posts VALUES ('p${n}', '${"x".repeat(50_000)}')`, params: [] });
      server.poke();
      // One change a poke: more are too large for a patch.
      for (let turn = 0; turn < 3; turn++) await setImmediate();
    }
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 4408, reason: "limit/slow-consumer" });
    expect(slow.received.length).toBeLessThan(count);
  });

  test("an end that is gone without a word is found out by pings, and one that answers them stays", async () => {
    const timers: (() => void)[] = [];
    const env = {
      ...systemEnv,
      setTimeout: (fn: () => void, delayMs: number) => {
        if (delayMs !== limits.socketPingMs) return setTimeout(fn, delayMs);
        timers.push(fn);
        return {};
      },
      clearTimeout: (handle: unknown) => clearTimeout(handle as undefined),
    };
    const server = await start({ env });
    const [dead, alive] = [await connect(server.port, ada), await connect(server.port, grace)];
    const pinged = once(alive.socket, "ping");
    // It no longer reads, so answers no ping: as if its cable was pulled.
    (dead.socket as unknown as { _socket: Socket })._socket.pause();
    const connections = () =>
      new Promise<number>((resolve) => server.server.getConnections((_, count) => resolve(count)));
    await until(() => expect(timers).toHaveLength(1));
    timers.shift()?.();
    await pinged;
    // Its pong is on its way before this frame.
    alive.send("ping");
    await once(alive.socket, "message");
    timers.shift()?.();
    await vi.waitFor(async () => expect(await connections()).toBe(1));
    expect(alive.isOpen).toBe(true);
  });

  test("closing tells clients to come again, and waits for them", async () => {
    const server = await start();
    const sockets = [await connect(server.port, ada), await connect(server.port, grace)];
    await server.close();
    for (const socket of sockets) expect((await socket.closed).code).toBe(1012);
  });

  test("closing does not wait for an end that answers nothing", async () => {
    const server = await start();
    const { socket } = raw(server);
    socket.write(upgradeText("/sync/coordinator?token=ada"));
    await once(socket, "data");
    socket.pause();
    await server.close();
  }, 30_000);

  test("closing does not wait for an auth that does not answer", async () => {
    const asked = Promise.withResolvers<void>();
    const server = await start({
      auth: () => {
        asked.resolve();
        return new Promise(() => undefined);
      },
    });
    const { socket, received } = raw(server);
    socket.write(upgradeText("/sync/coordinator?token=ada"));
    await asked.promise;
    await server.close();
    expect(await received).toBe("");
  });

  test("cut after any of its messages, a socket misses nothing: its client pulls when it is back", async () => {
    const server = await start();
    const reader = readerOf(server);
    const pusher = pusherOf(server);
    await reader.pull();
    const cuts = 6;
    const pushes = 9;
    let pushed = 0;
    let patches = 0;
    for (let cut = 0; cut < cuts; cut++) {
      // As a client does: it opens, pulls, says where it is, and takes patches that fit.
      const socket = await connect(server.port, { ...grace, schemaVersion: "1" });
      await reader.pull();
      socket.send(JSON.stringify({ type: "hello", cookie: reader.cookie }));
      let seen = 0;
      const take = () => {
        for (const text of socket.received.slice(seen, cut)) {
          const { type, patch } = JSON.parse(text);
          if (patch?.from === reader.cookie) reader.apply(patch);
          if (type === "poke") patches += 1;
        }
        seen = Math.min(cut, socket.received.length);
        if (seen === cut) socket.socket.terminate();
      };
      socket.socket.on("message", take);
      take();
      for (let n = 0; n < pushes; n++) {
        pushed += 1;
        await pusher.push(mutation(pushed, "addNote", { id: `n${pushed}`, shared: true }));
      }
      await until(() => expect(seen).toBe(cut));
      await socket.closed;
      await reader.pull();
      expect(reader.rows.size).toBe(pushed);
    }
    expect(patches).toBeGreaterThan(cuts);
  });

  test("what is no request for a socket is answered, and the server works on", async () => {
    const server = await start({ fetch: () => new Response("app") });
    const answers = [
      [upgradeText("/elsewhere"), /^HTTP\/1.1 200 /],
      [upgradeText("/sync/coordinator?token=a%0Ab"), /^HTTP\/1.1 400 [\s\S]*request\/invalid/],
      [upgradeText("/sync/coordinator").replace("GET", "POST"), /^HTTP\/1.1 405 /],
      [upgradeText("/sync/coordinator?token=ada").replace(/sec-websocket-key.*\r\n/, ""), /^HTTP\/1.1 400 /],
      [upgradeText("/sync/coordinator?token=ada").replace("version: 13", "version: 1"), /^HTTP\/1.1 (400|426) /],
      [upgradeText("/sync/coordinator?token=ada").replace("host: 127.0.0.1", "host: a b"), /^HTTP\/1.1 400 /],
      [upgradeText("/health").replace("websocket", "h2c").replace("upgrade\r", "upgrade, close\r"), /^HTTP\/1.1 200 /],
    ] as const;
    for (const [text, expected] of answers) {
      const { socket, received } = raw(server);
      socket.end(text);
      expect(await received, text).toMatch(expected);
    }
    expect((await connect(server.port, ada)).isOpen).toBe(true);
  });

  test("a frame that breaks the protocol below ends its socket alone", async () => {
    const server = await start();
    const other = await connect(server.port, grace);
    for (const bytes of [
      [0xc1, 0x80, 0, 0, 0, 0],
      [0x81, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
      [0x81, 1, 120],
    ]) {
      const { socket, received } = raw(server);
      socket.write(upgradeText("/sync/coordinator?token=ada"));
      await once(socket, "data");
      socket.write(new Uint8Array(bytes));
      await once(socket, "data");
      socket.end();
      await received;
    }
    expect(other.isOpen).toBe(true);
  });

  test("random bytes after the handshake end their sockets, and the others stay", async () => {
    const server = await start();
    const other = await connect(server.port, grace);
    const choices = new Choices(SEED);
    for (let i = 0; i < 100; i++) {
      const { socket, received } = raw(server);
      const bytes = Uint8Array.from({ length: 1 + choices.below(300) }, () => choices.below(256));
      // Every other time a frame that begins well: text, masked, of a length that may lie.
      if (choices.once(2)) bytes.set([0x81, 0x80 + choices.below(128)].slice(0, bytes.length));
      // In the packet of the handshake, or after it.
      socket.write(upgradeText("/sync/coordinator?token=ada"));
      if (choices.once(2)) await once(socket, "data");
      socket.end(bytes);
      expect(await received).not.toMatch(/\n\s+at /);
    }
    expect(other.isOpen).toBe(true);
    await pusherOf(server).push(mutation(1, "addNote", { id: "n1" }));
    await until(() => expect(other.received).toContain('{"type":"poke"}'));
  });

  test("the app may listen for other upgrades on the same server", async () => {
    const server = await start();
    server.server.on("upgrade", (request, socket) => {
      if (request.url === "/mine") socket.end("HTTP/1.1 101 Mine\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    });
    const { socket, received } = raw(server);
    socket.end(upgradeText("/mine"));
    expect(await received).toMatch(/^HTTP\/1.1 101 Mine/);
    expect((await connect(server.port, ada)).isOpen).toBe(true);
  });

  test("a hub serves a server of the app's own", async () => {
    const options = {
      schema,
      mutators,
      schemaVersion: "1",
      auth: authOf,
      executor: fromNodeSqlite(new DatabaseSync(":memory:")),
    };
    const hub = createNodeHub(options);
    const handle = createSyncHandler({ ...options, coordinator: hub });
    const server = createServer().listen(0, "127.0.0.1");
    server.on("upgrade", (request, socket, head) => hub.handleUpgrade(request, socket, head) || socket.destroy());
    cleanups.push(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const socket = await connect(port, grace);
    await new RawClient({ handle }, { user: "ada", clientID: "a1" }).push(mutation(1, "addNote", { id: "n1" }));
    await until(() => expect(socket.received).toEqual(['{"type":"poke"}']));
    expect(hub.size).toBe(1);
    const elsewhere = httpRequest({ port, path: "/x", headers: { connection: "upgrade", upgrade: "websocket" } }).end();
    await once(elsewhere, "error");
    await hub.close();
    expect((await socket.closed).code).toBe(1012);
    expect(await statusOf(port, grace)).toBe(503);
  });
});
