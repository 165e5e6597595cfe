// Owns: TupleRelation, for selects with joins, a projection, subqueries, or a query around: entries are tuples of rows with
// the result that is made of them.

import { must } from "../../core/lib/assert.ts";
import type { ResultRow } from "../../core/query/ast.ts";
import { slotScope, type Slots } from "../../core/query/predicate.ts";
import { compareBy } from "../../core/query/result-shape.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { JoinChain } from "./join-chain.ts";
import { visitRows } from "./plan-access.ts";
import type { QueryPlan } from "./plan.ts";
import type { Batch, Context, EntryChange, Place, Relation } from "./relation.ts";
import { createRowOrder } from "./row-order.ts";
import type { Visit } from "./source.ts";
import { SubqueryFilter } from "./subquery-filter.ts";
import { createTupleKey } from "./tuple-changes.ts";

export interface TupleEntry {
  readonly key: string;
  readonly rows: Slots;
  /** Made when it is first shown. */
  result: ResultRow | null;
  /** Windows of nested results, by include; null while the entry is not shown. Their owner alone knows what they are. */
  children: readonly unknown[] | null;
}

export class TupleRelation implements Relation<TupleEntry> {
  readonly isOrdered: boolean;
  readonly #plan: QueryPlan;
  readonly #context: Context;
  readonly #chain: JoinChain;
  readonly #isSingle: boolean;
  readonly #subqueries: SubqueryFilter | null;
  readonly #boundSubqueries: SubqueryFilter | null;
  readonly #tupleKey: (tuple: Slots) => string;
  readonly #compareRows: (a: Slots, b: Slots) => number;
  readonly #compareFirst: ((a: Row, b: Row) => number) | null;

