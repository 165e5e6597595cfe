// Owns: the items on Plasma's query runtime.

import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import {
  asc,
  boolean,
  defineSchema,
  desc,
  eq,
  id,
  int,
  real,
  select,
  table,
  text,
  type ResultRow,
  type Row,
  type SelectNode,
} from "../../packages/plasma-sync/src/core/index.ts";
import { LIMIT, LIST_ID, type Item, type QueryName } from "./items.ts";
import { rowsOfChanges, type ItemEngine } from "./store.ts";

const items = table(
  "items",
  { id: id(), listId: text(), text: text(), done: boolean(), rank: real(), at: int() },
  { indexes: (t) => [[t.done, t.rank], [t.listId, t.rank], [t.at]] },
);
const schema = defineSchema({ items });

const queries: { readonly [name in QueryName]: () => SelectNode } = {
  all: () => select().from(items).orderBy(asc(items.rank)).ast,
  undone: () => select().from(items).where(eq(items.done, false)).orderBy(asc(items.rank)).limit(LIMIT).ast,
  list: () => select().from(items).where(eq(items.listId, LIST_ID)).orderBy(asc(items.rank)).ast,
  newest: () => select().from(items).orderBy(desc(items.at)).limit(LIMIT).ast,
};

export const plasma: ItemEngine = {
  name: "Plasma",
  deliveries: ["rows", "changes"],
  start(rows) {
    const runtime = createQueryRuntime({ schema });
    runtime.fill("items", rows as unknown as readonly Row[]);
    runtime.setStatus("complete");
    return {
      open(query, delivery) {
        const live = runtime.live(queries[query]());
        if (delivery === "rows") {
          let now: readonly ResultRow[] = [];
          live.subscribe((latest) => (now = latest));
          return { rows: () => now as unknown as readonly Item[] };
        }
        const puts: ResultRow[] = [];
        live.subscribeDelta(({ added, changed }) => {
          for (const row of added) puts.push(row);
          for (const { after } of changed) puts.push(after);
        });
        return { rows: () => rowsOfChanges(puts as unknown as readonly Item[]) };
      },
      update: (before, after) =>
        runtime.commit([
          { table: "items", id: after.id, before: before as unknown as Row, after: after as unknown as Row },
        ]),
    };
  },
};
