// Owns: the options of createWebSocketSubscription.

import type { PresenceEntry } from "../../core/protocol/realtime.ts";
import type { SocketConstructor } from "./socket-like.ts";
import type { SocketToken } from "./socket-url.ts";

export interface WebSocketSubscriptionOptions {
  /** Of the server's coordinator, absolute or relative to the page: "/sync/coordinator". */
  readonly url: string;
  /** Pokes go to rooms; clients in one room hear of each other's pushes. Default "global". */
  readonly room?: string;
  /** Reaches the server's `auth` as `Authorization: Bearer`. A function is asked before each attempt to connect. */
  readonly token?: SocketToken;
  /** Default: the client's. */
  readonly clientID?: string;
  /** JSON that shows this tab, while it syncs for the others, to the members of the room. `usePresence` shows every tab. */
  readonly userInfo?: unknown;
  /** Told the members of the room when they have changed. */
  readonly onPresence?: (entries: readonly PresenceEntry[]) => void;
  /** Milliseconds before the second attempt to connect; doubled each time, jittered. Default 500. */
  readonly initialReconnectDelayMs?: number;
  /** Longest wait in milliseconds. Default 30 000. */
  readonly maxReconnectDelayMs?: number;
  /** Default: the platform's `WebSocket`. */
  readonly WebSocketImpl?: SocketConstructor;
}

/** The same with the defaults filled in. */
export type ResolvedSubscriptionOptions = WebSocketSubscriptionOptions &
  Required<Pick<WebSocketSubscriptionOptions, "room" | "initialReconnectDelayMs" | "maxReconnectDelayMs">>;
