// Owns: TupleOperator, for selects with joins or a projection: entries are tuples of rows with the result shaped of them.
//
// A change of slot s meets the slots before s as they are now and those after s as they were, so that every change of a
// tuple is counted once, however many of its rows a commit changed:
//
//   changes = Σ over s of  now(0 … s-1) ⋈ changes(s) ⋈ before(s+1 … n)
//
// Invariants:
//   1. No state but the shaped results: matches are looked up in the sources, both ways.
//   2. A left join's empty tuple goes when the first match comes and returns when the last one goes.

import type { ResultRow } from "../../core/query/ast.ts";
import { must } from "../../core/lib/assert.ts";
import { sameValue } from "../../core/lib/deep-equal.ts";
import { compareBy, shapeResult, sourcesOf } from "../../core/query/result-shape.ts";
import { slotScope, type Slots } from "../../core/query/predicate.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { JoinChain, tupleKey } from "./join-chain.ts";
import type { Batch, EntryChange, Operator } from "./operator.ts";
import type { QueryPlan } from "./plan.ts";
import { createRowOrder } from "./row-order.ts";
import { rowsOf } from "./row-operator.ts";
import type { RowReader } from "./source.ts";

export interface TupleEntry {
  readonly key: string;
  readonly rows: Slots;
  result: ResultRow | null;
}

export class TupleOperator implements Operator<TupleEntry> {
  readonly isOrdered: boolean;
  readonly #plan: QueryPlan;
  readonly #readers: readonly RowReader[];
  readonly #chain: JoinChain;
  readonly #compareRows: (a: Slots, b: Slots) => number;
  readonly #compareFirst: ((a: Row, b: Row) => number) | null;
  readonly #shape: (rows: Slots) => ResultRow;

  /** `readers` by slot. */
  constructor(plan: QueryPlan, meta: TableMeta, readers: readonly RowReader[]) {
    const { query, access } = plan;
    this.#plan = plan;
    this.#readers = readers;
    this.#chain = new JoinChain(plan);
    this.isOrdered = access.type === "ordered";
    this.#compareRows = compareBy(query.orderBy, slotScope(sourcesOf(query)));
    this.#compareFirst = access.type === "ordered" ? createRowOrder(meta, access.spec).compare : null;
    this.#shape = shapeResult(query, slotScope(sourcesOf(query)), (rows, slot) => rows[slot] ?? null);
  }

  readonly compare = (a: TupleEntry, b: TupleEntry): number =>
    a.key === b.key && a.rows === b.rows ? 0 : this.#compareRows(a.rows, b.rows);

  keyOf(entry: TupleEntry): string {
    return entry.key;
  }

  resultOf(entry: TupleEntry): ResultRow {
    return (entry.result ??= this.#shape(entry.rows));
  }

  resultsOf(entries: TupleEntry[]): readonly ResultRow[] {
    return entries.map((entry) => this.resultOf(entry));
  }

  keepResult(before: TupleEntry, after: TupleEntry): boolean {
    if (before === after) return true;
    const [old, own] = [this.resultOf(before), this.resultOf(after)];
    // Rows are equal where they are the same object; other values by content.
    const isSame = this.#plan.query.projection === null ? (a: unknown, b: unknown) => a === b : sameValue;
    if (!Object.keys(own).every((key) => isSame(own[key], old[key]))) return false;
    after.result = old;
    return true;
  }

  *pull(from: TupleEntry | null): Iterable<TupleEntry> {
    for (const row of rowsOf(
      this.#plan.access,
      must(this.#readers[0], "tuple operator: a query has a table"),
      from?.rows[0] ?? null,
    )) {
      const tuples = this.#chain.tuplesOf(row, this.#readers);
      if (tuples.length > 1 && this.isOrdered) tuples.sort(this.#compareRows);
      for (const rows of tuples) yield entryOf(rows);
    }
  }

  push(batch: Batch, edge: TupleEntry | null): Iterable<EntryChange<TupleEntry>> {
    const compare = this.#compareFirst;
    const last = edge?.rows[0] ?? null;
    const isInReach = last === null || compare === null ? () => true : (row: Row) => compare(row, last) <= 0;
    const changes = new EntryChanges();
    this.#chain.push({ batch, now: this.#readers, isInReach, changes });
    return changes.byKey.values();
  }
}

const entryOf = (rows: Slots): TupleEntry => ({ key: tupleKey(rows), rows, result: null });

/** Consolidates the changes of a commit: a tuple may change by several of its rows. */
class EntryChanges {
  readonly byKey = new Map<string, { before: TupleEntry | null; after: TupleEntry | null }>();

  remove(rows: Slots): void {
    const entry = entryOf(rows);
    const change = this.byKey.get(entry.key);
    if (change === undefined) this.byKey.set(entry.key, { before: entry, after: null });
    else if (change.before === null) this.byKey.delete(entry.key);
    else change.after = null;
  }

  add(rows: Slots): void {
    const entry = entryOf(rows);
    const change = this.byKey.get(entry.key);
    if (change === undefined) this.byKey.set(entry.key, { before: null, after: entry });
    else change.after = entry;
  }
}
