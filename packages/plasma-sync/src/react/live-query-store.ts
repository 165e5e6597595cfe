// Owns: LiveQueryStore, what one component shows of its live query, for `useSyncExternalStore`.
// Invariants:
//   1. It changes only by `connect` (in React's commit phase) and by deliveries: rendering has no effect on it.
//   2. Rows stay until the next query has delivered, so that changed deps never show an empty list.
//   3. `result` and `result.rows` keep their identity until the status or a row differs.

import type { LiveQuery, LiveQueryStatus } from "../core/query/live-query.ts";

export interface LiveQueryResult<R> {
  /** In the query's order. Until the first delivery: those of the query before, or none. */
  readonly rows: readonly R[];
  /** `loading` until the query has delivered, `partial` while the first sync runs, `off` when the factory gave null. */
  readonly status: LiveQueryStatus | "off";
}

const NO_ROWS: readonly never[] = Object.freeze([]);
/** Shown before the first delivery. */
export const LOADING: LiveQueryResult<never> = Object.freeze({ rows: NO_ROWS, status: "loading" });
/** Shown while there is no query. */
export const OFF: LiveQueryResult<never> = Object.freeze({ rows: NO_ROWS, status: "off" });

export class LiveQueryStore<R> {
  #result: LiveQueryResult<R> = LOADING;
  readonly #listeners = new Set<() => void>();

  get result(): LiveQueryResult<R> {
    return this.#result;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Shows `live` from now on; what it delivers within this call is there when it returns. Returns disconnect. */
  connect(live: LiveQuery<R> | null): () => void {
    if (live === null) {
      this.#show(OFF);
      return () => undefined;
    }
    let isConnected = true;
    const unsubscribe = live.subscribe((rows) => {
      if (isConnected) this.#show({ rows, status: live.status });
    });
    if (live.status === "loading") this.#show({ rows: this.#result.rows, status: "loading" });
    return () => {
      isConnected = false;
      unsubscribe();
    };
  }

  #show(next: LiveQueryResult<R>): void {
    const { rows, status } = this.#result;
    const sameRows = areSame(rows, next.rows);
    if (sameRows && status === next.status) return;
    this.#result = { rows: sameRows ? rows : next.rows, status: next.status };
    for (const listener of this.#listeners) listener();
  }
}

function areSame<R>(a: readonly R[], b: readonly R[]): boolean {
  return a === b || (a.length === b.length && a.every((row, i) => row === b[i]));
}
