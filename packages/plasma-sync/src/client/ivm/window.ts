// Owns: Window, the ordered rows of one live query between its offset and its limit, kept under commits.
//
//   entries   0 ········ start ············· end ····· edge ┆ (not held: pulled from the operator when needed)
//             skipped    the window          spare          ┆
//
// Invariants:
//   1. `#entries` holds every entry of the operator up to `#edge` (all of them while `#edge` is null); at least up to `end`.
//   2. Only an ordered operator is held in part: refilling pulls a few entries from the edge on.
//   3. Work is O(log n) per change plus what enters and leaves.

import { must } from "../../core/lib/assert.ts";
import { OrderedMap } from "../../core/lib/ordered-map.ts";
import type { ResultRow } from "../../core/query/ast.ts";
import type { LiveDelta } from "../../core/query/live-query.ts";
import type { Batch, EntryChange, Operator } from "./operator.ts";

/** Entries held beyond the window, so that a row which leaves is not followed by a pull each time. */
const SPARE = 8;

export interface WindowChange extends LiveDelta<ResultRow> {
  /** Some row with an equal result may have another place now. */
  readonly hasMoved: boolean;
}

interface Net<E> {
  readonly before: E | null;
  after: E | null;
}

export class Window<E> {
  readonly #operator: Operator<E>;
  readonly #start: number;
  readonly #end: number;
  readonly #entries: OrderedMap<E>;
  /** Null: everything is held. */
  #edge: E | null = null;
  /** What entered and left the window in this commit, by key. */
  #net = new Map<string, Net<E>>();

  /** Pulls the first rows. `limit` null is no limit. */
  constructor(operator: Operator<E>, offset: number, limit: number | null) {
    this.#operator = operator;
    this.#start = offset;
    this.#end = limit === null ? Infinity : offset + limit;
    const entries: E[] = [];
    if (!this.#isNever)
      for (const entry of operator.pull(null)) {
        entries.push(entry);
        if (!operator.isOrdered || entries.length < this.#end) continue;
        this.#edge = entry;
        break;
      }
    this.#entries = new OrderedMap(operator.compare, entries);
  }

  /** A new array of the rows. */
  rows(): readonly ResultRow[] {
    return this.#operator.resultsOf(this.#entries.slice(this.#start, this.#end));
  }

  /** Takes a commit that the sources already hold; null when it changed nothing here. */
  push(batch: Batch): WindowChange | null {
    if (this.#isNever) return null;
    for (const change of this.#operator.push(batch, this.#edge)) this.#change(change);
    if (this.#edge !== null && this.#entries.size < this.#end) this.#refill(this.#edge);
    if (this.#operator.isOrdered && this.#entries.size > this.#end + 2 * SPARE) this.#trim();
    return this.#settle();
  }

  get #isNever(): boolean {
    return this.#end <= this.#start;
  }

  #change({ before, after }: EntryChange<E>): void {
    if (before !== null && after !== null && this.#operator.compare(before, after) === 0) this.#replace(after);
    else {
      if (before !== null) this.#remove(before);
      if (after !== null) this.#insert(after);
    }
  }

  #replace(after: E): void {
    if (this.#isBeyond(after)) return;
    const before = must(this.#entries.set(after), "window 1: an entry up to the edge is held");
    const position = this.#positionOf(after);
    if (position < this.#start || position >= this.#end) return;
    this.#leaves(before);
    this.#enters(after);
  }

  #remove(entry: E): void {
    const position = this.#positionOf(entry);
    const removed = this.#entries.delete(entry);
    if (removed === undefined || position >= this.#end) return;
    const left = position < this.#start ? this.#entries.at(this.#start - 1) : removed;
    const entered = this.#end === Infinity ? undefined : this.#entries.at(this.#end - 1);
    if (left !== undefined) this.#leaves(left);
    if (entered !== undefined) this.#enters(entered);
  }

  #insert(entry: E): void {
    if (this.#isBeyond(entry)) return;
    this.#entries.set(entry);
    const position = this.#positionOf(entry);
    if (position >= this.#end) return;
    const entered = position < this.#start ? this.#entries.at(this.#start) : entry;
    const left = this.#end === Infinity ? undefined : this.#entries.at(this.#end);
    if (entered !== undefined) this.#enters(entered);
    if (left !== undefined) this.#leaves(left);
  }

  /** Adds entries after the edge until there are some to spare. */
  #refill(edge: E): void {
    for (const entry of this.#operator.pull(edge)) {
      if (this.#operator.compare(entry, edge) <= 0) continue;
      const position = this.#entries.size;
      this.#entries.set(entry);
      if (position >= this.#start && position < this.#end) this.#enters(entry);
      this.#edge = entry;
      if (position + 1 >= this.#end + SPARE) return;
    }
    this.#edge = null;
  }

  #trim(): void {
    while (this.#entries.size > this.#end + SPARE)
      this.#entries.delete(must(this.#entries.last, "window: more than none"));
    this.#edge = this.#entries.last ?? null;
  }

  #isBeyond(entry: E): boolean {
    return this.#edge !== null && this.#operator.compare(entry, this.#edge) > 0;
  }

  /** Where an entry is or would be; not computed where every place is in the window. */
  #positionOf(entry: E): number {
    return this.#start === 0 && this.#end === Infinity ? 0 : this.#entries.position(entry);
  }

  #leaves(entry: E): void {
    const key = this.#operator.keyOf(entry);
    const net = this.#net.get(key);
    if (net === undefined) this.#net.set(key, { before: entry, after: null });
    else net.after = null;
  }

  #enters(entry: E): void {
    const key = this.#operator.keyOf(entry);
    const net = this.#net.get(key);
    if (net === undefined) this.#net.set(key, { before: null, after: entry });
    else net.after = entry;
  }

  #settle(): WindowChange | null {
    if (this.#net.size === 0) return null;
    const operator = this.#operator;
    const added: ResultRow[] = [];
    const removed: ResultRow[] = [];
    const changed: { before: ResultRow; after: ResultRow }[] = [];
    let hasMoved = false;
    for (const { before, after } of this.#net.values()) {
      if (before === null) {
        if (after !== null) added.push(operator.resultOf(after));
      } else if (after === null) removed.push(operator.resultOf(before));
      else if (operator.keepResult(before, after)) hasMoved ||= operator.compare(before, after) !== 0;
      else changed.push({ before: operator.resultOf(before), after: operator.resultOf(after) });
    }
    this.#net = new Map();
    return added.length + removed.length + changed.length > 0 || hasMoved
      ? { added, removed, changed, hasMoved }
      : null;
  }
}
