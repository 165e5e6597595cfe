// Owns: TestClient, what a test holds of a client: a PlasmaClient, and what a person can do to its browser.

import type { AnyMutators, MutatorArgs, MutatorName } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { ArgsList, PlasmaClient } from "../client/plasma-client.ts";
import type { SyncClientError } from "../client/sync/sync-error.ts";

/** Sends a mutation past the optimistic run, as a forged client would. */
export type Forge<M extends AnyMutators> = {
  readonly [N in MutatorName<M>]: (
    ...args: ArgsList<MutatorArgs<M, N>>
  ) => Promise<{ readonly clientID: string; readonly id: number }>;
};

/** Another release of the app, which a reload brings. What is not named stays. */
export interface AppVersion {
  readonly schema?: AnySchema;
  readonly mutators?: AnyMutators;
  readonly schemaVersion?: string;
  /** As the client's option: whether there is a server at all. */
  readonly offline?: boolean;
}

/**
 * A real client in a tab of a simulated browser. It outlives reloads and crashes of its tab. Promises that it returns let
 * virtual time pass when they are awaited.
 */
export interface TestClient<S extends AnySchema = AnySchema, M extends AnyMutators = AnyMutators> extends PlasmaClient<
  S,
  M
> {
  /** As given to `world.client`. */
  readonly user: string;
  /**
   * Sends a mutation to the server past the optimistic run, as somebody with a forged client would: what only the browser
   * refuses is allowed. Resolves when it was applied, rejects with MutationRejectedError.
   *
   * @example
   * await expectDenied(() => linus.forge.addMember({ listId: "trip", userId: "linus" }));
   */
  readonly forge: Forge<M>;
  /** Everything that its tab was told in `onError`, oldest first, over reloads. */
  readonly errors: readonly SyncClientError[];
  /** Opens another tab in the same browser: the same disk, another sessionStorage. */
  openTab(): Promise<TestClient<S, M>>;
  /**
   * Reloads the page: the client is closed, and made anew on what its browser has kept. After a crash it opens the page again.
   * `version` is what the page is from now on: a new release.
   */
  reload(version?: AppVersion): Promise<void>;
  /** The tab ends where it stands: what is not on its disk is lost. `reload()` opens it again. */
  crash(): void;
  /** The browser stops the tab, as it does to hidden ones: it runs nothing until `resume()`. */
  freeze(): void;
  resume(): void;
  /** The browser, with all its tabs, has no network and knows it. */
  goOffline(): void;
  goOnline(): void;
  readonly isOffline: boolean;
  /** The clock of the device is wrong by so many milliseconds, until the tab is reloaded. */
  skewClock(ms: number): void;
  /** Changes the user's `ctx` on all their devices and, unless the world has an `auth`, on the server. */
  setContext(ctx: unknown): void;
}
