// Owns: a store whose code is loaded when it is first used: for one that few pages need.
// Invariant: nothing is asked of `cold` before `open` has resolved (the contract of `Store`), so the store is there by then.

import { must } from "../../core/lib/assert.ts";
import type { Store } from "./store.ts";

/** Makes a store that is `load`'s result from its first use on. A `load` that failed is tried again at the next use. */
export function createLazyStore(load: () => Promise<Store>): Store {
  let loading: Promise<Store> | null = null;
  let loaded: Store | null = null;
  const store = (): Promise<Store> =>
    (loading ??= load().then(
      (made) => (loaded = made),
      (error: unknown) => {
        loading = null;
        throw error;
      },
    ));
  return {
    load: async (onRows) => (await store()).load(onRows),
    open: async (onChanges) => (await store()).open(onChanges),
    get cold() {
      return must(loaded, "lazy store: it has been opened").cold;
    },
    append: async (...args) => (await store()).append(...args),
    takeEpoch: async (replicaID) => (await store()).takeEpoch(replicaID),
    reign: async (replicaID) => (await store()).reign(replicaID),
    sync: async (...args) => (await store()).sync(...args),
    reset: async (keep) => (await store()).reset(keep),
    close: () => loaded?.close(),
  };
}
