import { systemEnv } from "../../core/lib/env.ts";
import { coldRowsSuite, coldSchema } from "./cold-rows.suite.ts";
import { createColdStore, type ColdStore } from "./cold-store.fixture.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { Store } from "./store.ts";
import { storeSuite } from "./store.suite.ts";

// A store in memory has no second handle: its tabs share the one.
const stores = new Map<string, Store>();
storeSuite("memory", (name) => {
  const store = stores.get(name) ?? createMemoryStore(systemEnv);
  stores.set(name, store);
  return store;
});

coldRowsSuite("memory", {
  open(name) {
    const store = stores.get(name) ?? createMemoryStore(systemEnv);
    stores.set(name, store);
    return store;
  },
  fold: async () => undefined,
  isCold: false,
});

const coldStores = new Map<string, ColdStore>();
coldRowsSuite("memory with cold rows", {
  open(name) {
    const store = coldStores.get(name) ?? createColdStore({ env: systemEnv, schema: coldSchema });
    coldStores.set(name, store);
    return store;
  },
  fold: async (name) => coldStores.get(name)?.fold(),
  isCold: true,
});
