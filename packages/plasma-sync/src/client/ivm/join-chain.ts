// Owns: JoinChain, the joins and filters of a query: which tuples a row makes, and how tuples change in a commit. A tuple
// holds the rows of the queries around and then those of own slots 0 … n-1, and has passed their filters.
//
// Changes go through the joins one after the other. Where the tuples on the left have changed by Δ and the joined table R by δ:
//
//   changes = Δ ⋈ R before  +  left now ⋈ δ  +  left tuples and joined rows that lost or got their last match
//
// Invariants:
//   1. Changes are exact: a null side is shown before and after exactly where there is no match.
//   2. No state: matches are looked up in the sources, both ways.

import { assert, must } from "../../core/lib/assert.ts";
import type { Slots } from "../../core/query/predicate.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { JoinPlan, QueryPlan } from "./plan.ts";
import type { Batch, EntryChange } from "./relation.ts";
import { lookupSpec } from "./row-order.ts";
import { keyColumnOf, type IndexSpec, type RowReader, type State, type Visit } from "./source.ts";
import { createTupleKey, TupleChanges } from "./tuple-changes.ts";

export interface JoinPush {
  readonly batch: Batch;
  readonly now: State;
  /** False for rows of slot 0 whose tuples nobody wants. */
  readonly isInReach: (row: Row) => boolean;
}

const everyRow = (): boolean => true;

export class JoinChain {
  readonly #plan: QueryPlan;
  readonly #base: number;
  /** Keys of tuples by their own slots. */
  readonly #keyOf: readonly ((tuple: Slots) => string)[];

