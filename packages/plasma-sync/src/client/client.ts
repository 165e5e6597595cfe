// Owns: createPlasmaClient, the composition root of the client: it makes the parts and joins them.

import type { AnyMutators } from "../core/mutation/mutator.ts";
import { createDb } from "../core/query/db.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import { ClientCore } from "./client-core.ts";
import { resolveOptions, type ClientOptions } from "./client-options.ts";
import { describePending } from "./describe-pending.ts";
import { createMutate } from "./mutate.ts";
import type { PlasmaClient } from "./plasma-client.ts";
import { browserPlatform, memoryPlatform, type OpenPlatform } from "./platform.ts";
import { createHoldCheck } from "./replica/held-mutations.ts";
import { createViewEngine } from "./view-engine.ts";

/**
 * Makes a client: opens the local database, answers queries and runs mutations from it, and syncs with the server until
 * it is closed. Returns at once; queries and mutations wait until the database is open. With `offline: true` it never syncs.
 *
 * @throws PlasmaError `client/option` for an option that cannot work.
 * @example
 * const client = createPlasmaClient({
 *   schema, mutators, dbName: "todo", endpoint: "/sync", schemaVersion: "1", clientGroupID: user.id,
 *   getContext: () => ({ userId: user.id }),
 * });
 * await client.mutate.createTodo({ title: "Water the plants" });
 */
export function createPlasmaClient<S extends AnySchema, M extends AnyMutators>(
  options: ClientOptions<S, M>,
): PlasmaClient<S, M> {
  return createClientOn(options.storage === "memory" ? memoryPlatform : browserPlatform, options);
}

/** The same on another platform than the options name. */
export function createClientOn<S extends AnySchema, M extends AnyMutators>(
  platform: OpenPlatform,
  options: ClientOptions<S, M>,
): PlasmaClient<S, M> {
  const resolved = resolveOptions(options);
  const client = new ClientCore(options, resolved, platform);
  const { replica, runtime, status } = client;
  return {
    schema: options.schema,
    db: createDb({ schema: options.schema, engine: createViewEngine(runtime, replica, () => client.loaded) }),
    get clientID() {
      return replica.clientID;
    },
    clientGroupID: options.clientGroupID,
    mutate: createMutate<M>({
      mutators: options.mutators,
      schemaVersion: options.schemaVersion,
      replica,
      env: resolved.env,
      assertOpen: () => client.assertOpen(),
      openFiles: () => client.files.open(),
      outcomes: client.outcomes,
    }),
    newId: () => resolved.env.randomUUID(),
    pullOnce: () => client.once("pull"),
    pushOnce: () => client.once("push"),
    start: () => client.start(),
    stop: () => client.session.stop(),
    flush: async () => {
      await replica.settled();
      if (replica.hasFiles) await client.once("upload");
      await client.once("push");
      await client.once("pull");
    },
    resetLocalState: () => client.reset(),
    status,
    pending: async () => {
      await client.loaded;
      const waiting = replica.hasFiles ? await (await client.files.open()).notUploaded() : null;
      const isHeld = createHoldCheck((hash) => waiting?.has(hash) !== true);
      return replica.pending.map((mutation) => describePending(mutation, isHeld(mutation)));
    },
    readFile: async (ref, readOptions) => {
      client.assertOpen();
      return (await client.files.open()).transfers.read(ref, readOptions);
    },
    watchFile: (ref, listener) => client.files.watch(ref, listener),
    close: () => client.close(),
  };
}
