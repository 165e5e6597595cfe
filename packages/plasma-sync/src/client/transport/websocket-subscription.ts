// Owns: createWebSocketSubscription: the client option `subscribe` over a WebSocket. What it does loads when the first one opens.

import { PlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import type { Poke, SubscribeSession } from "../plasma-client.ts";
import type { WebSocketSubscriptionOptions } from "./subscription-options.ts";

/**
 * For the client option `subscribe`: changes of others arrive as soon as the server has them. One socket per browser: that of the
 * tab that syncs. It reconnects for ever, pulls whenever it has (something may have been missed meanwhile), and polling goes on
 * beside it. A login that is refused twice in a row shows in `status.auth` and is tried again; a room that is refused is told to
 * `onError` (`socket-refused`) and is not. Guide: docs/guides/realtime.md.
 *
 * @throws PlasmaError `client/option` for an option that cannot work.
 * @example
 * const client = createPlasmaClient({
 *   …,
 *   subscribe: createWebSocketSubscription({ url: "/sync/coordinator", room: "global", token: () => session.token() }),
 * });
 */
export function createWebSocketSubscription(
  options: WebSocketSubscriptionOptions,
): (onPoke: (poke?: Poke) => void, session: SubscribeSession) => () => void {
  const resolved = { room: "global", initialReconnectDelayMs: 500, maxReconnectDelayMs: 30_000, ...options };
  for (const option of ["url", "room"] as const)
    if (typeof resolved[option] !== "string" || resolved[option] === "") refuse(option, "is a text that is not empty.");
  for (const option of ["initialReconnectDelayMs", "maxReconnectDelayMs"] as const)
    if (!(resolved[option] > 0 && resolved[option] < Infinity)) refuse(option, "is a number above 0.");
  return (onPoke, session) => {
    let isOver = false;
    let close = () => {
      isOver = true;
    };
    const open = (): Promise<void> =>
      import("./sync-socket.ts").then(
        ({ openSyncSocket }) => {
          if (!isOver) close = openSyncSocket(resolved, onPoke, session);
        },
        // Offline, or the app was deployed anew: the page polls meanwhile.
        () => {
          session.env.setTimeout(() => void (isOver || open()), limits.socketLoadRetryMs);
        },
      );
    void open();
    return () => close();
  };
}

function refuse(option: string, why: string): never {
  throw new PlasmaError("client/option", { of: "createWebSocketSubscription", option, why });
}
