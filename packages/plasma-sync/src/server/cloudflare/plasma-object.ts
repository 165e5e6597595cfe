// Owns: PlasmaObject: one Durable Object per tenant or room that holds the database, the sync handler and the sockets.
// Composition only: the executor is server/database's, the handler server's, the hub server/realtime's.

import { DurableObject } from "cloudflare:workers";
import { fromDurableObject } from "../database/from-durable-object.ts";
import { systemEnv } from "../../core/lib/env.ts";
import { createSyncHandler, type SyncHandler } from "../handler.ts";
import { checkHandlerOptions, type SyncHandlerOptions } from "../handler-options.ts";
import type { HibernatingSocket } from "./object-context.ts";
import { migrateIfNew } from "../migration/run-migrations.ts";
import { PokePatches } from "../realtime/poke-patches.ts";
import { answerPings, BROKEN_CLOSE, ObjectHub } from "./object-hub.ts";

/** Options of `createSyncHandler` without those that the object brings itself. */
export type PlasmaObjectOptions<Ctx = unknown> = Omit<
  SyncHandlerOptions<Ctx>,
  "executor" | "waitUntil" | "coordinator"
>;

interface Running {
  readonly handle: SyncHandler;
  readonly hub: ObjectHub;
  readonly migrate: () => Promise<void>;
}

/**
 * The base class of a Durable Object that is a whole sync server: its storage is the database, and clients of one object
 * see each other's changes at once over WebSockets. One object serves one tenant, document or room; they share nothing.
 *
 * List the class under `new_sqlite_classes` in the Wrangler configuration. The object trusts whoever its Worker lets
 * through to it, so `auth` must check that the person belongs to *this* tenant, not only who they are.
 *
 * At the first request that it serves with another schema, the object migrates its own database (`runMigrations`).
 *
 * Serves `{basePath}/push`, `{basePath}/pull` and, for sockets, `{basePath}/coordinator`.
 *
 * @throws PlasmaError `server/option`, at the first request, for an option that cannot be.
 * @example
 * export class TodoRoom extends PlasmaObject<Env> {
 *   options(env: Env): PlasmaObjectOptions<Ctx> {
 *     return { schema, mutators, schemaVersion: "1", auth: (request) => whoIs(request, env) };
 *   }
 * }
 *
 * export default {
 *   fetch(request: Request, env: Env): Promise<Response> {
 *     const tenant = new URL(request.url).hostname;
 *     return env.ROOM.get(env.ROOM.idFromName(tenant)).fetch(request);
 *   },
 * };
 */
export abstract class PlasmaObject<Env = unknown> extends DurableObject<Env> {
  #running: Running | undefined;
  #isMigrated = false;

  constructor(...[ctx, env]: ConstructorParameters<typeof DurableObject<Env>>) {
    super(ctx, env);
    answerPings(ctx);
  }

  /** Asked once in the life of the object in memory, at the first request. */
  // oxlint-disable-next-line typescript/no-explicit-any -- each object names its own Ctx
  abstract options(env: Env): PlasmaObjectOptions<any>;

  /** Serves pushes, pulls and sockets. */
  override async fetch(request: Request): Promise<Response> {
    const { handle, migrate } = this.#run();
    // Whatever stands in the way of it, the handler meets and answers too.
    if (!this.#isMigrated) await migrate().catch(() => undefined);
    return handle(request);
  }

  /** Has all connected clients pull: for changes that no push made, such as an alarm's raw SQL, or other rights. */
  poke(): void {
    this.#run().hub.poke({ rooms: null, origin: null, isPlain: true });
  }

  override webSocketMessage(socket: HibernatingSocket, message: string | ArrayBuffer): void {
    this.#run().hub.message(socket, message);
  }

  override webSocketClose(socket: HibernatingSocket, code: number): void {
    this.#run().hub.closed(socket, code);
  }

  override webSocketError(socket: HibernatingSocket): void {
    this.#run().hub.closed(socket, BROKEN_CLOSE);
  }

  #run(): Running {
    return (this.#running ??= this.#start());
  }

  #start(): Running {
    const { ctx, env } = this;
    const given: PlasmaObjectOptions = this.options(env);
    const { schema } = given;
    const executor = fromDurableObject(ctx.storage);
    const options = { ...given, executor, waitUntil: (promise: Promise<unknown>) => ctx.waitUntil(promise) };
    const patches = new PokePatches(checkHandlerOptions(options));
    const hub = new ObjectHub(ctx, {
      env: given.env ?? systemEnv,
      deliver: (listeners) => ctx.waitUntil(patches.deliver(listeners)),
      pulled: (...client) => patches.pulled(...client),
    });
    const handle = createSyncHandler({ ...options, coordinator: hub });
    const migrate = async () => {
      await migrateIfNew({ schema, executor });
      this.#isMigrated = true;
    };
    return { handle, hub, migrate };
  }
}