  constructor(plan: QueryPlan) {
    const { sources, outer } = plan;
    this.#plan = plan;
    this.#base = outer.length;
    this.#keyOf = [...sources.keys(), sources.length].map((slots) =>
      createTupleKey(sources.slice(0, slots), outer.length),
    );
  }

  /** The whole tuples that begin with this row of slot 0. */
  tuplesOf(row: Row, outer: Slots, state: State): Slots[] {
    const out: Slots[] = [];
    this.#extend(outer, row, { state, until: this.#plan.sources.length, out });
    return out;
  }

  /** The whole tuples that have no row in slot 0. */
  unmatched(outer: Slots, state: State): Slots[] {
    return this.#unmatched(this.#plan.sources.length, { outer, state, isInReach: everyRow });
  }

  /** The whole tuples whose row in `slot` has this value; all tuples where `slot` is null. */
  tuplesWith(
    at: { readonly slot: number; readonly column: string; readonly value: Value } | null,
    state: State,
    isInReach: (row: Row) => boolean,
  ): Slots[] {
    const until = this.#plan.sources.length;
    const reach: Reach = { outer: this.#none(), state, isInReach };
    if (at === null) return this.#all(until, reach);
    const out: Slots[] = [];
    const key = keyColumnOf(must(this.#plan.sources[at.slot], "join chain: one source per slot").meta);
    const spec = lookupSpec(at.column, key);
    const reader = this.#reader(at.slot, state);
    const rows: Row[] = [];
    if (at.value === null) reader.index(spec).visit([null], [], (row) => rows.push(row) > 0);
    else lookUp(reader, spec, { column: at.column, value: at.value, visit: (row) => rows.push(row) > 0 });
    // Collected before, because to make tuples may look into the same index.
    for (const row of rows) out.push(...this.#through(at.slot, row, until, reach));
    return out;
  }

  /** How the whole tuples change with a commit. */
  push(input: JoinPush): TupleChanges {
    const { batch, isInReach } = input;
    let changes = this.#changesOf(1);
    const none = this.#none();
    for (const { before, after } of batch.changes.get(this.#table(0)) ?? []) {
      if (before !== null && isInReach(before)) this.#put(changes, "remove", [...none, before]);
      if (after !== null && isInReach(after)) this.#put(changes, "add", [...none, after]);
    }
    for (let slot = 1; slot < this.#plan.sources.length; slot++) changes = this.#pushJoin(slot, changes, input);
    return changes;
  }

  #pushJoin(slot: number, lefts: TupleChanges, input: JoinPush): TupleChanges {
    const { batch } = input;
    const rows = batch.changes.get(this.#table(slot)) ?? [];
    const changes = this.#changesOf(slot + 1);
    if (lefts.byKey.size === 0 && rows.length === 0) return changes;
    const before: State = (table) => batch.before(table);
    const { kind } = this.#join(slot);
    const hasEmptyRight = kind === "left" || kind === "full";
    for (const left of lefts.byKey.values()) {
      for (const action of ["remove", "add"] as const) {
        const tuple = action === "remove" ? left.before : left.after;
        if (tuple === null) continue;
        let isEmpty = true;
        this.#matches(slot, tuple, before, (row) => {
          isEmpty = false;
          this.#put(changes, action, [...tuple, row]);
          return true;
        });
        if (isEmpty && hasEmptyRight) this.#put(changes, action, [...tuple, null]);
      }
    }
    if (rows.length > 0) this.#pushRows(slot, rows, changes, { input, before, hasEmptyRight });
    if (kind === "right" || kind === "full") this.#pushUnmatched(slot, lefts, changes, { rows, input, before });
    return changes;
  }

  /** Left tuples as they are now meet the changed rows of `slot`. */
  #pushRows(
    slot: number,
    rows: readonly EntryChange<Row>[],
    changes: TupleChanges,
    { input, before, hasEmptyRight }: { input: JoinPush; before: State; hasEmptyRight: boolean },
  ): void {
    const reach: Reach = { outer: this.#none(), state: input.now, isInReach: input.isInReach };
    const touched = new Map<string, Slots>();
    const keyOf = this.#tupleKey(slot);
    for (const change of rows) {
      for (const action of ["remove", "add"] as const) {
        const row = action === "remove" ? change.before : change.after;
        if (row === null) continue;
        for (const left of this.#leftsOf(slot, row, reach)) {
          this.#put(changes, action, [...left, row]);
          if (hasEmptyRight) touched.set(keyOf(left), left);
        }
      }
    }
    for (const left of touched.values()) {
      const [had, has] = [this.#hasMatch(slot, left, before), this.#hasMatch(slot, left, input.now)];
      if (had && !has) this.#put(changes, "add", [...left, null]);
      else if (!had && has) this.#put(changes, "remove", [...left, null]);
    }
  }

  /** Rows of `slot` that lost or got their only left tuple. */
  #pushUnmatched(
    slot: number,
    lefts: TupleChanges,
    changes: TupleChanges,
    { rows, input, before }: { rows: readonly EntryChange<Row>[]; input: JoinPush; before: State },
  ): void {
    const { now, isInReach } = input;
    const key = keyColumnOf(must(this.#plan.sources[slot], "join chain: one source per slot").meta);
    const ids = new Set(rows.map((change) => (change.before ?? change.after)?.[key] as string));
    for (const left of lefts.byKey.values())
      for (const tuple of [left.before, left.after])
        if (tuple !== null)
          for (const state of [before, now])
            this.#matches(slot, tuple, state, (row) => ids.add(row[key] as string).size > 0);
    for (const id of ids) {
      const [old, own] = [this.#reader(slot, before).get(id), this.#reader(slot, now).get(id)];
      const isAlone = (row: Row | undefined, state: State): boolean =>
        row !== undefined && this.#leftsOf(slot, row, { outer: this.#none(), state, isInReach }).length === 0;
      const [was, is] = [isAlone(old, before), isAlone(own, now)];
      if (was && is && old === own) continue;
      if (was) this.#put(changes, "remove", [...this.#empty(slot), old as Row]);
      if (is) this.#put(changes, "add", [...this.#empty(slot), own as Row]);
    }
  }

  #put(changes: TupleChanges, action: "remove" | "add", tuple: Slots): void {
    const filter = this.#plan.filters[tuple.length - this.#base - 1];
    if (filter === null || filter === undefined || filter(tuple)) changes[action](tuple);
  }

  /** Adds to `out` the tuples that begin with `tuple` and then `row`. */
  #extend(tuple: Slots, row: Row | null, growth: Growth): void {
    const slot = tuple.length - this.#base;
    const longer = [...tuple, row];
    const filter = this.#plan.filters[slot];
    if (filter !== null && filter !== undefined && !filter(longer)) return;
    if (slot + 1 === growth.until) {
      growth.out.push(longer);
      return;
    }
    let isEmpty = true;
    this.#matches(slot + 1, longer, growth.state, (match) => {
      isEmpty = false;
      this.#extend(longer, match, growth);
      return true;
    });
    const { kind } = this.#join(slot + 1);
    if (isEmpty && (kind === "left" || kind === "full")) this.#extend(longer, null, growth);
  }

  /** Shows the rows of `slot` that match the tuple before it. */
  #matches(slot: number, tuple: Slots, state: State, visit: Visit<Row>): void {
    const { link, on } = this.#join(slot);
    const reader = this.#reader(slot, state);
    const test: Visit<Row> = (row) => !on([...tuple, row]) || visit(row);
    if (link === null) {
      for (const row of reader.rows()) if (!test(row)) return;
      return;
    }
    const value = tuple[this.#base + link.slot]?.[link.column];
    lookUp(reader, link.joinedSpec, { column: link.joinedColumn, value, visit: test });
  }

  #hasMatch(slot: number, tuple: Slots, state: State): boolean {
    let isThere = false;
    this.#matches(slot, tuple, state, () => {
      isThere = true;
      return false;
    });
    return isThere;
  }

  /** The tuples before `slot` that a row of it matches. */
  #leftsOf(slot: number, row: Row, reach: Reach): Slots[] {
    const { link, on } = this.#join(slot);
    if (link === null) return this.#all(slot, reach).filter((tuple) => on([...tuple, row]));
    const lefts: Slots[] = [];
    const others: Row[] = [];
    const value = row[link.joinedColumn];
    const collect: Visit<Row> = (other) => others.push(other) > 0;
    lookUp(this.#reader(link.slot, reach.state), link.spec, { column: link.column, value, visit: collect });
    for (const other of others)
      for (const tuple of this.#through(link.slot, other, slot, reach)) if (on([...tuple, row])) lefts.push(tuple);
    return lefts;
  }

  /** The tuples of `until` slots that have `row` in this one. */
  #through(slot: number, row: Row, until: number, reach: Reach): Slots[] {
    const out: Slots[] = [];
    const growth: Growth = { state: reach.state, until, out };
    if (slot === 0) {
      if (reach.isInReach(row)) this.#extend(reach.outer, row, growth);
      return out;
    }
    const lefts = this.#leftsOf(slot, row, reach);
    for (const left of lefts) this.#extend(left, row, growth);
    const { kind } = this.#join(slot);
    if (lefts.length === 0 && (kind === "right" || kind === "full"))
      this.#extend(this.#behind(reach.outer, slot), row, growth);
    return out;
  }

  /** All tuples of `until` slots. */
  #all(until: number, reach: Reach): Slots[] {
    const { outer, state, isInReach } = reach;
    const out: Slots[] = [];
    for (const row of this.#reader(0, state).rows())
      if (isInReach(row)) this.#extend(outer, row, { state, until, out });
    return [...out, ...this.#unmatched(until, reach)];
  }

  /** The tuples of `until` slots that begin with a row which no left tuple matches. */
  #unmatched(until: number, reach: Reach): Slots[] {
    const out: Slots[] = [];
    for (let slot = 1; slot < until; slot++) {
      const { kind } = this.#join(slot);
      if (kind !== "right" && kind !== "full") continue;
      const empty = this.#behind(reach.outer, slot);
      for (const row of this.#reader(slot, reach.state).rows())
        if (this.#leftsOf(slot, row, reach).length === 0) this.#extend(empty, row, { state: reach.state, until, out });
    }
    return out;
  }

  /** The rows around, and none in the slots before this one. */
  #behind(outer: Slots, slot: number): Slots {
    return [...outer, ...Array.from({ length: slot }, () => null)];
  }

  #none(): Slots {
    return this.#empty(0);
  }

  /** No rows around, and none in the slots before this one. */
  #empty(slot: number): Slots {
    return this.#base + slot === 0 ? [] : Array.from({ length: this.#base + slot }, () => null);
  }

  #changesOf(slots: number): TupleChanges {
    return new TupleChanges(this.#tupleKey(slots));
  }

  #tupleKey(slots: number): (tuple: Slots) => string {
    return must(this.#keyOf[slots], "join chain: one key per number of slots");
  }

  #table(slot: number): string {
    return must(this.#plan.sources[slot], "join chain: one source per slot").table;
  }

  #reader(slot: number, state: State): RowReader {
    return state(this.#table(slot));
  }

  #join(slot: number): JoinPlan {
    const join = this.#plan.joins[slot - 1];
    assert(join !== undefined, "join chain: slot 0 is not joined");
    return join;
  }
}

interface Reach {
  /** The rows of the queries around; nulls where they are not known. */
  readonly outer: Slots;
  readonly state: State;
  readonly isInReach: (row: Row) => boolean;
}

/** Tuples being made of rows of `state`, collected in `out` when they have `until` own slots. */
interface Growth {
  readonly state: State;
  readonly until: number;
  readonly out: Slots[];
}

interface LookUp {
  readonly column: string;
  readonly value: Value | undefined;
  readonly visit: Visit<Row>;
}

/** Shows the rows whose column equals a value; none for null. */
function lookUp(reader: RowReader, spec: IndexSpec, { column, value, visit }: LookUp): void {
  if (value === null || value === undefined) return;
  if (column !== "id" || spec.columns.length > 1) {
    reader.index(spec).visit([value], [], visit);
    return;
  }
  const row = reader.get(value as string);
  if (row !== undefined) visit(row);
}
