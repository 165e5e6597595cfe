// Owns: usePresence, who is in a room as React state. What it does loads when the first component uses it.
// Invariants:
//   1. Rendering has no effect: the room is entered in an effect and left in its clean-up, in StrictMode too.
//   2. The component renders again only when what the hook returns has changed.
//   3. `update` has one identity, and may be called before the room is entered: what was said last is shown then.

import { useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { PresenceOptions } from "../client/presence/presence.ts";
import { NOBODY, type PresenceState } from "../client/presence/presence-state.ts";
import { RoomEntry } from "../client/presence/room-entry.ts";
import { sameValue } from "../core/lib/deep-equal.ts";
import { PlasmaContext } from "./plasma-provider.tsx";

export type UsePresenceOptions = Pick<
  PresenceOptions,
  "url" | "room" | "token" | "userInfo" | "clientID" | "WebSocketImpl"
>;

export interface UsePresenceResult extends PresenceState {
  /**
   * Shows others this of the tab: at once, then at most 20 times a second, the last one always. It holds until the option
   * `userInfo` changes in content. Its identity stays.
   *
   * @throws PlasmaError `client/option` for what is not JSON of at most 2 KiB.
   */
  readonly update: (userInfo: unknown) => void;
}

/**
 * Who is in a room, and what they show of themselves. Hooks of one url, room and clientID share one socket; the first one's token
 * counts. Without `clientID` it is that of the client of the nearest provider, or a random one where there is none.
 * Guide: docs/guides/realtime.md.
 *
 * @example
 * const { peers, update } = usePresence({ url: "/sync/coordinator", room: `list:${listId}`, userInfo: { name: user.name } });
 * return <div onPointerMove={(e) => update({ name: user.name, x: e.clientX, y: e.clientY })}>{peers.length} others are here</div>;
 */
export function usePresence(options: UsePresenceOptions): UsePresenceResult {
  const client = useContext(PlasmaContext);
  const clientID = options.clientID ?? client?.clientID;
  const { url, room } = options;
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- another room is another entry
  const entering = useMemo(() => new RoomEntry(), [url, room, clientID]);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    const clientGroupID = client?.clientGroupID;
    // The newest token, also when the socket comes back hours later.
    const token = () => {
      const { token: given } = latest.current;
      return typeof given === "function" ? given() : given;
    };
    const who = {
      ...(clientID === undefined ? {} : { clientID }),
      ...(clientGroupID === undefined ? {} : { clientGroupID }),
    };
    const { WebSocketImpl } = latest.current;
    return entering.enter({
      url,
      ...(room === undefined ? {} : { room }),
      ...who,
      ...(WebSocketImpl === undefined ? {} : { WebSocketImpl }),
      token,
    });
  }, [entering, url, room, clientID, client]);
  const userInfo = useStable(options.userInfo);
  useEffect(() => {
    if (userInfo !== undefined) entering.update(userInfo);
  }, [entering, userInfo]);
  const state = useSyncExternalStore(entering.subscribe, entering.get, () => NOBODY);
  return useMemo(() => ({ ...state, update: entering.update }), [state, entering]);
}

/** The first of values that are equal by content. */
function useStable<T>(value: T): T {
  const [stable, setStable] = useState(value);
  if (sameValue(stable, value)) return stable;
  setStable(value);
  return value;
}
