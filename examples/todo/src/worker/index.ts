// Owns: the Worker: sync for the todo app, on D1.
import type { D1Database } from "@cloudflare/workers-types";
import { createSyncHandler, ensureSchema, fromD1 } from "plasma-sync/server";
import { schema, SCHEMA_VERSION } from "../schema.ts";
import { seedWhenEmpty } from "./seed.ts";
import { auth, serverMutators } from "./sync-options.ts";

interface Env {
  readonly DB: D1Database;
}

let isSeeded = false;
let handle: ((request: Request) => Promise<Response>) | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const executor = fromD1(env.DB);
    if (!isSeeded) {
      // Requests that come together all do this; it is safe to. A Worker must not await another request's promise.
      await ensureSchema({ schema, executor });
      await seedWhenEmpty(env.DB);
      isSeeded = true;
    }
    handle ??= createSyncHandler({
      schema,
      mutators: serverMutators,
      executor,
      schemaVersion: SCHEMA_VERSION,
      auth,
      onError: (error) => console.error(error),
    });
    return handle(request);
  },
};
