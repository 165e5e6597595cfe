// Owns: RunScope, a run as its oracles see it.

import type { SimTab, SimWorld } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import type { App } from "./app.ts";
import type { Ctx, Version } from "./feature.ts";
import type { History } from "./history.ts";

export interface RunScope {
  readonly history: History;
  readonly world: SimWorld;
  readonly apps: { readonly v1: App; readonly v2: App };
  readonly serverVersion: Version;
  /** Who has ever been one. */
  readonly wasAdmin: ReadonlySet<string>;
  readonly openTabs: readonly SimTab[];
  appOf(tab: SimTab): App;
  /** The user as the server knows them now. */
  who(user: string): Ctx;
  /** Lets time pass until it has ended. */
  during<T>(work: Promise<T>): Promise<T>;
  trace(who: string, what: string): void;
}
