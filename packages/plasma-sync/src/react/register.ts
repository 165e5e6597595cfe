// Owns: how an app tells the hooks what its client is, once, for types without annotations.

import type { PlasmaClient } from "../client/plasma-client.ts";
import type { AnyMutators } from "../core/mutation/mutator.ts";

/**
 * Filled in by the app, so that the hooks know its mutators:
 *
 * @example
 * declare module "plasma-sync/react" {
 *   interface Register {
 *     client: typeof client;
 *   }
 * }
 */
// oxlint-disable-next-line typescript/no-empty-object-type, typescript/no-empty-interface -- apps merge into it
export interface Register {}

/** What the provider needs of a client: any client, whatever its schema and mutators. */
export type AnyPlasmaClient = Omit<PlasmaClient, "mutate" | "schema" | "$mutators">;

/** The client that a registration names; some client when there is none. */
export type ClientOf<R> = R extends { client: infer C extends AnyPlasmaClient } ? C : PlasmaClient;
/** The mutators of a client; some mutators when it does not say. */
export type MutatorsOf<C> = C extends { readonly $mutators?: infer M } ? Extract<M, AnyMutators> : AnyMutators;

/** The app's client. */
export type RegisteredClient = ClientOf<Register>;
/** The app's mutators. */
export type RegisteredMutators = MutatorsOf<RegisteredClient>;
