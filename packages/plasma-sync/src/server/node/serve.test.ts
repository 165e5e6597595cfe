// Over real sockets.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import type { SyncServerError } from "../sync/sync-server-error.ts";
import {
  mutation,
  mutators,
  pullRequest,
  pushRequest,
  RawClient,
  schema,
  type Ctx,
  type Identity,
} from "../sync/sync-server.fixture.ts";
import { httpBounds, HttpListener, type HttpBounds } from "./http-listener.ts";
import { serve, type PlasmaServer, type ServeOptions } from "./serve.ts";

const ada: Identity = { user: "ada", clientID: "c1", replicaID: "r1" };
const add = (id: number) => mutation(id, "addNote", { id: `n${id}` });
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const memory = (): SqlExecutor => fromNodeSqlite(new DatabaseSync(":memory:"));

async function start(options: Partial<ServeOptions<Ctx>> = {}): Promise<PlasmaServer> {
  const server = await serve<Ctx>({
    schema,
    mutators,
    executor: memory(),
    schemaVersion: "1",
    port: 0,
    hostname: "127.0.0.1",
    handleSignals: false,
    auth: (request) => {
      const userId = request.headers.get("x-user") ?? "";
      return { ok: true, clientGroupID: userId, ctx: { userId } };
    },
    ...options,
  });
  cleanups.push(() => server.close());
  return server;
}

const urlOf = ({ port }: { readonly port: number }, path = ""): string => `http://127.0.0.1:${port}${path}`;

/** Sends a request that was made for the handler over the network. */
async function send(server: { readonly port: number }, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = request.method === "POST" ? { body: await request.arrayBuffer() } : {};
  return fetch(urlOf(server, pathname + search), { method: request.method, headers: request.headers, ...body });
}

const clientOf = (server: { readonly port: number }): RawClient =>
  new RawClient({ handle: (request) => send(server, request) }, ada);

/** A socket, and all that it received until it was closed. */
function open({ port }: { readonly port: number }): { readonly socket: Socket; readonly received: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  cleanups.push(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString("latin1"))).on("error", () => undefined);
  return { socket, received: once(socket, "close").then(() => text) };
}

/** An executor whose pushes wait at their beginning. */
function held(executor: SqlExecutor) {
  const began = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const gated: SqlExecutor = {
    ...executor,
    transaction: async (fn) => {
      began.resolve();
      await release.promise;
      return executor.transaction(fn);
    },
  };
  return { executor: gated, began: began.promise, release: release.resolve };
}

