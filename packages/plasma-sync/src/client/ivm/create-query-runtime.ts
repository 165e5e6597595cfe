// Owns: `createQueryRuntime`, which puts sources, selects and live queries together.

import { must } from "../../core/lib/assert.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { contextOf, DerivedTables } from "./derived-tables.ts";
import { explainPlan } from "./explain.ts";
import { LiveQueries, type RunningQuery } from "./live-queries.ts";
import { MemorySource } from "./memory-source.ts";
import { OverlaidSource } from "./overlaid-source.ts";
import { QueryNode } from "./pipeline.ts";
import { planQuery } from "./plan.ts";
import type { ColdReads } from "./cold-reads.ts";
import type { QueryRuntime } from "./query-runtime.ts";
import type { Batch, EntryChange } from "./relation.ts";
import { keyColumnOf, type Overlay, type RowChange, type RowReader, type State, type Work } from "./source.ts";

/**
 * Makes the query side of a replica, empty and "loading". What a listener throws goes to `onError`; without one it is
 * thrown again outside the commit.
 */
export function createQueryRuntime(options: {
  readonly schema: AnySchema;
  readonly onError?: (error: unknown) => void;
}): QueryRuntime {
  const { schema } = options;
  const work = { rows: 0 };
  const sources = new Map([...schema.tablesByName].map(([name, meta]) => [name, new MemorySource(meta, work)]));
  const source = (table: string): MemorySource =>
    must(sources.get(table), "query runtime: the builder refuses unknown tables");
  const metaOf = (table: string): TableMeta =>
    must(schema.tablesByName.get(table), "query runtime: the builder refuses unknown tables");
  const derived = new DerivedTables(schema, (table) => derived.get(table)?.source ?? source(table), work);
  let reads: ColdReads | null = null;
  const isCold = (tables: readonly string[]) => reads !== null && tables.some((table) => source(table).isCold);
  const deps = { schema, source, work };
  const live = new LiveQueries({
    start: (query) => start(query, schema, derived),
    isCold,
    early: (query) => reads?.startEarly(query, deps) ?? null,
    // Whoever reads the disk tells when it cannot.
    want: (tables) => void reads?.whenWarm(tables).catch(() => undefined),
    onError: options.onError ?? throwLater,
  });

  const select: QueryRuntime["select"] = (query, overlay) => {
    const context = contextOf(schema, readerOver(overlay, source, metaOf), work);
    return new QueryNode(planQuery(query, schema), context).open([]).rows();
  };

  return {
    source,
    work,
    select,
    read: async (query, overlay) => {
      const tables = tablesOf(query);
      const rows = isCold(tables) ? await reads?.runEarly(query, overlay, deps) : null;
      if (!rows && isCold(tables)) await reads?.whenWarm(tables);
      return rows ?? select(query, overlay);
    },
    explain: (query) => ({ steps: explainPlan(planQuery(query, schema)), ...measured(work, () => select(query)) }),
    live: (query) => live.create(query),
    fill: (table, rows) => source(table).fill(rows),
    setStatus: (status) => live.setStatus(status),
    cool: (tables, from) => {
      reads = from;
      for (const table of tables) source(table).cool();
    },
    fetch: async (table, ids) => reads?.byID(table, ids),
    miss: (table, ids) => source(table).miss(ids),
    commit: (changes, status, warmed = []) => {
      const { batch, byTable } = applyCommit(changes, source, metaOf, derived);
      if (byTable.size > 0) derived.push(batch, byTable);
      for (const table of warmed) source(table).warm();
      live.push(batch, status);
      if (warmed.length > 0) live.warmed();
    },
  };
}

function start(query: SelectNode, schema: AnySchema, derived: DerivedTables): RunningQuery {
  const holder = derived.hold();
  const node = new QueryNode(planQuery(query, schema), holder.context);
  const pipeline = node.open([]);
  return {
    node,
    pipeline,
    stop: () => {
      pipeline.close();
      holder.release();
    },
  };
}

function measured(work: Work, run: () => readonly ResultRow[]): { resultRows: number; rowsTouched: number } {
  // The first run builds the indexes.
  run();
  const before = work.rows;
  const resultRows = run().length;
  return { resultRows, rowsTouched: work.rows - before };
}

type SourceOf = (table: string) => MemorySource;
type MetaOf = (table: string) => TableMeta;

/** What a transaction reads through. */
function readerOver(overlay: Overlay | undefined, source: SourceOf, metaOf: MetaOf): State {
  const readers = new Map<string, RowReader>();
  return (table) => {
    const known = readers.get(table);
    if (known !== undefined) return known;
    const rows = overlay?.get(table);
    const reader =
      rows === undefined || rows.size === 0 ? source(table) : new OverlaidSource(metaOf(table), source(table), rows);
    readers.set(table, reader);
    return reader;
  };
}

/** Applies the changes to all sources. What the batch says of the state before is made of the rows that were there. */
function applyCommit(
  changes: readonly RowChange[],
  source: SourceOf,
  metaOf: MetaOf,
  derived: DerivedTables,
): { batch: Batch; byTable: Map<string, readonly EntryChange<Row>[]> } {
  const byTable = new Map<string, readonly EntryChange<Row>[]>();
  const [first] = changes;
  const lists =
    changes.length === 1 && first !== undefined
      ? [[first.table, changes] as const]
      : Map.groupBy(changes, (change) => change.table);
  for (const [table, list] of lists) {
    const applied = source(table).apply(list);
    if (applied.length > 0) byTable.set(table, applied);
  }
  const readers = new Map<string, RowReader>();
  const batch: Batch = {
    changes: byTable,
    before(table) {
      let reader = readers.get(table);
      if (reader === undefined) {
        const { source: now, meta } = derived.get(table) ?? { source: source(table), meta: metaOf(table) };
        readers.set(table, (reader = readerBefore(byTable.get(table), now, meta)));
      }
      return reader;
    },
  };
  return { batch, byTable };
}

function readerBefore(
  changes: readonly EntryChange<Row>[] | undefined,
  source: MemorySource,
  meta: TableMeta,
): RowReader {
  if (changes === undefined) return source;
  const rows = new Map(changes.map(({ before, after }) => [(before ?? after)?.[keyColumnOf(meta)] as string, before]));
  return new OverlaidSource(meta, source, rows);
}

const throwLater = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });
