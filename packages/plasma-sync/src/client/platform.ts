// Owns: ClientPlatform: what a client stands on in its tab: the local database, the other tabs, the tab's identity, word of the
// network. A browser has all of them; in memory there are none; the simulator of `plasma-sync/testing` brings its own.

import type { Env } from "../core/lib/env.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { LocalBlobs } from "./blobs/local-blobs.ts";
import { createIdbStore } from "./store/idb-store.ts";
import { createLazyStore } from "./store/lazy-store.ts";
import type { Store } from "./store/store.ts";
import { browserTabLinks } from "./tabs/browser-tab-links.ts";
import { takeClientID, type ClientIdentity } from "./tabs/client-identity.ts";
import type { WatchPage } from "./tabs/hand-over.ts";
import { singleTabLinks } from "./tabs/single-tab-links.ts";
import type { TabLinks } from "./tabs/tab-links.ts";
import { watchNetwork, type NetworkState } from "./transport/network-state.ts";

export interface ClientPlatform {
  readonly links: TabLinks;
  readonly store: Store;
  /** Opens the bytes of files beside the store. Called when the first file needs it: it loads the code for them. */
  readonly openBlobs: () => Promise<LocalBlobs>;
  readonly identity: ClientIdentity;
  /** Default: the page of this tab. */
  readonly watchPage?: WatchPage;
  /** Calls `onChange` when the platform's word on the network changes. */
  readonly watchNetwork: (onChange: (online: boolean) => void) => NetworkState;
}

export interface PlatformScope {
  /** Names the local database and everything that its tabs share. */
  readonly database: string;
  readonly schema: AnySchema;
  readonly schemaVersion: string;
  readonly env: Env;
  readonly durability: "relaxed" | "strict";
}

/** Opens what a client stands on. */
export type OpenPlatform = (scope: PlatformScope) => ClientPlatform;

export const browserPlatform: OpenPlatform = ({ database, ...scope }) => ({
  links: browserTabLinks(),
  identity: takeClientID(database, scope.env),
  store: createIdbStore({ name: database, ...scope }),
  openBlobs: async () => (await import("./store/idb-local-blobs.ts")).createIdbLocalBlobs({ name: database, ...scope }),
  watchNetwork,
});

/** Nothing is kept, and no other tab is there. */
export const memoryPlatform: OpenPlatform = ({ env }) => ({
  links: singleTabLinks(),
  identity: takeClientID(null, env),
  store: createLazyStore(async () => (await import("./store/memory-store.ts")).createMemoryStore(env)),
  openBlobs: async () => (await import("./blobs/memory-local-blobs.ts")).createMemoryLocalBlobs(env),
  watchNetwork,
});
