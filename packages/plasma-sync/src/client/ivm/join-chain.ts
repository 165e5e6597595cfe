// Owns: JoinChain, the joins and filters of a query: which tuples a row makes, and how tuples change with the rows of a slot.
// A tuple of n rows fills slots 0 … n-1 and has passed their filters.

import { assert, must } from "../../core/lib/assert.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { Batch, EntryChange } from "./operator.ts";
import type { JoinPlan, QueryPlan } from "./plan.ts";
import type { IndexSpec, RowReader } from "./source.ts";

/** Equal for tuples of the same rows, whatever their values. Ids hold no U+0000. */
export const tupleKey = (rows: Slots): string =>
  rows.map((row) => (row === null ? "-" : `+${row["id"] as string}`)).join("\0");

/** Where changes of tuples go; the removal of a tuple comes before its next addition, and may name one that was not there. */
export interface TupleChanges {
  remove(tuple: Slots): void;
  add(tuple: Slots): void;
}

export interface JoinPush {
  readonly batch: Batch;
  /** By slot. */
  readonly now: readonly RowReader[];
  /** False for rows of slot 0 whose tuples nobody wants. */
  readonly isInReach: (row: Row) => boolean;
  readonly changes: TupleChanges;
}

/** A left tuple and the rows of one slot that stopped and started to match it. */
interface LeftChange {
  readonly tuple: Slots;
  readonly gone: Row[];
  readonly come: Row[];
}

/** Tuples being made: of rows that `readers` hold, collected in `out` at `until` slots. */
interface Growth {
  readonly readers: readonly RowReader[];
  readonly until: number;
  readonly out: Slots[];
}

export class JoinChain {
  readonly #plan: QueryPlan;

  constructor(plan: QueryPlan) {
    this.#plan = plan;
  }

  /** The complete tuples that begin with this row of slot 0. */
  tuplesOf(row: Row, readers: readonly RowReader[]): Slots[] {
    const out: Slots[] = [];
    this.#extend([], row, { readers, until: readers.length, out });
    return out;
  }

