// Owns: the rows and live queries of `sorted-100k` and `memory`: the same for every engine and run (the seed is fixed).
// Invariant: ranks and times are distinct, so orders are total without ids.

export interface Item {
  readonly id: string;
  readonly listId: string;
  readonly text: string;
  readonly done: boolean;
  readonly rank: number;
  readonly at: number;
}

export const ITEMS = 100_000;
const LISTS = 1_000;
export const LIMIT = 50;
export const LIST_ID = "list-0007";
/** Between two ranks: others fit there. */
export const STEP = 1_000;

/** The queries: every item by rank; the first undone ones by rank; one list's by rank; the newest. */
export const queryNames = ["all", "undone", "list", "newest"] as const;
export type QueryName = (typeof queryNames)[number];

/** 100k rows of about 100 bytes as JSON, in an order that is that of no index. */
export function createItems(): Item[] {
  // A stride that shares no factor with the length visits every place once.
  const place = (i: number, stride: number) => (i * stride) % ITEMS;
  return Array.from({ length: ITEMS }, (_, i) => ({
    id: `item-${String(i).padStart(6, "0")}`,
    listId: `list-${String(i % LISTS).padStart(4, "0")}`,
    text: `Text of item ${i}`,
    done: place(i, 7_919) % 3 === 0,
    rank: place(i, 61_803) * STEP,
    at: place(i, 38_197) * STEP,
  }));
}

/** What a query holds, by plain JavaScript. */
export function answerOf(query: QueryName, items: readonly Item[]): readonly Item[] {
  const byRank = (a: Item, b: Item) => a.rank - b.rank;
  switch (query) {
    case "all":
      return items.toSorted(byRank);
    case "undone":
      return items
        .filter(({ done }) => !done)
        .sort(byRank)
        .slice(0, LIMIT);
    case "list":
      return items.filter(({ listId }) => listId === LIST_ID).sort(byRank);
    case "newest":
      return items.toSorted((a, b) => b.at - a.at).slice(0, LIMIT);
  }
}

/** Throws unless an engine's rows are the expected ones. */
export function expectItems(rows: readonly Item[], expected: readonly Item[], when: string): void {
  const differing = Array.from({ length: Math.max(rows.length, expected.length) }, (_, i) => i).find(
    (i) => textOf(rows[i]) !== textOf(expected[i]),
  );
  if (differing === undefined) return;
  throw new Error(
    `${when}: row ${differing} of ${rows.length} is ${textOf(rows[differing])}, expected ${textOf(expected[differing])}`,
  );
}

const textOf = (item: Item | undefined): string =>
  item === undefined ? "none" : `${item.id} ${item.listId} ${item.text} ${item.done} ${item.rank} ${item.at}`;
