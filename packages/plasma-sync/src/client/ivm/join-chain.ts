// Owns: JoinChain, the joins and filters of a query: which tuples a row makes, and how tuples change with the rows of a slot.
// A tuple of n rows fills slots 0 … n-1 and has passed their filters.

import { assert, must } from "../../core/lib/assert.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { Batch, EntryChange } from "./operator.ts";
import type { JoinPlan, QueryPlan } from "./plan.ts";
import type { IndexSpec, RowReader } from "./source.ts";

/** Equal for tuples of the same rows, whatever their values. Ids hold no U+0000. */
export const tupleKey = (rows: Slots): string => rows.map((row) => (row === null ? "-" : `+${row["id"] as string}`)).join("\0");

/** Where changes of tuples go; the removal of a tuple comes before its next addition. */
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

export class JoinChain {
  readonly #plan: QueryPlan;

  constructor(plan: QueryPlan) {
    this.#plan = plan;
  }

  /** The complete tuples that begin with this row of slot 0. */
  tuplesOf(row: Row, readers: readonly RowReader[]): Slots[] {
    const tuples: Slots[] = [];
    this.#extend([], row, readers, tuples);
    return tuples;
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
      if (before !== null && isInReach(before)) for (const tuple of this.tuplesOf(before, readers)) changes.remove(tuple);
      if (after !== null && isInReach(after)) for (const tuple of this.tuplesOf(after, readers)) changes.add(tuple);
    }
  }

  #pushJoined(slot: number, rows: readonly EntryChange<Row>[], readers: readonly RowReader[], input: JoinPush): void {
    for (const left of this.#leftChanges(slot, rows, readers, input)) {
      const [wasEmpty, isEmpty] = this.#join(slot).kind === "left" ? this.#emptiness(slot, left, input) : [false, false];
      const gone: Slots[] = [];
      const come: Slots[] = [];
      for (const row of left.gone) this.#extend(left.tuple, row, readers, gone);
      for (const row of left.come) this.#extend(left.tuple, row, readers, come);
      if (wasEmpty && !isEmpty) this.#extend(left.tuple, null, readers, gone);
      if (isEmpty && !wasEmpty) this.#extend(left.tuple, null, readers, come);
      for (const tuple of gone) input.changes.remove(tuple);
      for (const tuple of come) input.changes.add(tuple);
    }
  }

  /** The left tuples, as they are now, that a changed row of `slot` matched before or matches now. */
  #leftChanges(slot: number, rows: readonly EntryChange<Row>[], readers: readonly RowReader[], { isInReach }: JoinPush): Iterable<LeftChange> {
    const { on } = this.#join(slot);
    const byKey = new Map<string, LeftChange>();
    const leftOf = (tuple: Slots): LeftChange => {
      const key = tupleKey(tuple);
      let left = byKey.get(key);
      if (left === undefined) byKey.set(key, (left = { tuple, gone: [], come: [] }));
      return left;
    };
    for (const { before, after } of rows) {
      if (before !== null) for (const t of this.#leftsOf(slot, before, readers, isInReach)) if (on([...t, before])) leftOf(t).gone.push(before);
      if (after !== null) for (const t of this.#leftsOf(slot, after, readers, isInReach)) if (on([...t, after])) leftOf(t).come.push(after);
    }
    return byKey.values();
  }

  /** Whether a left tuple had no match before, and has none now. */
  #emptiness(slot: number, { tuple, gone, come }: LeftChange, { now }: JoinPush): [wasEmpty: boolean, isEmpty: boolean] {
    let isEmpty = true;
    for (const row of this.#matches(slot, tuple, now)) {
      isEmpty = false;
      // A match that did not come with this commit was there before, if perhaps with other values.
      if (!come.includes(row)) return [false, false];
    }
    return [gone.length === 0, isEmpty];
  }

  /** Adds to `out` the complete tuples that begin with `tuple` and then `row`. */
  #extend(tuple: Slots, row: Row | null, readers: readonly RowReader[], out: Slots[], until = readers.length): void {
    const slot = tuple.length;
    const longer = [...tuple, row];
    const filter = this.#plan.filters[slot];
    if (filter !== null && filter !== undefined && !filter(longer)) return;
    if (longer.length === until) {
      out.push(longer);
      return;
    }
    let isEmpty = true;
    for (const match of this.#matches(slot + 1, longer, readers)) {
      isEmpty = false;
      this.#extend(longer, match, readers, out, until);
    }
    if (isEmpty && this.#join(slot + 1).kind === "left") this.#extend(longer, null, readers, out, until);
  }

  /** Rows of `slot` that match the tuple before it. */
  *#matches(slot: number, tuple: Slots, readers: readonly RowReader[]): Iterable<Row> {
    const { link, on } = this.#join(slot);
    const reader = must(readers[slot], "join chain: one reader per slot");
    const rows = link === null ? reader.rows() : lookUp(reader, link.joinedSpec, link.joinedColumn, tuple[link.slot]?.[link.column]);
    for (const row of rows) if (on([...tuple, row])) yield row;
  }

  /** The tuples before `slot` that a row of it may match; `on` is yet to be tested. */
  #leftsOf(slot: number, row: Row, readers: readonly RowReader[], isInReach: (row: Row) => boolean): Slots[] {
    const { link } = this.#join(slot);
    const first = must(readers[0], "join chain: one reader per slot");
    const out: Slots[] = [];
    if (link === null) {
      for (const root of first.rows()) if (isInReach(root)) this.#extend([], root, readers, out, slot);
      return out;
    }
    const left = must(readers[link.slot], "join chain: a link names an earlier slot");
    for (const other of lookUp(left, link.spec, link.column, row[link.joinedColumn])) {
      if (link.slot === 0) {
        if (isInReach(other)) this.#extend([], other, readers, out, slot);
        continue;
      }
      const { on } = this.#join(link.slot);
      for (const tuple of this.#leftsOf(link.slot, other, readers, isInReach)) {
        if (on([...tuple, other])) this.#extend(tuple, other, readers, out, slot);
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
