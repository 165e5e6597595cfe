// The Worker of the socket measurements: a PlasmaObject below /object; below /beside a handler with a SyncCoordinator, whose
// pushes only poke: a database would be measured too.

import { createSyncHandler, pokeCoordinator, type CoordinatorNamespace, type SqlExecutor } from "plasma-sync/server";
import { PlasmaObject, type PlasmaObjectOptions } from "plasma-sync/server/cloudflare";
import { app, type Ctx } from "./app.ts";

export { SyncCoordinator } from "plasma-sync/server/cloudflare";

export class Room extends PlasmaObject {
  options(): PlasmaObjectOptions<Ctx> {
    return { ...app, basePath: "/object/sync" };
  }
}

interface Env {
  readonly ROOM: CoordinatorNamespace;
  readonly COORDINATOR: CoordinatorNamespace;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/object/")) return env.ROOM.get(env.ROOM.idFromName("all")).fetch(request);
    if (url.pathname === "/beside/sync/push") {
      await pokeCoordinator(env.COORDINATOR);
      return new Response("{}");
    }
    const clientID = url.searchParams.get("clientID") ?? "nobody";
    const handle = createSyncHandler({
      ...app,
      basePath: "/beside/sync",
      // The login names the client, so no database is asked whose it is.
      auth: (asked) => ({ ...app.auth(asked), clientID }),
      executor: { dialect: "sqlite", interactive: false } as SqlExecutor,
      coordinator: env.COORDINATOR,
    });
    return handle(request);
  },
};
