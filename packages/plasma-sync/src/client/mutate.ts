// Owns: the `mutate` function of a client: checks a call, hands it to the replica, and shapes the promise.

import { PlasmaError } from "../core/error.ts";
import type { Env } from "../core/lib/env.ts";
import { MUTATORS, type AnyMutators, type MutatorDef } from "../core/mutation/mutator.ts";
import { createSeed } from "../core/mutation/new-id.ts";
import { validateArgs } from "../core/mutation/run-mutator.ts";
import { checkArgsSize, decodeTagged, encodeTagged, isBlob, type FileTag } from "../core/protocol/tagged-json.ts";
import type { FileRef } from "../core/schema/value.ts";
import type { ClientFilesOpener } from "./blobs/open-client-files.ts";
import type { Mutate, MutationPromise } from "./plasma-client.ts";
import { Deferred } from "./replica/deferred.ts";
import type { ServerOutcome } from "./replica/pending-mutation.ts";
import type { Replica } from "./replica/replica.ts";

export interface MutateDeps {
  readonly mutators: AnyMutators;
  readonly schemaVersion: string;
  readonly replica: Replica;
  readonly env: Env;
  /** Throws when the client is closed. */
  readonly assertOpen: () => void;
  /** Asked for by the first mutation that is given a file. */
  readonly openFiles: ClientFilesOpener["open"];
  /** Entered here until it ends, so that `close` can end it. */
  readonly outcomes: Set<ServerOutcome>;
}

/** Makes the `mutate` of a client. */
export function createMutate<M extends AnyMutators>(deps: MutateDeps): Mutate<M> {
  const byName = deps.mutators[MUTATORS].byName;
  const mutate = (name: string, args?: unknown): MutationPromise => {
    const outcome: ServerOutcome = new Deferred();
    const local = run(deps, byName, { name, args, outcome });
    local.catch((error: unknown) => outcome.reject(error));
    return Object.assign(local, { server: outcome.promise });
  };
  for (const name of byName.keys()) {
    Object.defineProperty(mutate, name, { value: (args?: unknown) => mutate(name, args), enumerable: true });
  }
  return mutate;
}

/** Once every Blob has been taken in. */
type FileRefTag = { readonly $file: FileRef };

async function run(
  deps: MutateDeps,
  byName: ReadonlyMap<string, MutatorDef>,
  call: { readonly name: string; readonly args: unknown; readonly outcome: ServerOutcome },
): Promise<void> {
  const { outcomes } = deps;
  const { name, outcome } = call;
  deps.assertOpen();
  const def = byName.get(name);
  if (def === undefined) throw new PlasmaError("mutation/unknown", { name, known: [...byName.keys()] });
  const tags: FileTag[] = [];
  const args = encodeTagged(call.args, name, tags);
  const make = () => makeMutation(deps, def, { name, args, tags: tags as FileRefTag[], outcome });
  const hasBlobs = tags.some(({ $file }) => isBlob($file));
  const { durable } = await (hasBlobs ? (await deps.openFiles()).take(tags, name, make) : make());
  outcomes.add(outcome);
  void outcome.promise.catch(() => undefined).then(() => outcomes.delete(outcome));
  await durable;
}

/** All files of the args are FileRefs by now. */
async function makeMutation(
  { replica, env, schemaVersion, assertOpen }: MutateDeps,
  def: MutatorDef,
  call: {
    readonly name: string;
    readonly args: unknown;
    readonly tags: readonly FileRefTag[];
    readonly outcome: ServerOutcome;
  },
): Promise<{ readonly durable: Promise<void> }> {
  const { name, args, tags, outcome } = call;
  assertOpen();
  const hashes = tags.flatMap(({ $file }) => ($file.inline === undefined ? $file.hash : []));
  checkArgsSize(args, name);
  validateArgs(def, name, decodeTagged(args));
  return replica.mutate({
    name,
    args,
    seed: createSeed(env),
    timestamp: env.now(),
    schemaVersion,
    ...(hashes.length > 0 && { files: [...new Set(hashes)] }),
    outcome,
  });
}
