// Owns: requests for a socket as Node hands them over: as a Request for `auth`, and answers to those that get no socket.
// Invariant: what is no HTTP is answered, and its connection ends: nobody else looks after it.

import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Whether a request asks for a WebSocket, and not for HTTP/2 or another protocol that it would do without. */
export const asksForSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket";

/** The path that was asked for; null where it is none. */
export function pathOf({ url = "" }: IncomingMessage): string | null {
  return URL.canParse(url, "http://server") ? new URL(url, "http://server").pathname : null;
}

/** The request without its connection; null when its url or a header cannot be. */
export function toRequest(message: IncomingMessage): Request | null {
  const { method = "GET", url = "", headers, rawHeaders, socket } = message;
  const protocol = "encrypted" in socket && socket.encrypted === true ? "https" : "http";
  try {
    const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, i) => rawHeaders.slice(2 * i, 2 * i + 2));
    const sent = new Headers(pairs as [string, string][]);
    return new Request(new URL(url, `${protocol}://${headers.host ?? "localhost"}`), { method, headers: sent });
  } catch {
    return null;
  }
}

/** Answers without a socket, and ends the connection. */
export async function answerRaw(connection: Duplex, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = [...response.headers, ["connection", "close"], ["content-length", String(body.byteLength)]];
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  connection.write(`${lines.join("\r\n")}\r\n\r\n`);
  connection.end(body);
}
