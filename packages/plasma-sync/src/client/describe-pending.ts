// Owns: a pending mutation as the app sees it.

import { decodeTagged } from "../core/protocol/tagged-json.ts";
import type { PendingMutationInfo } from "./plasma-client.ts";
import type { PendingMutation } from "./replica/pending-mutation.ts";

/** `isHeld`: it waits for files, or behind one of its client that does. */
export function describePending(mutation: PendingMutation, isHeld = false): PendingMutationInfo {
  const { clientID, id, name, args, timestamp } = mutation.entry;
  const { state, attempts, lastError } = mutation;
  return {
    clientID,
    id,
    name,
    args: decodeTagged(args),
    timestamp,
    state: isHeld ? "held" : state,
    attempts,
    ...(lastError === null ? {} : { lastError }),
  };
}
