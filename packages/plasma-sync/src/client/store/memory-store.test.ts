import { systemEnv } from "../../core/lib/env.ts";
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
