// Owns: what is shown of a room, and its first value. Plain data, replaced only when something in it has changed.

import type { PresenceEntry } from "../../core/protocol/realtime.ts";
import type { SyncClientError } from "../sync/sync-error.ts";

export interface PresenceState {
  /** Everybody who shows something of themselves, this tab included; by clientID. Entries keep their identity until they change. */
  readonly all: readonly PresenceEntry[];
  /** The same without this tab. */
  readonly peers: readonly PresenceEntry[];
  /** This tab, as others see it; null until the server has said so, and while it shows nothing. */
  readonly me: PresenceEntry | null;
  /** Whether there is no connection yet, or none now. Members stay for 30 seconds meanwhile. */
  readonly connecting: boolean;
  /** Why there is no connection: `socket-refused` (tried again in a while), or `network` for a token that failed. */
  readonly error: SyncClientError | null;
}

export const NOBODY: PresenceState = Object.freeze({
  all: Object.freeze([]),
  peers: Object.freeze([]),
  me: null,
  connecting: true,
  error: null,
});
