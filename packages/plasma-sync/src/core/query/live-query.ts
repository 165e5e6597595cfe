// Owns: the interface of a live query. The client implements it.

import type { SelectNode } from "./ast.ts";

/** `loading`: nothing delivered yet · `partial`: rows may be missing, the first sync runs · `complete`. */
export type LiveQueryStatus = "loading" | "partial" | "complete";

/** What changed between two deliveries. `changed` pairs the row before with the row now. */
export interface LiveDelta<R> {
  readonly added: readonly R[];
  readonly removed: readonly R[];
  readonly changed: readonly { readonly before: R; readonly after: R }[];
}

export interface LiveQuery<R> {
  readonly ast: SelectNode;
  readonly status: LiveQueryStatus;
  /**
   * Calls `listener` with the rows once they are there and then once per commit that changed them, synchronously at the
   * commit's end. Rows that did not change keep their identity. Also called when only `status` changed. Returns unsubscribe.
   */
  subscribe(listener: (rows: readonly R[]) => void): () => void;
  /** Like `subscribe`, with what changed; the first delivery has the whole window as `added`. */
  subscribeDelta(listener: (delta: LiveDelta<R>) => void): () => void;
  /** Resolves with the rows at the first delivery; starts the query if nobody has subscribed. */
  whenReady(): Promise<readonly R[]>;
}
