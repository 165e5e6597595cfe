// Owns: the shapes of what workerd hands to a Durable Object, as far as Plasma uses it.
// Structural on purpose: @cloudflare/workers-types would put a second set of web globals beside the DOM's.

import type { DurableObjectStorageLike } from "../database/from-durable-object.ts";

/** A WebSocket whose object may be evicted while it stays open. */
export interface HibernatingSocket {
  send(message: string): void;
  close(code?: number, reason?: string): void;
  /** Kept with the socket, at most 16 KB (older runtimes: 2 KB). */
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** A Durable Object's `ctx`. */
export interface ObjectContext {
  readonly storage: DurableObjectStorageLike & {
    getAlarm(): Promise<number | null>;
    setAlarm(atMs: number): Promise<void>;
  };
  waitUntil(promise: Promise<unknown>): void;
  acceptWebSocket(socket: HibernatingSocket): void;
  getWebSockets(): HibernatingSocket[];
  setWebSocketAutoResponse(pair?: object): void;
  /** When the runtime last answered a ping by itself. */
  getWebSocketAutoResponseTimestamp(socket: HibernatingSocket): Date | null;
}
