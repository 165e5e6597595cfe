// Owns: the seam between a mutator's statements (planned in core) and the side that holds rows (client replica, server SQL).
// Invariants:
//   1. `select` sees every earlier `write` of the same mutation, on every engine.
//   2. `write` gets complete rows: defaults filled, checked, cascades and unique look-ups already planned by core.
//   3. Nothing is visible outside, or kept after a throw, before the whole mutation has ended.

import type { ResultRow, SelectNode } from "../query/ast.ts";
import type { Row } from "../schema/value.ts";

/** One row's change. Never both null. `before` is the row as the mutation saw it. */
export interface RowWrite {
  readonly table: string;
  readonly id: string;
  readonly before: Row | null;
  readonly after: Row | null;
}

export interface MutationStore {
  /** Runs a select on the state that this mutation sees. */
  select(query: SelectNode): Promise<readonly ResultRow[]>;
  /** The rows of `table` with these ids, in any order; absent ones are left out. */
  getMany(table: string, ids: readonly string[]): Promise<readonly Row[]>;
  /** Whether statements on that table do nothing here. Absent: none is left out. */
  leavesOut?(table: string): boolean;
  /** Applies the writes in order. */
  write(writes: readonly RowWrite[]): Promise<void>;
}