  constructor(plan: QueryPlan, context: Context) {
    const { access, names, sources, outer } = plan;
    const [first] = sources;
    this.#plan = plan;
    this.#context = context;
    for (const { table, query } of sources) if (query !== null) context.derive(table, query);
    this.#chain = new JoinChain(plan);
    this.#isSingle = sources.length === 1;
    this.#subqueries = plan.subqueries.length === 0 ? null : new SubqueryFilter(plan.subqueries, plan, context);
    this.#boundSubqueries =
      plan.boundSubqueries.length === 0 ? null : new SubqueryFilter(plan.boundSubqueries, plan, context);
    this.#tupleKey = createTupleKey(sources, outer.length);
    this.isOrdered = access.type === "ordered";
    this.#compareRows = compareBy(
      plan.query.orderBy.filter(({ column }) => column.type === "column"),
      slotScope(names),
    );
    this.#compareFirst =
      access.type === "ordered" && first !== undefined ? createRowOrder(first.meta, access.spec).compare : null;
  }

  readonly compare = (a: TupleEntry, b: TupleEntry): number => {
    if (a === b) return 0;
    const order = this.#compareRows(a.rows, b.rows);
    // Rows of subqueries may be equal in all they show.
    return order !== 0 || a.key === b.key ? order : a.key < b.key ? -1 : 1;
  };

  keyOf(entry: TupleEntry): string {
    return entry.key;
  }

  slotsOf(entry: TupleEntry): Slots {
    return entry.rows;
  }

  pull(place: Place, from: TupleEntry | null, visit: Visit<TupleEntry>): void {
    const { access, sources, link, outer } = this.#plan;
    // Nothing equals null.
    if (link !== null && link.readOuter(place.outer) === null) return;
    const { table } = must(sources[0], "tuple relation: a query has a source");
    let isWanted = true;
    const show = (rows: Slots): boolean => (isWanted &&= !this.#passes(rows, place) || visit(this.#entryOf(rows)));
    visitRows(access, place.state(table), {
      outer: place.outer,
      from: from?.rows[outer.length] ?? null,
      visit: (row) => {
        if (this.#isSingle) {
          const rows = [...place.outer, row];
          return !this.#passesFilter(rows) || show(rows);
        }
        const tuples = this.#chain.tuplesOf(row, place.outer, place.state);
        // Exactly in the order of `compare`: what is pulled later is put behind what was pulled before.
        if (tuples.length > 1 && this.isOrdered)
          tuples.sort((a, b) => this.#compareRows(a, b) || (this.#tupleKey(a) < this.#tupleKey(b) ? -1 : 1));
        return tuples.every(show);
      },
    });
    if (isWanted && this.#plan.hasUnmatched) this.#chain.unmatched(place.outer, place.state).every(show);
  }

  push(batch: Batch, edge: TupleEntry | null): EntryChange<TupleEntry>[] {
    const compare = this.#compareFirst;
    const last = edge?.rows[this.#plan.outer.length] ?? null;
    const isInReach = last === null || compare === null ? () => true : (row: Row) => compare(row, last) <= 0;
    if (this.#isSingle && this.#subqueries === null) return this.#pushSingle(batch, isInReach);
    const { byKey } = this.#chain.push({ batch, now: this.#context.now, isInReach });
    const changes: EntryChange<TupleEntry>[] = [];
    const add = (before: Slots | null, after: Slots | null): void => {
      if (before !== after) changes.push({ before: this.#maybe(before), after: this.#maybe(after) });
    };
    if (this.#subqueries === null) for (const { before, after } of byKey.values()) add(before, after);
    else {
      const input = { batch, changes: byKey, chain: this.#chain, isInReach, keyOf: this.#tupleKey };
      for (const { before, after } of this.#subqueries.push(input)) add(before, after);
    }
    return changes;
  }

  /** Changes of a query of one table, whose rows are its tuples. */
  #pushSingle(batch: Batch, isInReach: (row: Row) => boolean): EntryChange<TupleEntry>[] {
    const changes: EntryChange<TupleEntry>[] = [];
    const none = this.#plan.outer.map(() => null);
    const entryOf = (row: Row | null): TupleEntry | null => {
      if (row === null || !isInReach(row)) return null;
      const rows = [...none, row];
      return this.#passesFilter(rows) ? this.#entryOf(rows) : null;
    };
    const { table } = must(this.#plan.sources[0], "tuple relation: a query has a source");
    for (const change of batch.changes.get(table) ?? []) {
      const [before, after] = [entryOf(change.before), entryOf(change.after)];
      if (before !== null || after !== null) changes.push({ before, after });
    }
    return changes;
  }

  bind(entry: TupleEntry, place: Place): TupleEntry | null {
    const { outer, link } = this.#plan;
    if (outer.length === 0) return entry;
    if (link !== null && link.isCovered && link.readOuter(place.outer) !== this.linkValue(entry)) return null;
    const rows = [...place.outer, ...entry.rows.slice(outer.length)];
    return this.#isBound(rows, place) ? this.#entryOf(rows) : null;
  }

  linkValue(entry: TupleEntry): Value {
    const { link, outer } = this.#plan;
    return link === null ? null : (entry.rows[outer.length + link.slot]?.[link.column] ?? null);
  }

  /** Whether the commit may change what subqueries say that also depend on rows around: then every place is read anew. */
  isUnclear(batch: Batch): boolean {
    const { isOpaque, sources } = this.#plan;
    if (isOpaque && sources.some(({ table }) => batch.changes.has(table))) return true;
    return this.#boundSubqueries?.isTouchedBy(batch) === true;
  }

  #passesFilter(rows: Slots): boolean {
    const filter = this.#plan.filters[0];
    return filter === null || filter === undefined || filter(rows);
  }

  #passes(rows: Slots, place: Place): boolean {
    return this.#isBound(rows, place) && (this.#subqueries === null || this.#subqueries.passes(rows, place.state));
  }

  #isBound(rows: Slots, { state }: Place): boolean {
    const { bound } = this.#plan;
    if (bound !== null && !bound(rows)) return false;
    return this.#boundSubqueries === null || this.#boundSubqueries.passes(rows, state);
  }

  #maybe(rows: Slots | null): TupleEntry | null {
    return rows === null ? null : this.#entryOf(rows);
  }

  #entryOf(rows: Slots): TupleEntry {
    return { key: this.#tupleKey(rows), rows, result: null, children: null };
  }
}
