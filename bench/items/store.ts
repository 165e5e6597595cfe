// Owns: the interface of the engines of `sorted-100k` and `memory`.

import type { Item, QueryName } from "./items.ts";

/** What a listener is handed: the rows as an array, or only what changed. */
export type Delivery = "rows" | "changes";

export interface ItemEngine {
  readonly name: string;
  readonly deliveries: readonly Delivery[];
  /** `indexed`: columns that the queries to come order or filter by. */
  start(items: readonly Item[], indexed: readonly (keyof Item)[]): ItemStore;
}

export interface ItemStore {
  open(query: QueryName, delivery: Delivery): OpenItems;
  /** When it returns, the listeners have what they are due. */
  update(before: Item, after: Item): void;
}

export interface OpenItems {
  /** What the listener knows: the array that it got last, or the changes that it got, put together. Not timed. */
  rows(): readonly Item[];
}

/** Puts changes together, for listeners that are handed nothing else. */
export function rowsOfChanges(puts: readonly Item[]): readonly Item[] {
  const byID = new Map(puts.map((item) => [item.id, item]));
  return [...byID.values()].sort((a, b) => a.rank - b.rank);
}
