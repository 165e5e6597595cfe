// Owns: answers that are sockets, as only Cloudflare's runtime has them. Loads anywhere; runs there alone.

import type { HibernatingSocket } from "./object-context.ts";

// What workerd alone has: the two ends of a socket, and an answer that carries one.
declare const WebSocketPair: new () => { readonly 0: WebSocket; readonly 1: HibernatingSocket & { accept(): void } };
interface UpgradeInit extends ResponseInit {
  readonly webSocket: WebSocket;
}

/** A socket: `ours` to keep, `answer` for the other end. */
export function openSocket(): { readonly ours: HibernatingSocket & { accept(): void }; readonly answer: Response } {
  const { 0: webSocket, 1: ours } = new WebSocketPair();
  return { ours, answer: new Response(null, { status: 101, webSocket } satisfies UpgradeInit as ResponseInit) };
}

/** A socket that is closed at once: a page cannot read the status of an upgrade, the code of a close it can. */
export function closedSocket(code: number, reason: string): Response {
  const { ours, answer } = openSocket();
  ours.accept();
  ours.close(code, reason);
  return answer;
}
