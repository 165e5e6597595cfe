// Owns: the contract of an operator of the incremental pipeline.
// Invariants:
//   1. `hydrate` is async: a source may have to load cold rows first. `push` is synchronous: everything it needs is there.
//   2. During one commit all sources already hold the new rows; an operator gets consolidated changes (at most one per
//      key) and derives the state before from `before` images, never from a source.
//   3. The work of `push` is O(log n + output changes) per change.

import type { Row } from "../../core/schema/value.ts";

/** A row of a joined query: one slot per source of the query, null on the empty side of an outer join. */
export type Tuple = readonly (Row | null)[];

/** One change of an operator's output. Never both null. */
export interface TupleChange {
  readonly before: Tuple | null;
  readonly after: Tuple | null;
}

export interface Operator {
  /** Makes cold inputs available. Resolves at once when everything is in memory. */
  hydrate(): Promise<void>;
  /** The operator's rows in the query's order, pulled lazily: asking for ten touches about ten. Only after `hydrate`. */
  pull(): Iterable<Tuple>;
  /** Maintains under one commit and returns the net changes of its output. */
  push(changes: readonly TupleChange[], slot: number): readonly TupleChange[];
}
