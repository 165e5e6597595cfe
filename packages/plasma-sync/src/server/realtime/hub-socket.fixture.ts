// Owns: a socket without a platform: the test sees what the hub sends, and plays the other end.

import type { HubSocket, SocketIdentity, SocketRecord } from "./hub-socket.ts";

export interface TestSocket extends HubSocket {
  /** Every text that was sent, in order. */
  readonly sent: string[];
  /** The frames that have come since the last look, parsed. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect of it
  news(): any[];
  closed: { readonly code: number; readonly reason: string } | null;
  waitingBytes: number | null;
  pingAt: number | null;
}

export function createTestSocket(): TestSocket {
  let record: SocketRecord | null = null;
  let seen = 0;
  const socket: TestSocket = {
    sent: [],
    closed: null,
    waitingBytes: null,
    pingAt: null,
    news: () => {
      const news = socket.sent.slice(seen);
      seen = socket.sent.length;
      return news.map((text) => (text === "pong" ? text : (JSON.parse(text) as unknown)));
    },
    send: (text) => {
      if (socket.closed !== null) throw new TypeError("closed");
      socket.sent.push(text);
    },
    close: (code, reason) => {
      socket.closed ??= { code, reason };
    },
    bufferedBytes: () => socket.waitingBytes,
    lastPingAt: () => socket.pingAt,
    // As a platform does it: a copy, of plain data.
    keep: (kept) => {
      record = structuredClone(kept);
    },
    kept: () => record,
  };
  return socket;
}

export const identityOf = (clientID: string | null, more: Partial<SocketIdentity> = {}): SocketIdentity => ({
  room: "global",
  clientGroupID: clientID === null ? "nobody" : `group of ${clientID}`,
  clientID,
  replicaID: clientID === null ? null : `replica of ${clientID}`,
  schemaVersion: null,
  wantsPresence: true,
  ...more,
});
