// Owns: TestMutation, a call of `mutate` in a test, and forgePush, the same mutation as a forged client sends it.

import type { Env } from "../core/lib/env.ts";
import { createSeed } from "../core/mutation/new-id.ts";
import type { PushResponse } from "../core/protocol/push.ts";
import { encodeTagged } from "../core/protocol/tagged-json.ts";
import { PROTOCOL_VERSION } from "../core/protocol/version.ts";
import { MutationRejectedError } from "../client/mutation-rejected-error.ts";
import type { MutationPromise } from "../client/plasma-client.ts";
import { ENDPOINT, type SimWorld } from "./sim-world.ts";
import { showCall, TestFailure } from "./test-failure.ts";
import { LazyPromise, type TestTime } from "./test-time.ts";

export type Outcome = { readonly clientID: string; readonly id: number };

/** Who called a mutation, of what is needed to call it again. */
export interface Caller {
  readonly user: string;
  readonly forge: object;
}

export interface Call {
  readonly server: Promise<Outcome>;
  readonly caller: Caller;
  readonly name: string;
  readonly args: unknown;
}

/** What `mutate` of a test's client returns: a MutationPromise that knows whose call it was. */
export class TestMutation extends LazyPromise<void> implements MutationPromise {
  readonly call: Call;

  constructor(watch: () => Promise<void>, call: Call) {
    super(watch);
    this.call = call;
  }

  get server(): Promise<Outcome> {
    return this.call.server;
  }
}

/** Names the mutation for a person. */
export const showMutation = ({ caller, name, args }: Call): string => `${caller.user}'s ${showCall(name, args)}`;

/** `f(name, args)` and `f.name(args)`. */
export function callable<T>(names: readonly string[], call: (name: string, args: unknown) => T) {
  const fn = (name: string, args?: unknown): T => call(name, args);
  for (const name of names)
    Object.defineProperty(fn, name, { value: (args?: unknown) => call(name, args), enumerable: true });
  return fn;
}

export interface ForgeScope {
  readonly world: SimWorld;
  readonly time: TestTime;
  readonly env: Env;
  readonly schemaVersion: string;
  readonly user: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Pushes the mutation as the first of a client that nobody knows. Throws MutationRejectedError when it is refused. */
export async function forgePush(scope: ForgeScope, name: string, args: unknown): Promise<Outcome> {
  const { world, time, env, schemaVersion, user } = scope;
  const clientID = env.randomUUID();
  const mutation = { id: 1, name, args: encodeTagged(args, name), timestamp: env.now(), seed: createSeed(env) };
  const request = {
    method: "POST",
    url: `${ENDPOINT}/push`,
    headers: Object.entries({ ...scope.headers, "content-type": "application/json" }),
    body: JSON.stringify({
      protocolVersion: PROTOCOL_VERSION,
      schemaVersion,
      clientGroupID: user,
      clientID,
      replicaID: env.randomUUID(),
      mutations: [mutation],
    }),
  };
  const { status, body } = await time.watch(`${user}'s forged ${showCall(name, args)}`, mustRun(world).handle(request));
  if (status !== 200) throw new TestFailure("test/denied", `The server answered a forged push with ${status}: ${body}`);
  const { results } = JSON.parse(body) as PushResponse;
  const error = results[0]?.error;
  if (error !== undefined) throw new MutationRejectedError(error, name, args);
  return { clientID, id: 1 };
}

/** The running server; a test failure while there is none. */
export function mustRun(world: SimWorld) {
  const { running } = world.server;
  if (running === null) throw new TestFailure("test/usage", "No server runs: world.server.start() starts one.");
  return running;
}
