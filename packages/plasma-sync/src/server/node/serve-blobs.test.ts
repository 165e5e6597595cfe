// Files over real sockets, with a directory behind them.

import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import { docs, mutators, refOf, schema } from "../blob/blob-server.fixture.ts";
import { bytesOf, hashOfBytes } from "../blob/blob-store.suite.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { createServerDb } from "../server-db.ts";
import { memoryDatabase } from "../sync/memory-database-node.fixture.ts";
import { authOf, type Ctx } from "../sync/sync-server.fixture.ts";
import { fromDirectory } from "./from-directory.ts";
import { httpBounds, HttpListener } from "./http-listener.ts";
import { serve } from "./serve.ts";

const png = bytesOf(250_000);
const hash = hashOfBytes(png);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start() {
  const root = await mkdtemp(join(tmpdir(), "plasma-blobs-"));
  cleanups.push(() => rm(root, { recursive: true, force: true }));
  const executor = memoryDatabase();
  await ensureSchema({ schema, executor });
  const metrics: string[] = [];
  const server = await serve<Ctx>({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    auth: authOf,
    port: 0,
    hostname: "127.0.0.1",
    handleSignals: false,
    blobs: { default: fromDirectory(root) },
    onMetric: ({ type, status }) => void metrics.push(`${type} ${status}`),
  });
  cleanups.push(() => server.close());
  const url = `http://127.0.0.1:${server.port}/sync/blob/${hash}`;
  const files = async () => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name.slice(0, 64) + name.slice(81));
  };
  const db = createServerDb({ schema, executor });
  const addDoc = (bytes: Uint8Array = png) => db.insert(docs).values({ id: "d1", ownerId: "ada", scan: refOf(bytes) });
  return { port: server.port, url, files, addDoc, metrics };
}
const headers = { "x-user": "ada", "content-type": "image/png" };

function open(port: number): { socket: Socket; received: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  cleanups.push(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  return { socket, received: once(socket, "close").then(() => text) };
}
const putHead = (length: number) =>
  `PUT /sync/blob/${hash} HTTP/1.1\r\nhost: x\r\nx-user: ada\r\ncontent-type: image/png\r\ncontent-length: ${length}\r\n\r\n`;

test("a file is sent, kept on the disk, and fetched whole and in part", async () => {
  const { url, files, addDoc } = await start();
  expect((await fetch(url, { method: "PUT", body: png, headers })).status).toBe(204);
  await addDoc();
  expect(await files()).toEqual([hash]);
  const whole = await fetch(url, { headers });
  expect(hashOfBytes(new Uint8Array(await whole.arrayBuffer()))).toBe(hash);
  const part = await fetch(url, { headers: { ...headers, range: "bytes=249990-" } });
  expect(new Uint8Array(await part.arrayBuffer())).toEqual(png.slice(249_990));
  const head = await fetch(url, { method: "HEAD", headers });
  expect([head.status, head.headers.get("content-length")]).toEqual([200, "250000"]);
});

test("an upload whose line is cut leaves nothing, and can be sent again", async () => {
  const { port, url, files, metrics } = await start();
  const { socket } = open(port);
  socket.write(putHead(png.length));
  socket.write(png.slice(0, 100_000));
  await vi.waitFor(async () => expect((await files()).length).toBe(1));
  socket.destroy();
  await vi.waitFor(() => expect(metrics).toEqual(["blob-put 408"]));
  expect(await files()).toEqual([]);
  expect((await fetch(url, { method: "PUT", body: png, headers })).status).toBe(204);
  expect(await files()).toEqual([hash]);
});

test("a file that is too large is refused while its sender is still sending", async () => {
  const { port } = await start();
  const { socket, received } = open(port);
  socket.write(putHead(600 * 1024 * 1024));
  socket.write(png);
  expect(await received).toMatch(/^HTTP\/1.1 413 [^]*blob\/too-large/);
});

test("a reader who goes away in the middle leaves no file open", async () => {
  const { port, addDoc } = await start();
  // More than sockets take in before anybody reads.
  const big = new Uint8Array(30_000_000).fill(7);
  const path = `/sync/blob/${hashOfBytes(big)}`;
  const put = await fetch(`http://127.0.0.1:${port}${path}`, { method: "PUT", body: big, headers });
  expect(put.status).toBe(204);
  await addDoc(big);
  const openFiles = async () => (await readdir("/proc/self/fd").catch(() => [])).length;
  const before = await openFiles();
  for (let i = 0; i < 20; i++) {
    const { socket } = open(port);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nx-user: ada\r\n\r\n`);
    await once(socket, "data");
    socket.destroy();
  }
  await vi.waitFor(async () => expect(await openFiles()).toBeLessThanOrEqual(before + 2));
});

test("an upload may take longer than other requests", async () => {
  const handle = async (request: Request) => new Response(String((await request.arrayBuffer()).byteLength));
  const bounds = { ...httpBounds, checkMs: 5, headersMsMax: 20, requestMsMax: 20 };
  const isUpload = ({ method }: IncomingMessage) => method === "PUT";
  const listener = new HttpListener({ handle, env: systemEnv, bounds, isUpload });
  const port = await listener.listen(0, "127.0.0.1");
  cleanups.push(() => listener.close());
  const upload = open(port);
  upload.socket.write("PUT / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 6\r\n\r\nabc");
  await once(upload.socket, "connect");
  const post = open(port);
  post.socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabc");
  // The other one began later and has been cut.
  expect(await post.received).toBe("");
  upload.socket.write("def");
  expect(await upload.received).toMatch(/^HTTP\/1.1 200 [^]*\r\n6\r\n/);
});
