// Owns: a db over the incremental runtime alone: reads and live queries on rows in memory, each write a commit.

import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import { createDb, type AnySchema, type Db, type Row } from "../../packages/plasma-sync/src/core/index.ts";
import type { MutationStore } from "../../packages/plasma-sync/src/core/mutation/mutation-store.ts";
import { runStatement } from "../../packages/plasma-sync/src/core/mutation/statement.ts";

export function memoryDb(schema: AnySchema, tables: { readonly [table: string]: readonly Row[] }): Db {
  const runtime = createQueryRuntime({ schema });
  for (const [table, rows] of Object.entries(tables)) runtime.fill(table, rows);
  runtime.setStatus("complete");
  const select: MutationStore["select"] = (query) => Promise.resolve(runtime.select(query));
  const store: MutationStore = {
    select,
    getMany: async (table, ids) =>
      ids.map((id) => runtime.source(table).get(id)).filter((row): row is Row => row !== undefined),
    write: async (writes) => runtime.commit(writes),
  };
  let made = 0;
  const scope = { schema, store, newId: () => `new-${++made}` };
  return createDb({
    schema,
    engine: {
      select,
      write: (node) => runStatement(scope, node),
      live: (query) => runtime.live(query),
      explain: (query) => runtime.explain(query),
    },
  });
}
