// Owns: `createQueryRuntime`, which puts sources, selects and live queries together.

import { must } from "../../core/lib/assert.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { LiveQueries } from "./live-queries.ts";
import { MemorySource } from "./memory-source.ts";
import type { Batch, EntryChange, Operator } from "./operator.ts";
import { OverlaidSource } from "./overlaid-source.ts";
import { planQuery } from "./plan.ts";
import type { Overlay, QueryRuntime } from "./query-runtime.ts";
import { RowOperator } from "./row-operator.ts";
import type { RowChange, RowReader } from "./source.ts";
import { TupleOperator } from "./tuple-operator.ts";

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
  const operatorOf = (query: SelectNode, reader: (table: string) => RowReader): Operator<unknown> => {
    const plan = planQuery(query, schema);
    const meta = metaOf(query.from.table);
    const isPlain = query.joins.length === 0 && query.projection === null;
    const operator = isPlain
      ? new RowOperator(plan, meta, reader(query.from.table))
      : new TupleOperator(plan, meta, plan.tables.map(reader));
    // Entries are the operator's own: nobody else makes or reads them.
    return operator as unknown as Operator<unknown>;
  };
  const live = new LiveQueries({
    operatorOf: (query) => operatorOf(query, source),
    onError: options.onError ?? throwLater,
  });

  return {
    source,
    work,
    select: (query, overlay) => select(query, operatorOf(query, readerOver(overlay, source, metaOf))),
    live: (query) => live.create(query),
    fill: (table, rows) => source(table).fill(rows),
    setStatus: (status) => live.setStatus(status),
    commit: (changes) => live.push(applyCommit(changes, source, metaOf)),
  };
}

/** Runs a select once. */
function select<E>(query: SelectNode, operator: Operator<E>): readonly ResultRow[] {
  const { offset, limit } = query;
  const end = limit === null ? Infinity : offset + limit;
  const entries: E[] = [];
  if (end > offset) {
    for (const entry of operator.pull(null)) {
      entries.push(entry);
      if (operator.isOrdered && entries.length >= end) break;
    }
  }
  if (!operator.isOrdered) entries.sort(operator.compare);
  return operator.resultsOf(entries.slice(offset, end));
}

type SourceOf = (table: string) => MemorySource;
type MetaOf = (table: string) => TableMeta;

/** What a transaction reads through. */
function readerOver(overlay: Overlay | undefined, source: SourceOf, metaOf: MetaOf): (table: string) => RowReader {
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
function applyCommit(changes: readonly RowChange[], source: SourceOf, metaOf: MetaOf): Batch {
  const byTable = new Map<string, EntryChange<Row>[]>();
  for (const [table, list] of Map.groupBy(changes, (change) => change.table)) {
    const applied = source(table).apply(list);
    if (applied.length > 0) byTable.set(table, applied);
  }
  const readers = new Map<string, RowReader>();
  return {
    changes: byTable,
    before(table) {
      let reader = readers.get(table);
      if (reader === undefined)
        readers.set(table, (reader = readerBefore(byTable.get(table), source(table), metaOf(table))));
      return reader;
    },
  };
}

function readerBefore(
  changes: readonly EntryChange<Row>[] | undefined,
  source: MemorySource,
  meta: TableMeta,
): RowReader {
  if (changes === undefined) return source;
  const rows = new Map(changes.map(({ before, after }) => [(before ?? after)?.["id"] as string, before]));
  return new OverlaidSource(meta, source, rows);
}

const throwLater = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });
