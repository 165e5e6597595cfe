// Owns: serve: the sync server as a process on Node: its handler, its sockets, a health endpoint, the app's other paths, and
// signals.

import type { IncomingMessage, Server } from "node:http";
import { systemEnv } from "../../core/lib/env.ts";
import { createSyncHandler } from "../handler.ts";
import { basePathOf, type SyncHandlerOptions } from "../handler-options.ts";
import { serverError } from "../server-error.ts";
import { Health } from "./health.ts";
import { httpBounds, HttpListener, type HttpUpgrades } from "./http-listener.ts";
import { createNodeHub, type NodeHub } from "./node-hub.ts";
import { asksForSocket, pathOf } from "./upgrade-request.ts";

export interface ServeOptions<Ctx = unknown> extends Omit<SyncHandlerOptions<Ctx>, "coordinator"> {
  /** The TCP port; 0 takes a free one. */
  readonly port: number;
  /** The address to listen on. Default: all of them; "127.0.0.1" behind a proxy on the same machine. */
  readonly hostname?: string;
  /** Where health is asked, without any login: 200 when the database answers, else 503. Default "/health"; false: nowhere. */
  readonly healthPath?: string | false;
  /** Answers paths other than the sync server's and health. Default: 404. */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
  /**
   * Whether SIGTERM and SIGINT close the server. Default true. When it is closed and nothing else listens to the signal,
   * the signal ends the process as it would have; a second one ends it at once.
   */
  readonly handleSignals?: boolean;
}

export interface PlasmaServer {
  readonly port: number;
  /** Node's server, for what Plasma does not do: metrics of connections, other upgrades. */
  readonly server: Server;
  /**
   * Tells all connected clients that something has changed: for changes that no push made and the database tells nobody
   * of, such as raw SQL on SQLite. Postgres tells.
   */
  poke(): void;
  /**
   * Accepts nothing more, asks the clients of open sockets to come again, and resolves when the requests under way have
   * ended, or were cut after 8 seconds. The database stays open: close it afterwards.
   */
  close(): Promise<void>;
}

/**
 * Serves the sync handler over HTTP/1.1, and WebSockets at `{basePath}/coordinator`. Put a proxy in front for TLS. Slow
 * senders, huge headers, silent connections and slow readers are bounded. See docs/guides/server-operations.md.
 *
 * @throws PlasmaError `server/option` for an option that cannot be; Node's error when the port is taken.
 * @example
 * const server = await serve({
 *   schema, mutators, auth, schemaVersion: "1",
 *   executor: fromNodeSqlite(new DatabaseSync("app.db", { timeout: 5000 })),
 *   port: 8787,
 * });
 */
export async function serve<Ctx>(options: ServeOptions<Ctx>): Promise<PlasmaServer> {
  const env = options.env ?? systemEnv;
  const hub = createNodeHub(options);
  const coordinatorPath = `${basePathOf(options)}/coordinator`;
  const upgrades: HttpUpgrades = {
    wants: (request) => asksForSocket(request) && pathOf(request) === coordinatorPath,
    take: (...connection) => hub.handleUpgrade(...connection),
  };
  const listener = new HttpListener({
    handle: routesOf(options, hub),
    env,
    bounds: httpBounds,
    upgrades,
    ...(options.blobs !== undefined && { isUpload: isUploadTo(`${basePathOf(options)}/blob/`) }),
  });
  const close = async () => {
    // Sockets are connections, whose end the listener waits for.
    await Promise.all([hub.close(), listener.close()]);
    forget();
  };
  let forget = () => undefined as void;
  try {
    const port = await listener.listen(options.port, options.hostname);
    if (options.handleSignals !== false) forget = closeOnSignals(close);
    const poke = () => hub.poke({ rooms: null, origin: null });
    return { port, server: listener.server, poke, close };
  } catch (error) {
    await hub.close();
    throw error;
  }
}

const isUploadTo =
  (path: string) =>
  (request: IncomingMessage): boolean =>
    request.method === "PUT" && pathOf(request)?.startsWith(path) === true;

function routesOf<Ctx>(options: ServeOptions<Ctx>, coordinator: NodeHub): (request: Request) => Promise<Response> {
  const { executor, env = systemEnv, healthPath = "/health", basePath = "/sync" } = options;
  if (healthPath !== false && !healthPath.startsWith("/"))
    throw serverError("server/option", { of: "serve", option: "healthPath", why: `must begin with "/".` });
  const sync = createSyncHandler({ ...options, coordinator });
  const health = new Health(executor, env);
  const prefix = `${basePath.replace(/\/+$/, "")}/`;
  return async (request) => {
    const path = new URL(request.url).pathname;
    if (path === healthPath && (request.method === "GET" || request.method === "HEAD")) return health.respond();
    // The sync handler answers 404 where the app has nothing.
    return options.fetch === undefined || path.startsWith(prefix) ? sync(request) : fallback(options, request);
  };
}

async function fallback<Ctx>({ fetch: answer, onError }: ServeOptions<Ctx>, request: Request): Promise<Response> {
  try {
    return await (answer as NonNullable<typeof answer>)(request);
  } catch (cause) {
    onError?.({ kind: "onPushed-failed", message: "The option fetch threw.", status: 500, cause });
    return new Response("Internal Server Error", { status: 500 });
  }
}

const signals = ["SIGTERM", "SIGINT"] as const;

/** Returns what takes the listeners away. */
function closeOnSignals(close: () => Promise<void>): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    forget();
    void close().then(() => {
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  };
  const forget = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
