// Owns: RowRelation, for selects of whole rows of one table: source rows are the entries and the results.

import { must } from "../../core/lib/assert.ts";
import type { ColumnNode } from "../../core/query/ast.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { visitRows, type PlannedSource } from "./plan-access.ts";
import type { QueryPlan } from "./plan.ts";
import type { Batch, EntryChange, Place, Relation } from "./relation.ts";
import { createRowOrder, indexSpec } from "./row-order.ts";
import type { Visit } from "./source.ts";

/** Whether a plan's entries can be rows. */
export const isRowPlan = ({ query, outer, sources, subqueries }: QueryPlan): boolean =>
  outer.length === 0 &&
  sources.length === 1 &&
  sources[0]?.query === null &&
  subqueries.length === 0 &&
  query.projection === null &&
  query.includes.length === 0;

export class RowRelation implements Relation<Row> {
  readonly isOrdered: boolean;
  readonly compare: (a: Row, b: Row) => number;
  readonly #plan: QueryPlan;
  readonly #source: PlannedSource;

  constructor(plan: QueryPlan) {
    this.#plan = plan;
    this.#source = must(plan.sources[0], "row relation: a query has a source");
    this.isOrdered = plan.access.type === "ordered";
    const columns = plan.query.orderBy.map(({ column, direction }) => ({
      column: (column as ColumnNode).column,
      direction,
    }));
    this.compare = createRowOrder(this.#source.meta, indexSpec(columns)).compare;
  }

  keyOf(entry: Row): string {
    return entry["id"] as string;
  }

  slotsOf(entry: Row): Slots {
    return [entry];
  }

  pull({ outer, state }: Place, from: Row | null, visit: Visit<Row>): void {
    visitRows(this.#plan.access, state(this.#source.table), {
      outer,
      from,
      visit: (row) => !this.#passes(row) || visit(row),
    });
  }

  push(batch: Batch): EntryChange<Row>[] {
    const changes: EntryChange<Row>[] = [];
    for (const { before, after } of batch.changes.get(this.#source.table) ?? []) {
      const was = before !== null && this.#passes(before);
      const is = after !== null && this.#passes(after);
      if (was || is) changes.push({ before: was ? before : null, after: is ? after : null });
    }
    return changes;
  }

  bind(entry: Row): Row {
    return entry;
  }

  linkValue(): Value {
    return null;
  }

  #passes(row: Row): boolean {
    const filter = this.#plan.filters[0];
    return filter === null || filter === undefined || filter([row]);
  }
}
