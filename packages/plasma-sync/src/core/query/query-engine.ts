// Owns: the seam between the builder and whatever executes queries: a mutator's transaction, the client's view, the server.

import type { ResultRow, SelectNode, WriteNode } from "./ast.ts";
import type { LiveQuery } from "./live-query.ts";

export interface QueryEngine {
  /** Runs a select on one consistent state. */
  select(query: SelectNode): Promise<readonly ResultRow[]>;
  /** Runs a write, whole or not at all. Throws `client/write-outside-mutator` where only reading is allowed. */
  write(statement: WriteNode): Promise<void>;
  /** Makes a live query, not yet started. Absent where nothing can be live (mutators, server). */
  live?(query: SelectNode): LiveQuery<ResultRow>;
  /** Says how a select is executed, and runs it once to count. Absent where nothing can say. */
  explain?(query: SelectNode): QueryExplanation;
}

/** How a select is executed on the device. */
export interface QueryExplanation {
  /** Where each source's rows come from, nested selects indented. Words for people: they may change. */
  readonly steps: readonly string[];
  readonly resultRows: number;
  /** Rows and index entries touched to get them, indexes being there. */
  readonly rowsTouched: number;
}
