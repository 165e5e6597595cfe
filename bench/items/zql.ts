// Owns: the items on ZQL, the query engine of Zero (imported by file: the package does not export it).

import { createSchema } from "../node_modules/@rocicorp/zero/out/zero-schema/src/builder/schema-builder.js";
import {
  boolean,
  number,
  string,
  table,
} from "../node_modules/@rocicorp/zero/out/zero-schema/src/builder/table-builder.js";
import { MemorySource } from "../node_modules/@rocicorp/zero/out/zql/src/ivm/memory-source.js";
import { makeSourceChangeAdd, makeSourceChangeEdit } from "../node_modules/@rocicorp/zero/out/zql/src/ivm/source.js";
import { createBuilder } from "../node_modules/@rocicorp/zero/out/zql/src/query/create-builder.js";
import { ZqlDelegate } from "../zql-delegate.ts";
import { LIMIT, LIST_ID, type Item, type QueryName } from "./items.ts";
import type { ItemEngine } from "./store.ts";

const items = table("items")
  .columns({ id: string(), listId: string(), text: string(), done: boolean(), rank: number(), at: number() })
  .primaryKey("id");
const schema = createSchema({ tables: [items] });
const builder = createBuilder(schema);

const queries: { readonly [name in QueryName]: () => unknown } = {
  all: () => builder.items.orderBy("rank", "asc"),
  undone: () => builder.items.where("done", false).orderBy("rank", "asc").limit(LIMIT),
  list: () => builder.items.where("listId", LIST_ID).orderBy("rank", "asc"),
  newest: () => builder.items.orderBy("at", "desc").limit(LIMIT),
};

export const zql: ItemEngine = {
  name: "ZQL",
  deliveries: ["rows"],
  start(rows) {
    const { name, columns, primaryKey } = schema.tables.items;
    const delegate = new ZqlDelegate(new Map([["items", new MemorySource(name, columns, primaryKey)]]));
    for (const row of rows) delegate.push("items", makeSourceChangeAdd(row as never));
    return {
      open(query) {
        let now: readonly Item[] = [];
        delegate.show(queries[query](), (latest) => (now = latest as readonly Item[]));
        return { rows: () => now };
      },
      update: (before, after) => delegate.push("items", makeSourceChangeEdit(after as never, before as never)),
    };
  },
};
