// Owns: the contract between the query side and whoever reads rows of cold tables from disk (`replica/cold-tables.ts`).

import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { ColdOrder, ColdWindow } from "../store/store.ts";
import type { EarlyRun } from "./live-queries.ts";
import type { MemorySource } from "./memory-source.ts";
import type { Overlay, Work } from "./source.ts";

/** What early queries run on. */
export interface EarlyDeps {
  readonly schema: AnySchema;
  readonly source: (table: string) => MemorySource;
  readonly work: Work;
}

/** How rows come that lie on disk. Each sees to it that what it asks for is filled in, and rejects when it cannot. */
export interface ColdReads {
  /** These rows are known. */
  byID(table: string, ids: readonly string[]): Promise<void>;
  /** A piece of an order is known; null where the disk does not serve it. */
  window(table: string, order: ColdOrder): Promise<ColdWindow | null>;
  /** Resolves when these tables are warm; they come before others. */
  whenWarm(tables: readonly string[]): Promise<void>;
  /** The query on the rows that it needs; null where it needs whole tables. */
  startEarly(query: SelectNode, deps: EarlyDeps): EarlyRun | null;
  runEarly(query: SelectNode, overlay: Overlay | undefined, deps: EarlyDeps): Promise<readonly ResultRow[] | null>;
}
