// Owns: createColdStore, a store in memory with cold rows, for the tests of what stands on a Store.

import { PlasmaError } from "../../core/error.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Env } from "../../core/lib/env.ts";
import { LayeredRows } from "./layered-rows.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { BaseChange, Store } from "./store.ts";

export interface ColdStore extends Store {
  /** Makes all rows cold: what `open` hands over from now on is what later commits change. */
  fold(): void;
}

/**
 * A store in memory whose rows become cold some commits after they were written. Before each cold read it waits for `enter`.
 */
export function createColdStore(
  { env, schema }: { readonly env: Env; readonly schema: AnySchema },
  enter: () => Promise<void> = () => Promise.resolve(),
): ColdStore {
  const store = createMemoryStore(env);
  const layers = new LayeredRows();
  /** Reset since it was opened. */
  let isOver = false;
  const tables = [...schema.tablesByName.keys()];
  return {
    load(onRows) {
      isOver = false;
      return store.load(onRows);
    },
    open(onChanges) {
      isOver = false;
      for (const table of tables) {
        const changes: readonly BaseChange[] = layers.changes(table);
        if (changes.length > 0) onChanges(changes);
      }
      return store.load(() => undefined);
    },
    cold: layers.cold(schema.tablesByName, async (read) => {
      await enter();
      if (isOver) throw new PlasmaError("client/deposed", {});
      return read();
    }),
    async append(...args) {
      const commit = await store.append(...args);
      layers.commit(commit.seq, commit.changes ?? []);
      return commit;
    },
    takeEpoch: (replicaID) => store.takeEpoch(replicaID),
    reign: (replicaID) => store.reign(replicaID),
    async sync(...args) {
      const commit = await store.sync(...args);
      layers.commit(commit.seq, commit.sync.changes);
      return commit;
    },
    async reset(keep = new Set()) {
      isOver = true;
      await store.reset(keep);
      layers.clear(keep);
    },
    close: () => store.close(),
    fold: () => layers.fold(),
  };
}
