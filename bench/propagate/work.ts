// Owns: the work of `propagate`, the same for page and server: one row per sample, whose arrival elsewhere is waited for.

import { defineMutators, defineSchema, id, int, table, type MutatorInput } from "plasma-sync/core";

export const pings = table("pings", { id: id(), n: int() });
export const schema = defineSchema({ pings });
export const mutators = defineMutators<typeof schema, null>()({
  ping: async ({ db, args, newId }: MutatorInput<typeof schema, null, { n: number }>) => {
    await db.insert(pings).values({ id: newId(), n: args.n });
  },
});

/** How a page learns of others. */
export type Way = "socket" | "poll" | "bare socket" | "bare channel";

export interface OpenRequest {
  readonly way: Way;
  /** Names the person, and with it the database in the browser. */
  readonly user: string;
  readonly relayPort: number;
  readonly pollIntervalMs: number;
}

/** What a page offers to run.ts, as `window.bench`. Times are milliseconds since the epoch, of a clock that steps finely. */
export interface PageBench {
  open(request: OpenRequest): Promise<void>;
  /** Sends number `n`; when it was sent. */
  send(n: number): number;
  /** When number `n` of another page was delivered. */
  arrived(n: number): Promise<number>;
  /** Resolves when the server has confirmed everything and no request runs. */
  idle(): Promise<void>;
  /** Every number that the page holds, in order. */
  numbers(): Promise<readonly number[]>;
  close(): Promise<void>;
}

declare global {
  interface Window {
    bench: PageBench;
  }
}
