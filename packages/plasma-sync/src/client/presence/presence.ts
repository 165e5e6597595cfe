// Owns: createPresence, and that all who look at one room in this tab share one socket.

import { PlasmaError } from "../../core/error.ts";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { isUserInfo } from "../../core/protocol/realtime.ts";
import type { SocketConstructor } from "../transport/socket-like.ts";
import type { SocketToken } from "../transport/socket-url.ts";
import { PresenceRoom } from "./presence-room.ts";
import type { PresenceState } from "./presence-state.ts";

export interface PresenceOptions {
  /** Of the server's coordinator, absolute or relative to the page: "/sync/coordinator". */
  readonly url: string;
  /** Who is in the same room sees each other. Default "global". */
  readonly room?: string;
  /** Reaches the server's `auth` as `Authorization: Bearer`. A function is asked before each attempt to connect. */
  readonly token?: SocketToken;
  /** JSON that others see, at most 2 KiB: a name, a colour, a cursor. Without it, this tab sees others and is not seen. */
  readonly userInfo?: unknown;
  /** Names this tab; the client's is a good one. Default: a random one. */
  readonly clientID?: string;
  /** Names the user, where the server's `auth` compares it. */
  readonly clientGroupID?: string;
  /** Milliseconds before the second attempt to connect; doubled each time, jittered. Default 500. */
  readonly initialReconnectDelayMs?: number;
  /** Longest wait in milliseconds. Default 30 000. */
  readonly maxReconnectDelayMs?: number;
  /** Default: the platform's `WebSocket`. */
  readonly WebSocketImpl?: SocketConstructor;
  /** Clock, timers and randomness. Default: the platform's. */
  readonly env?: Env;
}

export interface Presence {
  /** The same object until something changes. */
  get(): PresenceState;
  /** Calls `listener` after each change; returns unsubscribe. */
  subscribe(listener: () => void): () => void;
  /**
   * Shows others this of the tab: at once, then at most 20 times a second, the last one always. Null: nothing any more.
   *
   * @throws PlasmaError `client/option` for what is not JSON of at most 2 KiB.
   */
  update(userInfo: unknown): void;
  /** Leaves the room, unless something else in this tab looks at it. */
  close(): void;
}

interface SharedRoom {
  readonly room: PresenceRoom;
  readonly env: Env;
  holders: number;
}

/** By where they are and who looks: one socket each. */
const rooms = new Map<string, SharedRoom>();

/**
 * Who is in a room, and what they show of themselves. All presences of one url, room, clientID, clientGroupID and token in a tab
 * share one socket, and with it the waits of the first, and what this tab shows. Tokens that functions give are not compared:
 * the first function counts. In React: `usePresence`. Guide: docs/guides/realtime.md.
 *
 * @throws PlasmaError `client/option` for an option that cannot work.
 * @example
 * const presence = createPresence({ url: "/sync/coordinator", room: "list:1", clientID: client.clientID, userInfo: { name: "Ada" } });
 * presence.subscribe(() => showCursors(presence.get().peers));
 * addEventListener("pointermove", ({ clientX: x, clientY: y }) => presence.update({ name: "Ada", x, y }));
 */
export function createPresence(options: PresenceOptions): Presence {
  const { url, room = "global", token, clientID, clientGroupID, env = systemEnv } = options;
  for (const [option, value] of Object.entries({ url, room }))
    if (typeof value !== "string" || value === "") refuse(option, "is a text that is not empty.");
  if (options.userInfo !== undefined) checkUserInfo(options.userInfo);
  // Another token may be another person's: nobody is shown by the login of somebody else. Functions are left out.
  const key = JSON.stringify([url, room, clientID, clientGroupID, token]);
  let shared = rooms.get(key);
  if (shared?.env !== env || shared === undefined) {
    shared = { room: openRoom(options, env), env, holders: 0 };
    rooms.set(key, shared);
  }
  const held = shared;
  held.holders += 1;
  if (options.userInfo !== undefined) held.room.update(options.userInfo);
  const unsubscribes = new Set<() => void>();
  let isClosed = false;
  return {
    get: () => held.room.state,
    subscribe: (listener) => {
      const unsubscribe = held.room.subscribe(() => listener());
      unsubscribes.add(unsubscribe);
      return () => {
        unsubscribes.delete(unsubscribe);
        unsubscribe();
      };
    },
    update: (userInfo) => {
      checkUserInfo(userInfo);
      if (!isClosed) held.room.update(userInfo);
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      for (const unsubscribe of unsubscribes) unsubscribe();
      held.holders -= 1;
      // Whoever comes in the same turn (another view of the page, a component mounted twice) goes on with the socket.
      env.setTimeout(() => closeUnheld(key, held), 0);
    },
  };
}

function closeUnheld(key: string, shared: SharedRoom): void {
  if (shared.holders > 0) return;
  if (rooms.get(key) === shared) rooms.delete(key);
  shared.room.close();
}

function openRoom(options: PresenceOptions, env: Env): PresenceRoom {
  const { url, room = "global", token, clientID = env.randomUUID(), clientGroupID, WebSocketImpl } = options;
  const { initialReconnectDelayMs: initialDelayMs = 500, maxReconnectDelayMs: maxDelayMs = 30_000 } = options;
  return new PresenceRoom({
    address: { url, room, token },
    who: { clientID, clientGroupID },
    backoff: { initialDelayMs, maxDelayMs },
    env,
    WebSocketImpl,
  });
}

function checkUserInfo(userInfo: unknown): void {
  let isFine = false;
  try {
    isFine = isUserInfo(userInfo);
  } catch {
    isFine = false; // A bigint, or a toJSON of the app's that threw.
  }
  if (!isFine) refuse("userInfo", `is JSON of at most ${limits.userInfoBytesMax} bytes.`);
}

function refuse(option: string, why: string): never {
  throw new PlasmaError("client/option", { of: "createPresence", option, why });
}
