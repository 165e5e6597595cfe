// Owns: the client's end of sockets in workerd, for realtime.suite.ts and the tests beside this file.

import { must } from "../../core/lib/assert.ts";
import type { RealtimeServer, SocketClient, SocketQuery } from "../realtime/realtime.suite.ts";

interface PlatformSocket extends WebSocket {
  accept(): void;
}

const ORIGIN = "http://room";

export function upgradeRequest(query: SocketQuery, headers: HeadersInit = {}): Request {
  const request = new Request(`${ORIGIN}/sync/coordinator?${new URLSearchParams(query)}`, { headers });
  request.headers.set("upgrade", "websocket");
  return request;
}

/** The socket that an answer carries, accepted. */
export function socketOf(response: Response): SocketClient {
  const { webSocket } = response as Response & { readonly webSocket: PlatformSocket | null };
  const socket = must(webSocket, `the answer ${response.status} carries a socket`);
  const received: string[] = [];
  let isOpen = true;
  socket.addEventListener("message", ({ data }) => {
    if (data !== "pong") received.push(String(data));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => {
      isOpen = false;
      resolve({ code, reason });
    });
  });
  socket.accept();
  return {
    received,
    closed,
    get isOpen() {
      return isOpen;
    },
    send: (data) => {
      if (isOpen) socket.send(data);
    },
    close: () => socket.close(1000, "done"),
  };
}

/** A server that answers upgrades with sockets. */
export const serverOf = (handle: (request: Request) => Promise<Response>): RealtimeServer => ({
  handle,
  connect: async (query, headers) => socketOf(await handle(upgradeRequest(query, headers))),
  statusOf: async (query, headers) => (await handle(upgradeRequest(query, headers))).status,
  ownOrigin: ORIGIN,
});
