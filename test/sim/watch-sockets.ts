// Owns: sockets in a run: how a tab is subscribed, what is counted of its frames, and what no frame may hold.

import type { PlasmaClientOptions } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import type { SocketConstructor } from "../../packages/plasma-sync/src/client/transport/socket-like.ts";
import { createWebSocketSubscription } from "../../packages/plasma-sync/src/client/transport/websocket-subscription.ts";
import type { AnyMutators } from "../../packages/plasma-sync/src/core/mutation/mutator.ts";
import type { PokePatch } from "../../packages/plasma-sync/src/core/protocol/realtime.ts";
import type { AnySchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import type { SimFrame } from "../../packages/plasma-sync/src/testing/sim-sockets.ts";
import { leaks } from "./coverage.ts";
import type { RunScope } from "./run-scope.ts";

export const ROOM = "global";

type Subscribe = NonNullable<PlasmaClientOptions<AnySchema, AnyMutators>["subscribe"]>;

/** The real subscription of a tab. Counts what becomes of patches. */
export function subscribeWith(run: RunScope, WebSocketImpl: SocketConstructor): Subscribe {
  const subscribe = createWebSocketSubscription({
    url: "ws://plasma.test/sync/coordinator",
    room: ROOM,
    initialReconnectDelayMs: 100,
    maxReconnectDelayMs: 3000,
    WebSocketImpl,
  });
  return (onPoke, session) =>
    subscribe((poke) => {
      const patch = poke?.patch;
      if (patch !== undefined) watchPatch(run, patch, session);
      onPoke(poke);
    }, session);
}

type Session = Parameters<Subscribe>[1];

function watchPatch({ history }: RunScope, { from, cookie }: PokePatch, session: Session): void {
  if (from !== session.cookie()) return history.count("patch: begins elsewhere");
  history.count("patch: begins here");
  const end = session.status.subscribe(() => {
    if (session.cookie() === from) return;
    if (session.cookie() === cookie) history.count("patch: taken");
    end();
  });
}

/** A frame as it is sent. */
export function frameSeen(run: RunScope, { device, tab, to, text }: SimFrame): void {
  const { history, world } = run;
  const user = world.devices.find(({ name }) => name === device)?.user ?? "";
  run.trace(
    to === "server" ? tab : "server",
    `socket ${to === "server" ? "to the server" : `to ${tab}`}: ${text.slice(0, 2000)}`,
  );
  if (to === "client") leaks(run, user, text);
  const type = /"type":"([a-z-]+)"/.exec(text)?.[1] ?? text;
  history.count(`frame: ${type}${type === "poke" && text.includes('"patch"') ? " with a patch" : ""}`);
}
