// What Plasma uses of the module that only workerd has. Not shipped: an app's own types (`wrangler types`) declare it there.

declare module "cloudflare:workers" {
  // oxlint-disable-next-line typescript/consistent-type-imports -- the declaration of a module may not import by a path
  type ObjectContext = import("./object-context.ts").ObjectContext;
  // oxlint-disable-next-line typescript/consistent-type-imports -- as above
  type HibernatingSocket = import("./object-context.ts").HibernatingSocket;

  export abstract class DurableObject<Env = unknown> {
    protected readonly ctx: ObjectContext;
    protected readonly env: Env;
    constructor(ctx: ObjectContext, env: Env);
    fetch?(request: Request): Response | Promise<Response>;
    alarm?(): void | Promise<void>;
    webSocketMessage?(socket: HibernatingSocket, message: string | ArrayBuffer): void | Promise<void>;
    webSocketClose?(socket: HibernatingSocket, code: number, reason: string, wasClean: boolean): void | Promise<void>;
    webSocketError?(socket: HibernatingSocket, error: unknown): void | Promise<void>;
  }
}
