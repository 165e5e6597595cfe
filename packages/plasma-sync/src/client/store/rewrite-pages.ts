// Owns: rewritePages: changes of sorted items brought into the pages that they meet, in one transaction.
// Invariants:
//   1. A page is replaced, never changed: what names it stays true for whoever reads at the same time.
//   2. A page that became small is joined with its neighbour where both fit into one; one that became large is cut.

import { readPages } from "./read-rows.ts";
import { groupByPage, mergeItems, type ItemChange } from "./merge-items.ts";
import { pack } from "./row-pages.ts";
import type { ItemOrder, Page, PageRef } from "./sorted-pages.ts";

/** A page with less than this share (1 / n) of what it should hold is small. */
const SMALL_SHARE = 4;

export interface Rewrite<Item, Key> {
  readonly store: IDBObjectStore;
  readonly refs: readonly PageRef<Key>[];
  /** In order, each key once. */
  readonly changes: readonly ItemChange<Item, Key>[];
  readonly order: ItemOrder<Item, Key>;
  readonly nextPage: number;
  /** It stops after so many pages. */
  readonly pagesMax: number;
}

export interface Rewritten<Item, Key> {
  readonly refs: readonly PageRef<Key>[];
  readonly nextPage: number;
  /** How many of the changes are in the pages now: the first ones. */
  readonly taken: number;
  /** Items that changes have replaced or taken out. */
  readonly replaced: readonly Item[];
  /** The last commit that has left a page without items; 0 where none has. */
  readonly emptiedAt: number;
  /** The pages that are no more → those that have their items. */
  readonly moved: ReadonlyMap<number, readonly number[]>;
}

export async function rewritePages<Item, Key>(rewrite: Rewrite<Item, Key>): Promise<Rewritten<Item, Key>> {
  const { store, refs, changes, order, pagesMax } = rewrite;
  let { nextPage } = rewrite;
  const groups = groupByPage(refs, changes, order, pagesMax);
  const touched = new Set(groups.map(({ at }) => at));
  const read = async (indexes: readonly number[]): Promise<Page<Item>[]> => {
    const found = indexes.flatMap((at) => refs[at]?.page ?? []);
    return (await readPages<Item>(store, found)).map((page) => page ?? EMPTY);
  };
  const pages = await read(groups.map(({ at }) => at));
  const replacements = new Map<number, readonly PageRef<Key>[]>();
  const moved = new Map<number, readonly number[]>();
  const replaced: Item[] = [];
  let emptiedAt = 0;
  for (const [i, group] of groups.entries()) {
    const page: Page<Item> = pages[i] ?? EMPTY;
    const merged = mergeItems(page.items, group.changes, order);
    replaced.push(...merged.replaced);
    let { items } = merged;
    let seq = group.changes.reduce((max, change) => Math.max(max, change.seq), page.seq);
    const gone = [group.at];
    const neighbour = group.at + 1 < refs.length ? group.at + 1 : group.at - 1;
    const ref = refs[neighbour];
    if (ref !== undefined && !touched.has(neighbour) && isSmall(items, ref.count, order)) {
      const [other = EMPTY] = await read([neighbour]);
      items = neighbour > group.at ? [...items, ...other.items] : [...other.items, ...items];
      seq = Math.max(seq, other.seq);
      touched.add(neighbour);
      gone.push(neighbour);
    }
    const written = pack(items, order).map((piece) => {
      store.put({ seq, items: piece } satisfies Page<Item>, nextPage);
      return { first: order.keyOf(piece[0] as Item), count: piece.length, page: nextPage++ };
    });
    if (written.length === 0) emptiedAt = Math.max(emptiedAt, seq);
    for (const at of gone) {
      replacements.set(at, at === group.at ? written : []);
      const old = refs[at];
      if (old === undefined) continue;
      store.delete(old.page);
      moved.set(
        old.page,
        written.map((one) => one.page),
      );
    }
  }
  return {
    refs: refs.length === 0 ? (replacements.get(0) ?? []) : refs.flatMap((ref, at) => replacements.get(at) ?? [ref]),
    nextPage,
    taken: groups.reduce((sum, group) => sum + group.changes.length, 0),
    replaced,
    emptiedAt,
    moved,
  };
}

const EMPTY: Page<never> = { seq: 0, items: [] };

function isSmall<Item, Key>(items: readonly Item[], otherCount: number, { pageSize }: ItemOrder<Item, Key>): boolean {
  const size = pageSize(items);
  return items.length * SMALL_SHARE < size && items.length + otherCount <= size;
}
