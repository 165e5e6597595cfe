// Owns: the URL that asks for a socket (SPEC "Realtime"): where, and who asks.

import { PlasmaError } from "../../core/error.ts";
import { PROTOCOL_VERSION } from "../../core/protocol/version.ts";

/** A bearer token, or what gives one: asked before each attempt to connect. */
export type SocketToken = string | (() => string | null | undefined | Promise<string | null | undefined>);

export interface SocketAddress {
  /** Absolute, or relative to the page; http and https count as ws and wss. */
  readonly url: string;
  readonly room: string;
  readonly token: SocketToken | undefined;
}

/** What is known of who asks. */
export interface SocketIdentity {
  readonly clientID: string;
  readonly clientGroupID?: string | undefined;
  readonly replicaID?: string;
  readonly schemaVersion?: string;
  /** "none": pokes alone. */
  readonly presence?: "none" | undefined;
}

/** Makes the URL, with a token as it is now. Throws `client/option` for one that is no socket's, and whatever `token` throws. */
export async function socketUrl({ url, room, token }: SocketAddress, who: SocketIdentity): Promise<string> {
  const address = absoluteUrl(url);
  const bearer = typeof token === "function" ? await token() : token;
  const params = { room, ...who, protocolVersion: String(PROTOCOL_VERSION), token: bearer };
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== null) address.searchParams.set(name, value);
  return address.href;
}

function absoluteUrl(url: string): URL {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const address = URL.parse(url, page ?? "http://localhost");
  if (address !== null) address.protocol = address.protocol.replace(/^http/, "ws");
  if (address === null || !/^wss?:$/.test(address.protocol))
    throw new PlasmaError("client/option", {
      option: "url",
      why: "is where the server's coordinator is: /sync/coordinator.",
    });
  address.hash = "";
  return address;
}
