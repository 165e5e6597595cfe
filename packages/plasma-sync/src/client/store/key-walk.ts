// Owns: KeyWalk: a walk through an index's pages for a window of an order, without any effect: which pages to read next, and
// which keys make up the window.
// Invariants:
//   1. Keys lie by the index's columns, then by id, all ascending. An order may go backwards through the first columns and
//      forwards through others, or through ids: so keys that are alike in the first ones are taken all or none, and sorted.

import * as limits from "../../core/limits.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { compareKeys, lyingOrder, type ColdKey } from "./cold-order.ts";
import { indexOfPage, type PageRef } from "./sorted-pages.ts";
import type { ColdOrder } from "./store.ts";

export class KeyWalk {
  /** Compares keys as they lie. */
  readonly compare: (a: ColdKey, b: ColdKey) => number;
  readonly #order: ColdOrder;
  readonly #isBackwards: boolean;
  /** Keys that are alike in so many of the first columns are taken all or none. */
  readonly #groupLength: number;
  readonly #inOrder: (a: ColdKey, b: ColdKey) => number;
  readonly #found: ColdKey[] = [];
  /** How many of them are in the window: not those that are like its start and before it. */
  #count = 0;
  /** The page that was read last, by index; null before the first. */
  #at: number | null = null;
  /** Whether no key of the order lies behind what was found. */
  isEnd = false;
  isOver = false;

  constructor(meta: TableMeta, columns: readonly string[], order: ColdOrder) {
    this.compare = compareKeys(meta, lyingOrder(columns));
    this.#order = order;
    const { length } = order.prefix;
    const free = order.columns.slice(length, -1);
    const turn = free.findIndex(({ direction }) => direction !== free[0]?.direction);
    this.#isBackwards = free[0]?.direction === "desc";
    this.#groupLength = turn < 0 ? order.columns.length - 1 : length + turn;
    this.#inOrder = compareKeys(meta, order.columns);
  }

  /** The pages to read next. */
  next(refs: readonly PageRef<ColdKey>[]): readonly PageRef<ColdKey>[] {
    const ref = refs[this.#nextAt(refs)];
    return ref === undefined ? [] : [ref];
  }

  /** Takes the keys of the page that `next` wanted of `refs`. */
  take(refs: readonly PageRef<ColdKey>[], keys: readonly ColdKey[]): void {
    const { prefix, limit } = this.#order;
    const step = this.#step;
    this.#at = this.#nextAt(refs);
    for (const key of this.#isBackwards ? keys.toReversed() : keys) {
      const place = this.compare(key, this.#start()) * step;
      if (place < 0) continue;
      if (this.compare(key, prefix) !== 0) return this.#finish(true);
      const last = this.#found.at(-1);
      if (this.#count >= limit && last !== undefined && this.compare(this.#group(last), key) !== 0)
        return this.#finish(false);
      this.#found.push(key);
      if (this.#isIn(this.#place(key))) this.#count += 1;
    }
    if (this.#found.length > limits.storeWindowKeysMax) this.isOver = true;
    else if (refs[this.#at + step] === undefined) this.#finish(true);
  }

  /** The keys of the window in order; null where too many are alike. */
  keys(): readonly ColdKey[] | null {
    if (this.#found.length > limits.storeWindowKeysMax) return null;
    return this.#found
      .map((key) => ({ key, place: this.#place(key) }))
      .filter(({ place }) => this.#isIn(place))
      .sort((a, b) => this.#inOrder(a.place, b.place))
      .map(({ key }) => key);
  }

  /** A key's values of the order's columns. */
  #place(key: ColdKey): ColdKey {
    return [...key.slice(0, this.#order.columns.length - 1), key.at(-1) ?? null];
  }

  #isIn(place: ColdKey): boolean {
    const { from } = this.#order;
    return from === undefined || this.#inOrder(place, from) > 0;
  }

  #finish(isEnd: boolean): void {
    this.isEnd = isEnd;
    this.isOver = true;
  }

  /** The values by which the walk begins: all that equal them are in. */
  #start(): ColdKey {
    const { from, prefix } = this.#order;
    return from === undefined ? prefix : this.#group(from);
  }

  #group(key: ColdKey): ColdKey {
    return key.slice(0, this.#groupLength);
  }

  /** From one page, or key, to the next one of the walk. */
  get #step(): number {
    return this.#isBackwards ? -1 : 1;
  }

  #nextAt(refs: readonly PageRef<ColdKey>[]): number {
    if (this.#at !== null) return this.#at + this.#step;
    const start = this.#start();
    if (this.#isBackwards) return indexOfPage(refs, start, this.compare);
    // The page before the first that begins at the place, for it may end there.
    return indexOfPage(refs, start, (a, b) => this.compare(a, b) || 1);
  }
}
