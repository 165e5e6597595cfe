// Owns: Window, the ordered entries of one query at one place between its offset and its limit, kept under commits.
//
//   entries   0 ········ start ············· end ····· edge ┆ (not held: pulled when needed)
//             skipped    the window          spare          ┆
//
// Invariants:
//   1. `#entries` holds every entry up to `#edge` (all of them while `#edge` is null); at least up to `end`.
//   2. Only ordered entries are held in part: refilling pulls a few from the edge on.
//   3. Work is O(log n) per change plus what enters and leaves.

import { must } from "../../core/lib/assert.ts";
import { OrderedMap } from "../../core/lib/ordered-map.ts";
import type { EntryChange } from "./relation.ts";
import type { Visit } from "./source.ts";

/** Entries held beyond the window, so that a row which leaves is not followed by a pull each time. */
const SPARE = 8;

/** What a window holds entries of. */
export interface Entries<E> {
  /** Whether `pull` yields in order, lazily; else everything in any order. */
  readonly isOrdered: boolean;
  readonly compare: (a: E, b: E) => number;
  /** Equal for the same entry before and after a change, whatever its order. */
  keyOf(entry: E): string;
  /** Shows entries. With `from` those at its place or after it, and perhaps a few before. */
  pull(from: E | null, visit: Visit<E>): void;
}

/** What a commit did to an entry of the window; both where it stayed. */
export interface Net<E> {
  readonly key: string;
  readonly before: E | null;
  after: E | null;
}

export class Window<E> {
  readonly #source: Entries<E>;
  readonly #start: number;
  readonly #end: number;
  #entries: OrderedMap<E>;
  /** Null: everything is held. */
  #edge: E | null = null;
  /** What entered and left the window in this commit, by key. */
  #net = new Map<string, Net<E>>();

  /** Pulls the first entries. `limit` null is no limit. */
  constructor(source: Entries<E>, offset: number, limit: number | null) {
    this.#source = source;
    this.#start = offset;
    this.#end = limit === null ? Infinity : offset + limit;
    this.#entries = this.#pull();
  }

  get edge(): E | null {
    return this.#edge;
  }

  /** A new array of the entries in the window. */
  shown(): E[] {
    return this.#entries.slice(this.#start, this.#end);
  }

  /** Takes changes of entries; what they did is told by `settle`. */
  push(changes: Iterable<EntryChange<E>>): void {
    if (this.#isNever) return;
    for (const change of changes) {
      this.#change(change);
      // At once, so that of many new rows only the first go in.
      if (this.#source.isOrdered && this.#entries.size > this.#end + 2 * SPARE) this.#trim();
    }
    if (this.#edge !== null && this.#entries.size < this.#end) this.#refill(this.#edge);
  }

  /** Puts `after` in the place of an entry that is held still and has the same place. */
  renew(entry: E, after: E): void {
    if (this.#entries.get(entry) === entry) this.#replace(after);
  }

  /** Pulls everything anew and notes what is different. */
  reset(): void {
    const old = new Map(this.shown().map((entry) => [this.#source.keyOf(entry), entry]));
    this.#edge = null;
    this.#entries = this.#pull();
    for (const entry of old.values()) this.#leaves(entry);
    for (const entry of this.shown()) this.#enters(entry);
  }

  /** What has happened since the last time. */
  settle(): readonly Net<E>[] {
    if (this.#net.size === 0) return [];
    const net = [...this.#net.values()];
    this.#net = new Map();
    return net;
  }

  get #isNever(): boolean {
    return this.#end <= this.#start;
  }

  #pull(): OrderedMap<E> {
    const entries: E[] = [];
    const { isOrdered, compare } = this.#source;
    if (!this.#isNever)
      this.#source.pull(null, (entry) => {
        entries.push(entry);
        if (!isOrdered || entries.length < this.#end) return true;
        this.#edge = entry;
        return false;
      });
    return new OrderedMap(compare, entries, isOrdered);
  }

  #change({ before, after }: EntryChange<E>): void {
    if (before !== null && after !== null && this.#source.compare(before, after) === 0) this.#replace(after);
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
    this.#edge = null;
    this.#source.pull(edge, (entry) => {
      if (this.#source.compare(entry, edge) <= 0) return true;
      const position = this.#entries.size;
      this.#entries.set(entry);
      if (position >= this.#start && position < this.#end) this.#enters(entry);
      if (position + 1 < this.#end + SPARE) return true;
      this.#edge = entry;
      return false;
    });
  }

  #trim(): void {
    while (this.#entries.size > this.#end + SPARE)
      this.#entries.delete(must(this.#entries.last, "window: more than none"));
    this.#edge = this.#entries.last ?? null;
  }

  #isBeyond(entry: E): boolean {
    return this.#edge !== null && this.#source.compare(entry, this.#edge) > 0;
  }

  /** Where an entry is or would be; not computed where every place is in the window. */
  #positionOf(entry: E): number {
    return this.#start === 0 && this.#end === Infinity ? 0 : this.#entries.position(entry);
  }

  #leaves(entry: E): void {
    const key = this.#source.keyOf(entry);
    const net = this.#net.get(key);
    if (net === undefined) this.#net.set(key, { key, before: entry, after: null });
    else net.after = null;
  }

  #enters(entry: E): void {
    const key = this.#source.keyOf(entry);
    const net = this.#net.get(key);
    if (net === undefined) this.#net.set(key, { key, before: null, after: entry });
    else net.after = entry;
  }
}
