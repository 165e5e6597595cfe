// Owns: createIdbEngine: queries, writes and live queries on a local database alone, without sync or mutators.
// Invariants:
//   1. A write is shown when it is durable.
//   2. One page at a time writes: the one that opened last. Another page's write is refused with `client/deposed`.

import { systemEnv } from "../core/lib/env.ts";
import { runStatement } from "../core/mutation/statement.ts";
import type { QueryEngine } from "../core/query/query-engine.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import { createQueryRuntime } from "./ivm/create-query-runtime.ts";
import { planAppend } from "./replica/rebase.ts";
import { ReplicaTransaction } from "./replica/replica-transaction.ts";
import { RowMap } from "./replica/row-map.ts";
import { SerialQueue } from "./replica/serial-queue.ts";
import { createIdbStore } from "./store/idb-store.ts";

export interface IdbEngine extends QueryEngine {
  /** Ends use of the database; it stays. */
  close(): void;
}

/**
 * An engine on IndexedDB for `createDb`: local data that nobody else sees.
 *
 * @throws PlasmaError `client/storage` from its calls when the database cannot be used.
 * @example
 * const db = createDb({ schema, engine: createIdbEngine({ schema, dbName: "drafts" }) });
 * await db.insert(drafts).values({ text: "Once upon a time" });
 */
export function createIdbEngine(options: { readonly schema: AnySchema; readonly dbName: string }): IdbEngine {
  const { schema, dbName } = options;
  const env = systemEnv;
  const store = createIdbStore({ name: `plasma-local:${encodeURIComponent(dbName)}`, schema, env });
  const runtime = createQueryRuntime({ schema });
  const queue = new SerialQueue();
  const opened = queue.run(async () => {
    const { replicaID } = await store.load((table, rows) => runtime.fill(table, rows));
    const { epoch } = await store.takeEpoch(replicaID);
    runtime.setStatus("complete");
    return { replicaID, epoch };
  });
  opened.catch(() => undefined); // Every call below tells of it.
  return {
    select: async (query) => {
      await opened;
      return runtime.select(query);
    },
    live: (query) => runtime.live(query),
    explain: (query) => runtime.explain(query),
    write: (statement) =>
      queue.run(async () => {
        const { replicaID, epoch } = await opened;
        const transaction = new ReplicaTransaction(runtime, new RowMap());
        await runStatement({ schema, store: transaction, newId: () => env.randomUUID() }, statement);
        const { changes } = planAppend(runtime, transaction);
        const rows = changes.map(({ table, id, after }) => ({ table, id, row: after }));
        await store.sync(replicaID, epoch, { changes: rows, confirmed: {}, rejected: [] });
        runtime.commit(changes);
      }),
    close: () => store.close(),
  };
}
