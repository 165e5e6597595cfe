// What Plasma uses of the module that only workerd has. Not shipped: an app's own types (`wrangler types`) declare it there.
// Structural on purpose: @cloudflare/workers-types would put a second set of web globals beside the DOM's.

declare module "cloudflare:workers" {
  /** A WebSocket whose object may be evicted while it stays open. */
  interface HibernatingSocket {
    send(message: string): void;
    close(code?: number, reason?: string): void;
    /** Kept with the socket, at most 2 KB. */
    serializeAttachment(value: unknown): void;
    deserializeAttachment(): unknown;
  }

  interface DurableObjectContext {
    readonly storage: {
      readonly sql: { exec(query: string, ...bindings: unknown[]): { toArray(): unknown[] } };
      transactionSync<T>(closure: () => T): T;
    };
    waitUntil(promise: Promise<unknown>): void;
    acceptWebSocket(socket: HibernatingSocket, tags?: string[]): void;
    getWebSockets(tag?: string): HibernatingSocket[];
    setWebSocketAutoResponse(pair?: object): void;
  }

  export abstract class DurableObject<Env = unknown> {
    protected readonly ctx: DurableObjectContext;
    protected readonly env: Env;
    constructor(ctx: DurableObjectContext, env: Env);
  }
}
