// Owns: the items on TanStack DB.

import {
  BTreeIndex,
  createCollection,
  createLiveQueryCollection,
  eq,
  Query,
  type Collection,
  type SyncConfig,
} from "@tanstack/db";
import { LIMIT, LIST_ID, type Item, type QueryName } from "./items.ts";
import { rowsOfChanges, type ItemEngine } from "./store.ts";

type Sync = Parameters<SyncConfig<Item, string>["sync"]>[0];

export const tanstack: ItemEngine = {
  name: "TanStack DB",
  deliveries: ["rows", "changes"],
  start(rows, indexed) {
    let sync: Sync | undefined;
    const collection = createCollection<Item, string>({
      id: "items",
      getKey: (item) => item.id,
      startSync: true,
      gcTime: 0,
      sync: {
        rowUpdateMode: "full",
        sync(params) {
          sync = params;
          params.markReady();
        },
      },
    }) as unknown as Collection<Item, string>;
    for (const column of indexed) collection.createIndex((item) => item[column], { indexType: BTreeIndex });
    sync?.begin();
    for (const value of rows) sync?.write({ type: "insert", value });
    void sync?.commit();
    return {
      open(query, delivery) {
        const live = openLive(collection, query);
        if (delivery === "rows") {
          let now: readonly Item[] = [];
          live.subscribeChanges(() => (now = live.toArray));
          now = live.toArray;
          return { rows: () => now };
        }
        const puts: Item[] = [];
        live.subscribeChanges(
          (changes) => {
            for (const { type, value } of changes) if (type !== "delete") puts.push(value);
          },
          { includeInitialState: true },
        );
        return { rows: () => rowsOfChanges(puts) };
      },
      update(_, after) {
        sync?.begin();
        sync?.write({ type: "update", value: after });
        void sync?.commit();
      },
    };
  },
};

interface Live {
  readonly toArray: readonly Item[];
  subscribeChanges(
    listener: (changes: readonly { readonly type: string; readonly value: Item }[]) => void,
    options?: { readonly includeInitialState: boolean },
  ): unknown;
}

function openLive(items: Collection<Item, string>, name: QueryName): Live {
  const from = () => new Query().from({ item: items });
  const live = { startSync: true, gcTime: 0 } as const;
  switch (name) {
    case "all":
      return createLiveQueryCollection({ ...live, query: from().orderBy(({ item }) => item.rank) });
    case "undone": {
      const undone = from().where(({ item }) => eq(item.done, false));
      return createLiveQueryCollection({ ...live, query: undone.orderBy(({ item }) => item.rank).limit(LIMIT) });
    }
    case "list": {
      const list = from().where(({ item }) => eq(item.listId, LIST_ID));
      return createLiveQueryCollection({ ...live, query: list.orderBy(({ item }) => item.rank) });
    }
    case "newest":
      return createLiveQueryCollection({
        ...live,
        query: from()
          .orderBy(({ item }) => item.at, "desc")
          .limit(LIMIT),
      });
  }
}
