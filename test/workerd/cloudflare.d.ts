// The two virtual modules that workerd tests import, as far as tests use them.
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
  export const env: {
    DB: {
      prepare(sql: string): D1Statement;
      batch(statements: D1Statement[]): Promise<Awaited<ReturnType<D1Statement["all"]>>[]>;
      exec(sql: string): Promise<{ count: number; duration: number }>;
    };
  };
}

declare module "cloudflare:test" {
  /** Empties every binding's storage; call it between tests, as storage is isolated per file only. */
  export function reset(): Promise<void>;
}
