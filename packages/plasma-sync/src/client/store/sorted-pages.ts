// Owns: SortedPages: items in order, packed into pages, and finding the page of a key. Rows by id and keys of an index both
// lie so.
// Invariants:
//   1. `refs` are in order; a page holds the keys from its `first` up to the next one's `first`.
//   2. A page is never empty.

import { lowerBound } from "../../core/lib/lower-bound.ts";

/** Where a page lies, and what is known of it without reading it. */
export interface PageRef<Key> {
  readonly first: Key;
  readonly count: number;
  /** Its number: it names what was written once and is never changed, only replaced by pages of other numbers. */
  readonly page: number;
}

/** A page as it is stored. */
export interface Page<Item> {
  /** The last commit of which it holds something. */
  readonly seq: number;
  readonly items: readonly Item[];
}

export interface ItemOrder<Item, Key> {
  readonly keyOf: (item: Item) => Key;
  readonly compare: (a: Key, b: Key) => number;
  /** How many such items a page should hold. */
  readonly pageSize: (items: readonly Item[]) => number;
}

/** Picks pages of a directory. */
export type Pick<Key> = (refs: readonly PageRef<Key>[]) => readonly PageRef<Key>[];

export interface Picked<Item, Key> {
  /** All of the directory. */
  readonly refs: readonly PageRef<Key>[];
  readonly picked: readonly PageRef<Key>[];
  readonly items: readonly Item[];
}

/** The index of the page that holds `key`, if any does; -1 where there are none. Keys before all belong to the first. */
export function indexOfPage<Key>(refs: readonly PageRef<Key>[], key: Key, compare: (a: Key, b: Key) => number): number {
  const behind = lowerBound(refs, ({ first }) => compare(first, key) > 0);
  return Math.min(Math.max(behind - 1, 0), refs.length - 1);
}
