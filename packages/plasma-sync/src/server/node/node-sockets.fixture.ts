// Owns: clients' ends of sockets on Node, and a server for them, for realtime.suite.ts and the tests beside this file.

import { once } from "node:events";
import { WebSocket } from "ws";
import { fromNodeSqlite } from "../database/from-node-sqlite.ts";
import type { RealtimeServer, SocketClient, SocketQuery } from "../realtime/realtime.suite.ts";
import { authOf, mutators, schema, type Ctx } from "../sync/sync-server.fixture.ts";
import { DatabaseSync } from "node:sqlite";
import { serve, type PlasmaServer, type ServeOptions } from "./serve.ts";

export async function startNode(options: Partial<ServeOptions<Ctx>> = {}): Promise<PlasmaServer> {
  return serve<Ctx>({
    schema,
    mutators,
    executor: fromNodeSqlite(new DatabaseSync(":memory:")),
    schemaVersion: "1",
    auth: authOf,
    authorizeRoom: ({ room }) => room !== "closed",
    port: 0,
    hostname: "127.0.0.1",
    handleSignals: false,
    ...options,
  });
}

export interface NodeSocketClient extends SocketClient {
  readonly socket: WebSocket;
}

export const coordinatorURL = (port: number, query: SocketQuery): string =>
  `ws://127.0.0.1:${port}/sync/coordinator?${new URLSearchParams(query)}`;

function clientOf(socket: WebSocket): NodeSocketClient {
  const received: string[] = [];
  socket.on("message", (data) => {
    const text = String(data);
    if (text !== "pong") received.push(text);
  });
  socket.on("error", () => undefined);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  return {
    socket,
    received,
    closed,
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    send: (data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    close: () => socket.close(1000, "done"),
  };
}

export async function connect(
  port: number,
  query: SocketQuery,
  headers: Record<string, string> = {},
): Promise<NodeSocketClient> {
  const client = clientOf(new WebSocket(coordinatorURL(port, query), { headers }));
  await once(client.socket, "open");
  return client;
}

/** The status of an answer that is no socket. */
export async function statusOf(
  port: number,
  query: SocketQuery,
  headers: Record<string, string> = {},
): Promise<number> {
  const socket = new WebSocket(coordinatorURL(port, query), { headers });
  socket.on("error", () => undefined);
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number; resume(): void }];
  response.resume();
  socket.terminate();
  return response.statusCode;
}

/** Sends a request that was made for the handler over the network. */
export async function sendTo(port: number, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = request.method === "POST" ? { body: await request.arrayBuffer() } : {};
  return fetch(`http://127.0.0.1:${port}${pathname}${search}`, {
    method: request.method,
    headers: request.headers,
    ...body,
  });
}

export const realtimeServer = ({ port }: { readonly port: number }): RealtimeServer => ({
  handle: (request) => sendTo(port, request),
  connect: (query, headers) => connect(port, query, headers),
  statusOf: (query, headers) => statusOf(port, query, headers),
  ownOrigin: `http://127.0.0.1:${port}`,
});
