// Owns: RowOperator, for selects of whole rows of one table: source rows are the entries and the results.

import type { ColumnNode, ResultRow } from "../../core/query/ast.ts";
import { must } from "../../core/lib/assert.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { Batch, EntryChange, Operator } from "./operator.ts";
import type { Access, QueryPlan } from "./plan.ts";
import { createRowOrder, indexSpec } from "./row-order.ts";
import type { OrderedIndex, RowReader } from "./source.ts";

export class RowOperator implements Operator<Row> {
  readonly isOrdered: boolean;
  readonly compare: (a: Row, b: Row) => number;
  readonly #plan: QueryPlan;
  readonly #reader: RowReader;

  constructor(plan: QueryPlan, meta: TableMeta, reader: RowReader) {
    const { orderBy } = plan.query;
    this.#plan = plan;
    this.#reader = reader;
    this.isOrdered = plan.access.type === "ordered";
    this.compare = createRowOrder(
      meta,
      indexSpec(orderBy.map(({ column, direction }) => ({ column: (column as ColumnNode).column, direction }))),
    ).compare;
  }

  keyOf(entry: Row): string {
    return entry["id"] as string;
  }

  resultOf(entry: Row): ResultRow {
    return entry;
  }

  resultsOf(entries: Row[]): readonly ResultRow[] {
    return entries;
  }

  keepResult(before: Row, after: Row): boolean {
    return before === after;
  }

  *pull(from: Row | null): Iterable<Row> {
    const { access } = this.#plan;
    for (const row of rowsOf(access, this.#reader, from)) if (this.#passes(row)) yield row;
  }

  *push(batch: Batch): Iterable<EntryChange<Row>> {
    const table = must(this.#plan.tables[0], "row operator: a query has a table");
    for (const { before, after } of batch.changes.get(table) ?? []) {
      const was = before !== null && this.#passes(before);
      const is = after !== null && this.#passes(after);
      if (was || is) yield { before: was ? before : null, after: is ? after : null };
    }
  }

  #passes(row: Row): boolean {
    const filter = this.#plan.filters[0];
    return filter === null || filter === undefined || filter([row]);
  }
}

/** Rows of a query's first source, by its access path; see `Operator.pull` for `from`. */
export function rowsOf(access: Access, reader: RowReader, from: Row | null): Iterable<Row> {
  switch (access.type) {
    case "ids":
      return access.ids.map((id) => reader.get(id)).filter((row) => row !== undefined);
    case "lookup":
      return lookedUp(reader.index(access.spec), access.prefixes);
    case "ordered":
      return reader.index(access.spec).rows(access.prefix, from ?? undefined);
    default:
      return reader.rows();
  }
}

function* lookedUp(index: OrderedIndex, prefixes: readonly (readonly Value[])[]): Iterable<Row> {
  for (const prefix of prefixes) yield* index.rows(prefix);
}
