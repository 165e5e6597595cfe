// Sorted pages, by properties: whatever changes come, page by page they make what all at once make.

import fc from "fast-check";
import { expect, test } from "vitest";
import { groupByPage, mergeItems, type ItemChange } from "./merge-items.ts";
import { pack } from "./row-pages.ts";
import { indexOfPage, type ItemOrder, type PageRef } from "./sorted-pages.ts";

interface Item {
  readonly key: number;
  readonly value: string;
}

const order: ItemOrder<Item, number> = { keyOf: ({ key }) => key, compare: (a, b) => a - b, pageSize: () => 4 };
const items = fc
  .uniqueArray(fc.record({ key: fc.integer({ min: 0, max: 60 }), value: fc.constant("old") }), {
    selector: (i) => i.key,
  })
  .map((all) => all.sort((a, b) => a.key - b.key));
const changes = fc
  .uniqueArray(fc.record({ key: fc.integer({ min: -3, max: 63 }), isPut: fc.boolean() }), { selector: (c) => c.key })
  .map((all) =>
    all
      .sort((a, b) => a.key - b.key)
      .map(({ key, isPut }): ItemChange<Item, number> => ({ key, item: isPut ? { key, value: "new" } : null, seq: 1 })),
  );

const refsOf = (pages: readonly (readonly Item[])[]): PageRef<number>[] =>
  pages.map((page, i) => ({ first: page[0]!.key, count: page.length, page: i }));

/** What the changes make of all items, the plain way. */
function applied(all: readonly Item[], made: readonly ItemChange<Item, number>[]): Item[] {
  const byKey = new Map(all.map((item) => [item.key, item]));
  for (const { key, item } of made) {
    if (item === null) byKey.delete(key);
    else byKey.set(key, item);
  }
  return [...byKey.values()].sort((a, b) => a.key - b.key);
}

test("packing keeps every item in its place, and no page is empty or larger than it should be", () => {
  fc.assert(
    fc.property(items, (all) => {
      const pages = pack(all, order);
      expect(pages.flat()).toEqual(all);
      for (const page of pages) expect(page.length > 0 && page.length <= 4).toBe(true);
    }),
  );
});

test("the page of a key is the last that begins at it or before, or else the first", () => {
  fc.assert(
    fc.property(items, fc.integer({ min: -3, max: 63 }), (all, key) => {
      const refs = refsOf(pack(all, order));
      const expected = refs.findLastIndex(({ first }) => first <= key);
      expect(indexOfPage(refs, key, order.compare)).toBe(refs.length === 0 ? -1 : Math.max(0, expected));
    }),
  );
});

test("merging gives what the changes make of the items, and tells those that it replaced", () => {
  fc.assert(
    fc.property(items, changes, (all, made) => {
      const merged = mergeItems(all, made, order);
      expect(merged.items).toEqual(applied(all, made));
      expect(merged.replaced).toEqual(all.filter(({ key }) => made.some((change) => change.key === key)));
    }),
  );
});

test("changes page by page, so many pages at a time, make what all at once make", () => {
  fc.assert(
    fc.property(items, changes, fc.integer({ min: 1, max: 3 }), (all, made, pagesMax) => {
      let pages: (readonly Item[])[] = pack(all, order);
      for (let at = 0; at < made.length;) {
        const groups = groupByPage(refsOf(pages), made.slice(at), order, pagesMax);
        expect(groups.length).toBeLessThanOrEqual(pagesMax);
        const next = pages.length === 0 ? [[]] : pages;
        const merged = new Map(
          groups.map((group) => [group.at, pack(mergeItems(next[group.at]!, group.changes, order).items, order)]),
        );
        pages = next.flatMap((page, i) => merged.get(i) ?? [page]);
        at += groups.reduce((sum, group) => sum + group.changes.length, 0);
      }
      expect(pages.flat()).toEqual(applied(all, made));
    }),
  );
});
