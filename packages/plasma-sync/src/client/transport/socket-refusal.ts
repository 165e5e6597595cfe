// Owns: what a socket's refusals and failures are called.

import { isPlasmaError, messageOf } from "../../core/error.ts";
import type { SyncClientError } from "../sync/sync-error.ts";
import type { SocketStatus } from "./reconnecting-socket.ts";

/** What a socket in this state was refused; null when nothing. */
export function refusalOf(
  room: string,
  { phase, auth }: SocketStatus,
): Extract<SyncClientError, { readonly kind: "socket-refused" }> | null {
  if (phase === "refused") {
    const message = `The server does not let this client into the room "${room}". It is tried again.`;
    return { kind: "socket-refused", room, code: "auth/room", message };
  }
  if (auth === "ok") return null;
  const message = "The socket's login was refused, also with a new token. It is tried again.";
  return { kind: "socket-refused", room, code: "auth/unauthorized", message };
}

/** What making the URL threw: the token, unless the URL is none. */
export function tokenFailure(error: unknown): SyncClientError {
  const why = messageOf(error);
  const message = isPlasmaError(error) ? why : `The socket's token could not be had: ${why}`;
  return { kind: "network", phase: "socket", message };
}