describe("requests", () => {
  test("a push and a pull go over the wire", async () => {
    const client = clientOf(await start());
    expect((await client.push(add(1), add(2))).json.lastMutationIDs).toEqual({ c1: 2 });
    await client.pull();
    expect([...client.rows.keys()].sort()).toEqual(["notes/n1", "notes/n2"]);
    expect(client.lastMutationIDs).toEqual({ c1: 2 });
  });

  test("paths of the app go to its fetch; without one they are not found", async () => {
    const plain = await start();
    expect((await fetch(urlOf(plain, "/about"))).status).toBe(404);
    const app = await start({ fetch: (request) => new Response(`about ${new URL(request.url).search}`) });
    expect(await (await fetch(urlOf(app, "/about?x=1"))).text()).toBe("about ?x=1");
    expect((await fetch(urlOf(app, "/sync/nothing"))).status).toBe(404);
  });

  test("an app's fetch that throws is answered 500 and reported", async () => {
    const errors: SyncServerError[] = [];
    const cause = new RangeError("oops");
    const server = await start({
      fetch: () => Promise.reject(cause),
      onError: (error) => void errors.push(error),
    });
    const answer = await fetch(urlOf(server, "/"));
    expect([answer.status, await answer.text()]).toEqual([500, "Internal Server Error"]);
    expect(errors).toMatchObject([{ cause, status: 500 }]);
  });

  test("HEAD has the headers and no body", async () => {
    const answer = await fetch(urlOf(await start(), "/health"), { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("a body that never ends is answered 413 while it comes, and its connection is closed", async () => {
    const { socket, received } = open(await start());
    socket.write("POST /sync/push HTTP/1.1\r\nhost: x\r\nx-user: ada\r\ntransfer-encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const write = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", write);
    write();
    expect(await received).toMatch(/^HTTP\/1.1 413 [\s\S]*limit\/payload/);
  });

  test("a client that goes away in the middle of a body leaves nothing behind", async () => {
    const metric = Promise.withResolvers<number>();
    const server = await start({ onMetric: ({ status }) => metric.resolve(status) });
    const { socket } = open(server);
    socket.write(
      'POST /sync/push HTTP/1.1\r\nhost: x\r\nx-user: ada\r\ncontent-length: 1000\r\n\r\n{"protocolVersion"',
    );
    await once(socket, "connect");
    socket.end(() => socket.destroy());
    expect(await metric.promise).toBe(400);
    expect((await clientOf(server).push(add(1))).json.results).toMatchObject([{ status: "applied" }]);
  });

  test("what is no request is answered 400", async () => {
    for (const text of [
      "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
      "TRACE /sync/push HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
      "\0\r\n\r\n",
    ]) {
      const { socket, received } = open(await start());
      socket.end(text);
      expect(await received, text).toMatch(/^HTTP\/1.1 400 /);
    }
  });

  test("headers larger than 32 KiB are answered 431", async () => {
    const { socket, received } = open(await start());
    socket.write(`GET /health HTTP/1.1\r\nhost: x\r\nx-filler: ${"x".repeat(33_000)}\r\n\r\n`);
    expect(await received).toMatch(/^HTTP\/1.1 431 /);
  });
});

describe("bounds on time", () => {
  async function listen(bounds: Partial<HttpBounds>, handle: (request: Request) => Promise<Response>) {
    const options = { handle, env: systemEnv, bounds: { ...httpBounds, checkMs: 5, ...bounds } };
    const listener = new HttpListener(options);
    const port = await listener.listen(0, "127.0.0.1");
    cleanups.push(() => listener.close());
    return { listener, port };
  }
  const ok = async () => new Response("ok");

  test("a connection whose headers do not end is answered 408 and closed", async () => {
    const { socket, received } = open(await listen({ headersMsMax: 20, requestMsMax: 20 }, ok));
    socket.write("GET / HTTP/1.1\r\nhost: x\r\nx-slow: ");
    expect(await received).toMatch(/^HTTP\/1.1 408 /);
  });

  test("a request whose body does not end is closed, and whoever reads it is told", async () => {
    const read = Promise.withResolvers<unknown>();
    const handle = (request: Request) => {
      const text = request.text();
      text.catch(read.resolve);
      return text.then((body) => new Response(body));
    };
    const { socket, received } = open(await listen({ headersMsMax: 20, requestMsMax: 30 }, handle));
    socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
    await received;
    expect(await read.promise).toBeDefined();
  });

  test("a silent connection is closed", async () => {
    const { received } = open(await listen({ silenceMsMax: 20 }, ok));
    expect(await received).toBe("");
  });

  test("closing cuts the requests that do not end in time", async () => {
    const began = Promise.withResolvers<void>();
    const { listener, port } = await listen({ shutdownMsMax: 20 }, () => {
      began.resolve();
      return new Promise<Response>(() => undefined);
    });
    const { socket, received } = open({ port });
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await began.promise;
    await listener.close();
    expect(await received).toBe("");
  });
});

describe("health", () => {
  test("is 200 while the database answers and 503 when it does not, without a login", async () => {
    const database = new DatabaseSync(":memory:");
    const server = await start({
      executor: fromNodeSqlite(database),
      auth: () => ({ ok: false, reason: "nobody" }),
    });
    const well = await fetch(urlOf(server, "/health"));
    expect([well.status, await well.json()]).toEqual([200, { ok: true }]);
    database.close();
    const ill = await fetch(urlOf(server, "/health"));
    expect([ill.status, await ill.json()]).toEqual([503, { ok: false }]);
  });

  test("is 503 in time when the database hangs, and asks it only once meanwhile", async () => {
    let asked = 0;
    const executor: SqlExecutor = {
      ...memory(),
      all: () => {
        asked += 1;
        return new Promise(() => undefined);
      },
    };
    // The only timers of this server are those of its bounds.
    const env = { ...systemEnv, setTimeout: (fn: () => void) => setTimeout(fn, 1) };
    const server = await start({ executor, env });
    const answers = await Promise.all([1, 2, 3].map(() => fetch(urlOf(server, "/health"))));
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(asked).toBe(1);
  });

  test("its path can be changed, or taken away", async () => {
    const moved = await start({ healthPath: "/healthz" });
    expect((await fetch(urlOf(moved, "/healthz"))).status).toBe(200);
    expect((await fetch(urlOf(moved, "/health"))).status).toBe(404);
    const none = await start({ healthPath: false });
    expect((await fetch(urlOf(none, "/health"))).status).toBe(404);
    await expect(start({ healthPath: "health" })).rejects.toMatchObject({ code: "server/option" });
  });
});

describe("the end", () => {
  test("closing finishes the push under way and accepts no other", async () => {
    const { executor, began, release } = held(memory());
    const server = await start({ executor });
    const answer = clientOf(server).push(add(1));
    await began;
    const closed = server.close();
    await expect(fetch(urlOf(server, "/health"))).rejects.toThrow();
    release();
    const { status, json, headers } = await answer;
    expect([status, json.results[0]?.status, headers.get("connection")]).toEqual([200, "applied", "close"]);
    await closed;
    expect(await executor.all({ text: "SELECT id FROM notes", params: [] })).toEqual([{ id: "n1" }]);
  });

  test("closing waits for a push whose sender has gone away", async () => {
    const { executor, began, release } = held(memory());
    const server = await start({ executor });
    const sender = new AbortController();
    const request = pushRequest(ada, [add(1)]);
    const answer = fetch(urlOf(server, "/sync/push"), {
      method: "POST",
      headers: request.headers,
      body: await request.text(),
      signal: sender.signal,
    });
    await began;
    sender.abort();
    await expect(answer).rejects.toThrow();
    const connections = promisify(server.server.getConnections.bind(server.server));
    await vi.waitFor(async () => expect(await connections()).toBe(0));
    const isClosed = vi.fn<() => void>();
    const closed = server.close().then(isClosed);
    await once(server.server, "close");
    await setImmediate();
    expect(isClosed).not.toHaveBeenCalled();
    release();
    await closed;
    expect(await executor.all({ text: "SELECT id FROM notes", params: [] })).toEqual([{ id: "n1" }]);
  });

  test("a taken port is Node's error, and closing twice is closing once", async () => {
    const server = await start();
    await expect(start({ port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await Promise.all([server.close(), server.close()]);
  });
});

describe("a process", () => {
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), "plasma-serve-"));
    cleanups.push(() => rmSync(path, { recursive: true }));
    return path;
  };

  async function startProcess(file: string, port = 0) {
    const script = join(import.meta.dirname, "serve-process.fixture.ts");
    const child = spawn(process.execPath, [script, file, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    const exit = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    cleanups.push(() => child.kill("SIGKILL"));
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    return { port: Number(line.split(" ")[1]), child, exit };
  }

  test("SIGTERM closes it, and it ends as by the signal", async () => {
    const server = await startProcess(join(folder(), "app.db"));
    await clientOf(server).push(add(1));
    server.child.kill("SIGTERM");
    expect(await server.exit).toEqual([null, "SIGTERM"]);
  });

  test("killed among pushes and started again, each mutation has happened exactly once", async () => {
    const file = join(folder(), "app.db");
    const last = 60;
    let server = await startProcess(file);
    let kills = 0;
    for (let next = 1; next <= last;) {
      const answer = clientOf(server)
        .push(add(next), add(next + 1), add(next + 2))
        .catch(() => null);
      if ([1, 22, 43].includes(next)) {
        kills += 1;
        server.child.kill("SIGKILL");
        await server.exit;
        server = await startProcess(file, server.port);
      }
      // Whether an answer was lost or not, a client sends again what it has no answer for.
      const pushed = (await answer) ?? (await clientOf(server).push(add(next), add(next + 1), add(next + 2)));
      expect(pushed.status).toBe(200);
      next = (pushed.json.lastMutationIDs["c1"] as number) + 1;
    }
    expect(kills).toBe(3);
    const database = new DatabaseSync(file);
    const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"];
    expect(count("notes")).toBe(last);
    expect(count("_plasma_changes WHERE op = 'ack'")).toBe(last);
    expect(count("_plasma_changes WHERE op = 'put'")).toBe(last);
    const pulled = await send(server, pullRequest(ada));
    expect(((await pulled.json()) as { lastMutationIDs: object }).lastMutationIDs).toEqual({ c1: last });
    database.close();
  });
});
