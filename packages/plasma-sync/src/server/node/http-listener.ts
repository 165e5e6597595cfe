// Owns: HTTP on Node for a function from Request to Response: bounds on slow and large requests, and an orderly end.
// Invariants:
//   1. A connection costs bounded memory and time, whatever its other end does or leaves undone.
//   2. An answer that comes before its request's body has ended reaches the sender; then the connection ends.
//   3. A connection that asks to become something else is handed over, if that is wanted of it; else it is a request like any
//      other, as HTTP says.
//   4. After `close` no request is accepted. Those under way end, with their commits and hooks, or their time runs out.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createRequestListener } from "@remix-run/node-fetch-server";
import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { answerRaw } from "./upgrade-request.ts";

export interface HttpBounds {
  readonly headerBytesMax: number;
  readonly headersMsMax: number;
  readonly requestMsMax: number;
  /** Instead of `requestMsMax`, for the requests that `isUpload` names. */
  readonly uploadMsMax: number;
  readonly checkMs: number;
  readonly keepAliveMs: number;
  readonly silenceMsMax: number;
  readonly lingerMs: number;
  readonly shutdownMsMax: number;
}

export const httpBounds: HttpBounds = {
  headerBytesMax: limits.httpHeaderBytesMax,
  headersMsMax: limits.httpHeadersMsMax,
  requestMsMax: limits.httpRequestMsMax,
  uploadMsMax: limits.httpUploadMsMax,
  checkMs: limits.httpCheckMs,
  keepAliveMs: limits.httpKeepAliveMs,
  silenceMsMax: limits.httpSilenceMsMax,
  lingerMs: limits.httpLingerMs,
  shutdownMsMax: limits.shutdownMsMax,
};

export interface HttpListenerOptions {
  /** Answers every request; what it throws is answered 500. */
  readonly handle: (request: Request) => Promise<Response>;
  readonly env: Env;
  readonly bounds: HttpBounds;
  readonly upgrades?: HttpUpgrades;
  /** Requests that may take longer to arrive. */
  readonly isUpload?: (request: IncomingMessage) => boolean;
}

/** Connections that become something else. */
export interface HttpUpgrades {
  wants(request: IncomingMessage): boolean;
  /** Takes the connection; false: it was not touched. */
  take(request: IncomingMessage, connection: Duplex, head: Uint8Array): boolean;
}

export class HttpListener {
  readonly server: Server;
  readonly #options: HttpListenerOptions;
  readonly #running = new Set<Promise<unknown>>();
  readonly #responses = new Set<ServerResponse>();
  #closed: Promise<void> | null = null;

  constructor(options: HttpListenerOptions) {
    const { bounds, upgrades, isUpload } = options;
    this.#options = options;
    const listener = createRequestListener((request) => this.#answer(request), {
      onError: () => new Response("Bad Request", { status: 400 }),
    });
    this.server = createServer(
      {
        maxHeaderSize: bounds.headerBytesMax,
        headersTimeout: bounds.headersMsMax,
        // Node has one bound for all requests; where some may take longer, those that may not have a timer each.
        requestTimeout: isUpload === undefined ? bounds.requestMsMax : bounds.uploadMsMax,
        connectionsCheckingInterval: bounds.checkMs,
        keepAliveTimeout: bounds.keepAliveMs,
        ...(upgrades === undefined ? {} : { shouldUpgradeCallback: (request) => this.#mayUpgrade(upgrades, request) }),
      },
      (request, response) => {
        this.#watch(request, response);
        listener(request, response);
      },
    );
    this.server.timeout = bounds.silenceMsMax;
    if (upgrades !== undefined) this.server.on("upgrade", (...upgrade) => this.#upgrade(upgrades, ...upgrade));
  }

  get isClosing(): boolean {
    return this.#closed !== null;
  }

  /** Resolves to the port when connections are accepted; rejects with Node's error when it cannot listen. */
  listen(port: number, hostname: string | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ port, host: hostname }, () => {
        this.server.off("error", reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Resolves when nothing is under way any more, or its time is up and all connections are cut. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { env, bounds } = this.#options;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const response of this.#responses) endConnectionAfter(response);
    const ended = closed.then(() => Promise.allSettled(this.#running));
    const timeUp = Promise.withResolvers<void>();
    const timer = env.setTimeout(timeUp.resolve, bounds.shutdownMsMax);
    await Promise.race([ended, timeUp.promise]);
    env.clearTimeout(timer);
    this.server.closeAllConnections();
    await closed;
  }

  /** An answer still runs when its connection is gone: `close` waits for it too. */
  async #answer(request: Request): Promise<Response> {
    const answer = this.#options.handle(request).catch(() => new Response("Internal Server Error", { status: 500 }));
    this.#running.add(answer);
    try {
      return await answer;
    } finally {
      this.#running.delete(answer);
    }
  }

  /** What the app listens for itself is handed over to it too. */
  #mayUpgrade(upgrades: HttpUpgrades, request: IncomingMessage): boolean {
    return upgrades.wants(request) || this.server.listenerCount("upgrade") > 1;
  }

  /** Node before 24.9 hands over every request that names another protocol, also one that would do without. */
  #upgrade(upgrades: HttpUpgrades, ...[request, connection, head]: Parameters<HttpUpgrades["take"]>): void {
    if (upgrades.take(request, connection, head) || this.server.listenerCount("upgrade") > 1) return;
    connection.on("error", () => connection.destroy());
    void answerRaw(connection, new Response("Send no Upgrade header.", { status: 400 }));
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    this.#responses.add(response);
    if (this.isClosing) endConnectionAfter(response);
    response.once("close", () => this.#responses.delete(response));
    response.once("finish", () => {
      if (!request.complete) this.#linger(request);
    });
    if (this.#options.isUpload?.(request) === false) this.#boundArrival(request);
  }

  #boundArrival(request: IncomingMessage): void {
    const { env, bounds } = this.#options;
    const cut = () => {
      if (!request.complete) request.socket.destroy();
    };
    const timer = env.setTimeout(cut, bounds.requestMsMax);
    request.once("close", () => env.clearTimeout(timer));
  }

  /** Closing at once would reset the connection under bytes that are on their way, and the answer would be lost with it. */
  #linger({ socket }: IncomingMessage): void {
    const { env, bounds } = this.#options;
    const timer = env.setTimeout(() => socket.destroy(), bounds.lingerMs);
    socket.once("close", () => env.clearTimeout(timer));
    socket.end();
  }
}

function endConnectionAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("connection", "close");
}
