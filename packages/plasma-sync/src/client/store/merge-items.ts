// Owns: what changes make of sorted pages, as pure functions: which pages they meet, and what a page's items become.

import { indexOfPage, type ItemOrder, type PageRef } from "./sorted-pages.ts";

/** An item's new value; null takes it out. */
export interface ItemChange<Item, Key> {
  readonly key: Key;
  readonly item: Item | null;
  /** The commit that made it. */
  readonly seq: number;
}

export interface PageChanges<Item, Key> {
  /** Index of the page; 0 where there is none yet. */
  readonly at: number;
  readonly changes: readonly ItemChange<Item, Key>[];
}

/** The first of `changes`, which are in order, page by page, until they meet `pagesMax` pages. */
export function groupByPage<Item, Key>(
  refs: readonly PageRef<Key>[],
  changes: readonly ItemChange<Item, Key>[],
  { compare }: Pick<ItemOrder<Item, Key>, "compare">,
  pagesMax: number,
): PageChanges<Item, Key>[] {
  const groups: PageChanges<Item, Key>[] = [];
  let from = 0;
  while (from < changes.length && groups.length < pagesMax) {
    const at = Math.max(0, indexOfPage(refs, (changes[from] as ItemChange<Item, Key>).key, compare));
    const next = refs[at + 1];
    const isOfPage = ({ key }: ItemChange<Item, Key>) => next === undefined || compare(key, next.first) < 0;
    let to = from + 1;
    while (to < changes.length && isOfPage(changes[to] as ItemChange<Item, Key>)) to += 1;
    groups.push({ at, changes: changes.slice(from, to) });
    from = to;
  }
  return groups;
}

/** A page's items after changes, both in order; and those that changes have replaced or taken out. */
export function mergeItems<Item, Key>(
  items: readonly Item[],
  changes: readonly ItemChange<Item, Key>[],
  { keyOf, compare }: ItemOrder<Item, Key>,
): { readonly items: Item[]; readonly replaced: Item[] } {
  const merged: Item[] = [];
  const replaced: Item[] = [];
  let at = 0;
  for (const { key, item } of changes) {
    let order = 1;
    while (at < items.length && (order = compare(keyOf(items[at] as Item), key)) < 0) merged.push(items[at++] as Item);
    if (at < items.length && order === 0) replaced.push(items[at++] as Item);
    if (item !== null) merged.push(item);
  }
  while (at < items.length) merged.push(items[at++] as Item);
  return { items: merged, replaced };
}
