// Owns: `createQueryRuntime`, which puts sources, selects and live queries together.

import { must } from "../../core/lib/assert.ts";
import type { SelectNode } from "../../core/query/ast.ts";
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
import type { Overlay, QueryRuntime } from "./query-runtime.ts";
import type { Batch, EntryChange } from "./relation.ts";
import { keyColumnOf, type RowChange, type RowReader, type State } from "./source.ts";

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
  const live = new LiveQueries({
    start: (query) => start(query, schema, derived),
    onError: options.onError ?? throwLater,
  });

  return {
    source,
    work,
    select: (query, overlay) => {
      const context = contextOf(schema, readerOver(overlay, source, metaOf), work);
      return new QueryNode(planQuery(query, schema), context).open([]).rows();
    },
    explain: (query) => {
      const run = () => new QueryNode(planQuery(query, schema), contextOf(schema, source, work)).open([]).rows();
      // The first run builds the indexes.
      run();
      const before = work.rows;
      const resultRows = run().length;
      return { steps: explainPlan(planQuery(query, schema)), resultRows, rowsTouched: work.rows - before };
    },
    live: (query) => live.create(query),
    fill: (table, rows) => source(table).fill(rows),
    setStatus: (status) => live.setStatus(status),
    commit: (changes, status) => {
      const { batch, byTable } = applyCommit(changes, source, metaOf, derived);
      if (byTable.size > 0) derived.push(batch, byTable);
      live.push(batch, status);
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
