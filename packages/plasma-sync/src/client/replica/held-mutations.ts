// Owns: which pending mutations are held: their files must be on the server before they may be pushed.
// Invariants:
//   1. Behind a held mutation the later ones of its client are held too, so that a client's mutations arrive in order. Those of
//      other clients go on.

import type { PendingMutation } from "./pending-mutation.ts";

/**
 * A check that is asked about pending mutations in their order. `isFree` says whether a mutation waits for one of its files no more.
 */
export function createHoldCheck(
  isFree: (hash: string, mutation: PendingMutation) => boolean,
): (mutation: PendingMutation) => boolean {
  const clients = new Set<string>();
  return (mutation) => {
    if (mutation.state === "applied") return false;
    const { clientID, files } = mutation.entry;
    const isHeld = clients.has(clientID) || files?.every((hash) => isFree(hash, mutation)) === false;
    if (isHeld) clients.add(clientID);
    return isHeld;
  };
}
