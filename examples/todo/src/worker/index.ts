// Owns: the Worker: sync for the todo app, on D1, and the object that holds its sockets.
import type { D1Database } from "@cloudflare/workers-types";
import { waitUntil } from "cloudflare:workers";
import { createServerDb, createSyncHandler, ensureSchema, fromD1, type CoordinatorNamespace } from "plasma-sync/server";
import { schema, SCHEMA_VERSION } from "../schema.ts";
import { seedWhenEmpty } from "./seed.ts";
import { auth, mayEnter, serverMutators } from "./sync-options.ts";

interface Env {
  readonly DB: D1Database;
  readonly COORDINATOR: CoordinatorNamespace;
}

export { SyncCoordinator } from "plasma-sync/server/cloudflare";

/** Todos of the large demo's list (`npm run todo:large`). */
const LARGE_COUNT = Number(import.meta.env["VITE_TODO_LARGE"] ?? 0);

let isSeeded = false;
let handle: ((request: Request) => Promise<Response>) | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const executor = fromD1(env.DB);
    if (!isSeeded) {
      // Requests that come together all do this; it is safe to. A Worker must not await another request's promise.
      await ensureSchema({ schema, executor });
      await seedWhenEmpty(env.DB, LARGE_COUNT);
      isSeeded = true;
    }
    handle ??= createSyncHandler({
      schema,
      mutators: serverMutators,
      executor,
      schemaVersion: SCHEMA_VERSION,
      auth,
      coordinator: env.COORDINATOR,
      authorizeRoom: ({ ctx, room }) => mayEnter(createServerDb({ schema, executor }), ctx, room),
      waitUntil,
      onError: (error) => console.error(error),
    });
    return handle(request);
  },
};
