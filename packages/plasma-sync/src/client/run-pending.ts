// Owns: how a pending mutation's mutator is run on the client, at the call and in every replay.

import type { Env } from "../core/lib/env.ts";
import { PlasmaError } from "../core/error.ts";
import { MUTATORS, type AnyMutators } from "../core/mutation/mutator.ts";
import { runMutator } from "../core/mutation/run-mutator.ts";
import { decodeTagged } from "../core/protocol/tagged-json.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { RunPending } from "./replica/replica-deps.ts";

/** Makes the replica's `run`. A mutator that is not there any more throws `mutation/unknown`: the server decides. */
export function createRunPending(deps: {
  readonly schema: AnySchema;
  readonly mutators: AnyMutators;
  readonly env: Env;
}): RunPending {
  const { schema, env } = deps;
  const byName = deps.mutators[MUTATORS].byName;
  return async ({ entry }, store, ctx) => {
    const def = byName.get(entry.name);
    if (def === undefined) throw new PlasmaError("mutation/unknown", { name: entry.name, known: [...byName.keys()] });
    const { name, clientID, id: mutationID, timestamp: now, seed } = entry;
    const args = decodeTagged(entry.args);
    await runMutator({
      schema,
      def,
      store,
      env,
      input: { name, args, ctx, clientID, mutationID, now, seed, side: "client" },
    });
  };
}
