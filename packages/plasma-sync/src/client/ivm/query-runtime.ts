// Owns: the contract between the replica and the query side: sources, one-shot selects, live queries.
// (Implementation: create-query-runtime.ts.)

import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { QueryExplanation } from "../../core/query/query-engine.ts";
import type { LiveQuery, LiveQueryStatus } from "../../core/query/live-query.ts";
import type { Row } from "../../core/schema/value.ts";
import type { ColdReads } from "./cold-reads.ts";
import type { Overlay, RowChange, TableSource } from "./source.ts";

export interface QueryRuntime {
  source(table: string): TableSource;
  /**
   * Runs a select on the sources as `overlay` changes them. Pinned ids and equality on the first columns of an index,
   * ref or unique column are looked up; `orderBy` + `limit` walk an index; anything else scans.
   */
  select(query: SelectNode, overlay?: Overlay): readonly ResultRow[];
  /** As `select`, where rows may lie on disk: waits for those that it needs. */
  read(query: SelectNode, overlay?: Overlay): Promise<readonly ResultRow[]>;
  /** Says how a select is executed, and runs it to count. */
  explain(query: SelectNode): QueryExplanation;
  /** Makes a live query; equal queries may share a pipeline. */
  live(query: SelectNode): LiveQuery<ResultRow>;
  /**
   * Applies one commit: all sources, then all pipelines, then at most one delivery per live query. Listeners run last;
   * one that throws does not keep the others from theirs (the error is rethrown asynchronously, or given to `onError`).
   * `status`, when given, takes effect with the same delivery; while rows are loading it does not start queries.
   * `warmed`: tables of which all rows are here with this commit.
   */
  commit(changes: readonly RowChange[], status?: LiveQueryStatus, warmed?: readonly string[]): void;
  /** Fills sources without delivering: at start, then `setStatus` starts the waiting queries; later rows of cold tables. */
  fill(table: string, rows: readonly Row[]): void;
  /** These tables have rows on disk that are not here, as yet. */
  cool(tables: readonly string[], reads: ColdReads): void;
  /** Sees to it that these rows are known. */
  fetch(table: string, ids: readonly string[]): Promise<void>;
  /** The disk has no rows of these ids. */
  miss(table: string, ids: readonly string[]): void;
  /** "loading" until the replica is loaded; then "partial" while the first sync runs, then "complete". Delivers. */
  setStatus(status: LiveQueryStatus): void;
  /** Rows and index entries touched since the start, for tests and `explain`. */
  readonly work: { rows: number };
}
