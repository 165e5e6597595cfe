// Owns: the request that asks for a socket, before any platform upgrades it: what it says, and as `auth` is to see it.
// Invariant: the token of the query reaches `auth` as a header only; the URL that is handed on does not hold it.

import { optional, parseID, parseText } from "../../core/protocol/parse.ts";
import { DEFAULT_ROOM } from "../../core/protocol/realtime.ts";
import { PROTOCOL_VERSION } from "../../core/protocol/version.ts";
import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";
import type { ClaimedIdentity } from "./authorize.ts";

export interface SocketRequest extends ClaimedIdentity {
  readonly room: string;
  readonly replicaID?: string;
  readonly schemaVersion?: string;
  /** False when it says `presence=none`: it listens for pokes alone. */
  readonly wantsPresence: boolean;
  /** As `auth` is to see it. */
  readonly request: Request;
}

/** Reads the request. Throws `request/method`, `request/invalid`, `protocol/field`, `protocol/mismatch`. */
export function parseSocketRequest(request: Request): SocketRequest {
  if (request.method !== "GET") throw serverError("request/method", { method: request.method, allowed: "GET" });
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw serverError("request/invalid", { why: "Only WebSockets are served here: send Upgrade: websocket." });
  const fields = Object.fromEntries(new URL(request.url).searchParams);
  const { protocolVersion } = fields;
  if (protocolVersion !== undefined && protocolVersion !== String(PROTOCOL_VERSION))
    throw serverError("protocol/mismatch", { expected: PROTOCOL_VERSION });
  return {
    room: DEFAULT_ROOM,
    ...optional(fields, "room", (room, path) => parseText(room, path, limits.nameCharsMax)),
    ...optional(fields, "clientGroupID", parseID),
    ...optional(fields, "clientID", parseID),
    ...optional(fields, "replicaID", parseID),
    ...optional(fields, "schemaVersion", (version, path) => parseText(version, path, limits.nameCharsMax)),
    wantsPresence: fields["presence"] !== "none",
    request: withBearerToken(request),
  };
}

/** Browsers cannot set headers on sockets: `?token=` becomes `Authorization: Bearer`. */
function withBearerToken(request: Request): Request {
  const url = new URL(request.url);
  const token = url.searchParams.get("token");
  if (token === null) return request;
  url.searchParams.delete("token");
  const headers = new Headers(request.headers);
  try {
    headers.set("authorization", `Bearer ${token}`);
  } catch (cause) {
    throw serverError("request/invalid", { why: "The token is not what a header can hold." }, { cause });
  }
  return new Request(url, { headers });
}