  /** Reports how the complete tuples change with a commit. */
  push(input: JoinPush): void {
    const { batch, now } = input;
    const before = this.#plan.tables.map((table) => batch.before(table));
    for (let slot = 0; slot < now.length; slot++) {
      const changes = batch.changes.get(must(this.#plan.tables[slot], "join chain: one table per slot"));
      if (changes === undefined) continue;
      const mixed = now.map((reader, i) => (i < slot ? reader : must(before[i], "join chain: one reader per slot")));
      if (slot === 0) this.#pushFirst(changes, mixed, input);
      else this.#pushJoined(slot, changes, mixed, input);
    }
  }

  #pushFirst(rows: readonly EntryChange<Row>[], readers: readonly RowReader[], { isInReach, changes }: JoinPush): void {
    for (const { before, after } of rows) {
      if (before !== null && isInReach(before))
        for (const tuple of this.tuplesOf(before, readers)) changes.remove(tuple);
      if (after !== null && isInReach(after)) for (const tuple of this.tuplesOf(after, readers)) changes.add(tuple);
    }
  }

  #pushJoined(slot: number, rows: readonly EntryChange<Row>[], readers: readonly RowReader[], input: JoinPush): void {
    const isLeft = this.#join(slot).kind === "left";
    for (const { tuple, gone, come } of this.#leftChanges(slot, rows, readers, input)) {
      const removed: Slots[] = [];
      const added: Slots[] = [];
      const before: Growth = { readers, until: readers.length, out: removed };
      const after: Growth = { readers, until: readers.length, out: added };
      for (const row of gone) this.#extend(tuple, row, before);
      for (const row of come) this.#extend(tuple, row, after);
      if (isLeft && !this.#hasMatch(slot, tuple, input.now)) this.#extend(tuple, null, after);
      // With other matches it was not there: to remove it then is cheaper than to find out.
      else if (isLeft && gone.length === 0) this.#extend(tuple, null, before);
      for (const t of removed) input.changes.remove(t);
      for (const t of added) input.changes.add(t);
    }
  }

  /** The left tuples, as they are now, that a changed row of `slot` matched before or matches now. */
  #leftChanges(
    slot: number,
    rows: readonly EntryChange<Row>[],
    readers: readonly RowReader[],
    { isInReach }: JoinPush,
  ): Iterable<LeftChange> {
    const { on } = this.#join(slot);
    const byKey = new Map<string, LeftChange>();
    const leftOf = (tuple: Slots): LeftChange => {
      const key = tupleKey(tuple);
      let left = byKey.get(key);
      if (left === undefined) byKey.set(key, (left = { tuple, gone: [], come: [] }));
      return left;
    };
    for (const { before, after } of rows) {
      if (before !== null)
        for (const t of this.#leftsOf(slot, before, readers, isInReach))
          if (on([...t, before])) leftOf(t).gone.push(before);
      if (after !== null)
        for (const t of this.#leftsOf(slot, after, readers, isInReach))
          if (on([...t, after])) leftOf(t).come.push(after);
    }
    return byKey.values();
  }

  /** Adds to `out` the tuples that begin with `tuple` and then `row`. */
  #extend(tuple: Slots, row: Row | null, growth: Growth): void {
    const slot = tuple.length;
    const longer = [...tuple, row];
    const filter = this.#plan.filters[slot];
    if (filter !== null && filter !== undefined && !filter(longer)) return;
    if (longer.length === growth.until) {
      growth.out.push(longer);
      return;
    }
    let isEmpty = true;
    for (const match of this.#matches(slot + 1, longer, growth.readers)) {
      isEmpty = false;
      this.#extend(longer, match, growth);
    }
    if (isEmpty && this.#join(slot + 1).kind === "left") this.#extend(longer, null, growth);
  }

  /** Rows of `slot` that match the tuple before it. */
  *#matches(slot: number, tuple: Slots, readers: readonly RowReader[]): Iterable<Row> {
    const { link, on } = this.#join(slot);
    const reader = must(readers[slot], "join chain: one reader per slot");
    const rows =
      link === null
        ? reader.rows()
        : lookUp(reader, link.joinedSpec, link.joinedColumn, tuple[link.slot]?.[link.column]);
    for (const row of rows) if (on([...tuple, row])) yield row;
  }

  #hasMatch(slot: number, tuple: Slots, readers: readonly RowReader[]): boolean {
    for (const _ of this.#matches(slot, tuple, readers)) return true;
    return false;
  }

  /** The tuples before `slot` that a row of it may match; `on` is yet to be tested. */
  #leftsOf(slot: number, row: Row, readers: readonly RowReader[], isInReach: (row: Row) => boolean): Slots[] {
    const { link } = this.#join(slot);
    const first = must(readers[0], "join chain: one reader per slot");
    const out: Slots[] = [];
    const growth: Growth = { readers, until: slot, out };
    if (link === null) {
      for (const root of first.rows()) if (isInReach(root)) this.#extend([], root, growth);
      return out;
    }
    const left = must(readers[link.slot], "join chain: a link names an earlier slot");
    for (const other of lookUp(left, link.spec, link.column, row[link.joinedColumn])) {
      if (link.slot === 0) {
        if (isInReach(other)) this.#extend([], other, growth);
        continue;
      }
      const { on } = this.#join(link.slot);
      for (const tuple of this.#leftsOf(link.slot, other, readers, isInReach)) {
        if (on([...tuple, other])) this.#extend(tuple, other, growth);
      }
    }
    return out;
  }

  #join(slot: number): JoinPlan {
    const join = this.#plan.joins[slot - 1];
    assert(join !== undefined, "join chain: slot 0 is not joined");
    return join;
  }
}

/** Rows whose column equals a value; none for null. */
function lookUp(reader: RowReader, spec: IndexSpec, column: string, value: Value | undefined): Iterable<Row> {
  if (value === null || value === undefined) return [];
  if (column !== "id") return reader.index(spec).rows([value]);
  const row = reader.get(value as string);
  return row === undefined ? [] : [row];
}
