// Owns: createNodeHub: the WebSockets of one process of Node, and what they are told: by its own pushes, and by the commits
// that other processes make on the same database, where the engine tells of them.
// Invariants:
//   1. A connection that asks for a socket is answered, whatever it sent: with a socket, with one that is closed at once so
//      that a page can read why, or with a status.
//   2. An end that is gone without a word is noticed within two pings (`limits.socketPingMs`), also by sockets that only
//      listen.
//   3. After `close` no socket is opened, and those that were are told to come again; their end is waited for, up to a bound.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import type { Env, TimerHandle } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { checkHandlerOptions, type HandlerSettings, type SyncHandlerOptions } from "../handler-options.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { admit, type Admitted } from "../realtime/admission.ts";
import type { Coordinator, PokeTarget } from "../realtime/coordinator.ts";
import { Hub } from "../realtime/hub.ts";
import { PokePatches } from "../realtime/poke-patches.ts";
import { HandlerHooks } from "../sync/handler-hooks.ts";
import { CommitWatch } from "./commit-watch.ts";
import { NodeSocket } from "./node-socket.ts";
import { answerRaw, asksForSocket, pathOf, toRequest } from "./upgrade-request.ts";

/** The options of the sync handler whose sockets these are. */
export type NodeHubOptions<Ctx = unknown> = Omit<SyncHandlerOptions<Ctx>, "coordinator">;

export interface NodeHub extends Coordinator {
  readonly defaultRooms: null;
  /** Open sockets. */
  readonly size: number;
  /**
   * Takes a connection of the server's event "upgrade". False, and the connection is untouched, when it does not ask for a
   * socket at `{basePath}/coordinator`.
   */
  handleUpgrade(request: IncomingMessage, connection: Duplex, head: Uint8Array): boolean;
  /** Tells sockets that something has changed: for changes that no push made. `{ rooms: null, origin: null }` is all. */
  poke(target: PokeTarget): void;
  /** Asks all clients to come again, and resolves when their sockets have ended. */
  close(): Promise<void>;
}

/**
 * Makes the hub for a server of your own; `serve` has one already. Give it the same options as the handler.
 *
 * @throws PlasmaError `server/option` for an option that cannot be.
 * @example
 * const hub = createNodeHub(options);
 * const handle = createSyncHandler({ ...options, coordinator: hub });
 * server.on("upgrade", (request, socket, head) => hub.handleUpgrade(request, socket, head) || socket.destroy());
 */
export function createNodeHub<Ctx>(options: NodeHubOptions<Ctx>): NodeHub {
  return new SocketHub(checkHandlerOptions(options as unknown as SyncHandlerOptions));
}

class SocketHub implements NodeHub {
  readonly defaultRooms = null;
  readonly pulled: NonNullable<Coordinator["pulled"]>;
  readonly #settings: HandlerSettings;
  readonly #env: Env;
  readonly #hooks: HandlerHooks;
  readonly #hub: Hub;
  readonly #watch: CommitWatch;
  readonly #sockets = new Set<NodeSocket>();
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Each would keep its own compression state, more than all else that a socket costs.
    perMessageDeflate: false,
    // In bytes; the hub counts characters, and closes with the same code.
    maxPayload: 3 * limits.socketFrameBytesMax,
    // Then the connection is cut. Not in its types yet.
    ...({ closeTimeout: limits.socketCloseMsMax } as object),
  });
  /** Connections of which nobody has said yet whether they become sockets. */
  readonly #opening = new Set<Duplex>();
  #pings: TimerHandle | null = null;
  #whenEmpty: (() => void) | null = null;
  #isClosing = false;

  constructor(settings: HandlerSettings) {
    const { env, options } = settings;
    const patches = new PokePatches(settings);
    this.pulled = (...client) => patches.pulled(...client);
    this.#settings = settings;
    this.#env = env;
    this.#hooks = new HandlerHooks(options);
    this.#hub = new Hub({ env, deliver: (listeners) => void patches.deliver(listeners) });
    this.#watch = new CommitWatch(options.executor, env, () => this.poke({ rooms: null, origin: null }));
  }

  get size(): number {
    return this.#sockets.size;
  }

  poke(target: PokeTarget): void {
    this.#hub.poke(target);
  }

  handleUpgrade(message: IncomingMessage, connection: Duplex, head: Uint8Array): boolean {
    if (!asksForSocket(message) || pathOf(message) !== `${this.#settings.basePath}/coordinator`) return false;
    // Until it is a socket, whose errors are told as its end.
    connection.on("error", () => connection.destroy());
    void this.#open(message, connection, Buffer.from(head.buffer, head.byteOffset, head.byteLength));
    return true;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#watch.stop();
    if (this.#pings !== null) this.#env.clearTimeout(this.#pings);
    this.#hub.close();
    // An `auth` that does not answer would keep them, and the server that waits for their end.
    for (const connection of this.#opening) connection.destroy();
    if (this.#sockets.size === 0) return;
    const empty = Promise.withResolvers<void>();
    this.#whenEmpty = empty.resolve;
    await empty.promise;
  }

  async #open(message: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    const request = toRequest(message);
    if (request === null) return answerRaw(connection, new Response("Bad Request", { status: 400 }));
    if (this.#isClosing || this.size + this.#opening.size >= limits.hubSocketsMax)
      return answerRaw(connection, new Response(null, { status: 503, headers: { "retry-after": "1" } }));
    this.#opening.add(connection);
    try {
      const admitted = await this.#admit(request);
      if (admitted.kind === "answer") return await answerRaw(connection, admitted.answer);
      this.#server.handleUpgrade(message, connection, head, (socket) => this.#join(socket, admitted));
    } finally {
      this.#opening.delete(connection);
    }
  }

  #admit(request: Request): Promise<Admitted> {
    const { options } = this.#settings;
    return admit(
      {
        options,
        migrate: () => ensureSchema(options),
        refused: (refusal, cause) => this.#hooks.refused(refusal, cause),
      },
      request,
    );
  }

  #join(socket: WebSocket, admitted: Exclude<Admitted, { readonly kind: "answer" }>): void {
    const seam = new NodeSocket(socket);
    this.#sockets.add(seam);
    const heard = () => {
      seam.heard();
      this.#hub.heard(seam);
    };
    socket.on("pong", heard);
    socket.on("ping", heard);
    socket.on("message", (data: RawData, isBinary: boolean) => {
      seam.heard();
      this.#hub.receive(seam, isBinary ? data : String(data));
    });
    // Its close follows.
    socket.on("error", () => undefined);
    socket.on("close", (code) => this.#ended(seam, code));
    this.#pings ??= this.#env.setTimeout(() => this.#probeAll(), limits.socketPingMs);
    if (admitted.kind === "close") return seam.close(admitted.code, admitted.reason);
    // The server may have closed while the socket was opened.
    this.#hub.join(seam, admitted.admission);
    if (this.#isClosing) this.#hub.close();
  }

  #ended(seam: NodeSocket, code: number): void {
    this.#hub.leave(seam, code);
    this.#sockets.delete(seam);
    if (this.#sockets.size === 0) this.#whenEmpty?.();
  }

  #probeAll(): void {
    this.#pings = null;
    for (const socket of this.#sockets) socket.probe();
    if (this.#sockets.size > 0 && !this.#isClosing)
      this.#pings = this.#env.setTimeout(() => this.#probeAll(), limits.socketPingMs);
  }
}
