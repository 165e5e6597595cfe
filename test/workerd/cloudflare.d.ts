// The two virtual modules that workerd tests import, as far as tests use them; what the library itself uses of
// "cloudflare:workers" stands in its server/cloudflare.
// Structural on purpose: @cloudflare/workers-types would put a second set of web globals beside the DOM's.

declare module "cloudflare:workers" {
  interface D1Statement {
    bind(...values: unknown[]): D1Statement;
    all<Row = Record<string, unknown>>(): Promise<{
      results: Row[];
      success: boolean;
      meta: { changes: number; [key: string]: unknown };
    }>;
    first<Row = Record<string, unknown>>(): Promise<Row | null>;
    run(): Promise<{ results: never[]; success: boolean; meta: { changes: number; [key: string]: unknown } }>;
    raw<Row = unknown[]>(options?: { columnNames?: boolean }): Promise<Row[]>;
  }
  interface ObjectStub {
    fetch(request: Request): Promise<Response>;
  }
  interface ObjectNamespace {
    newUniqueId(): object;
    idFromName(name: string): object;
    get(id: object): ObjectStub;
  }
  interface R2BucketOfTests {
    put(
      key: string,
      value: ReadableStream<Uint8Array> | string,
      options?: { readonly sha256: string },
    ): Promise<unknown>;
    get(
      key: string,
      options?: { readonly range?: { offset: number; length: number } },
    ): Promise<{ readonly size: number; readonly body: unknown } | null>;
    head(key: string): Promise<{ readonly size: number } | null>;
    delete(keys: string[]): Promise<void>;
    list(options: { readonly prefix: string; readonly limit: number; readonly cursor?: string }): Promise<{
      readonly objects: readonly { readonly key: string }[];
      readonly truncated: boolean;
      readonly cursor?: string;
    }>;
  }
  export const env: {
    DB: {
      prepare(sql: string): D1Statement;
      batch(statements: D1Statement[]): Promise<Awaited<ReturnType<D1Statement["all"]>>[]>;
      exec(sql: string): Promise<{ count: number; duration: number }>;
    };
    FILES: R2BucketOfTests;
    OBJECT: ObjectNamespace;
    NOTES: ObjectNamespace;
    TEAM: ObjectNamespace;
    PHOTOS: ObjectNamespace;
    COORDINATOR: ObjectNamespace;
  };
}

declare module "cloudflare:test" {
  import type { ObjectContext, ObjectStub } from "cloudflare:workers";

  /** Empties every binding's storage; call it between tests, as storage is isolated per file only. */
  export function reset(): Promise<void>;
  /** Runs `callback` inside the object, with its instance and its `ctx`. */
  export function runInDurableObject<T>(
    stub: ObjectStub,
    callback: (instance: object, state: ObjectContext) => T | Promise<T>,
  ): Promise<T>;
  /** Takes the object out of memory; its storage and its hibernating sockets stay. */
  export function evictDurableObject(stub: ObjectStub): Promise<void>;
}
