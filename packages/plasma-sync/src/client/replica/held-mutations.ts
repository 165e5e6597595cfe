// Owns: which pending mutations are held: their files must be on the server before they may be pushed.
// Invariants:
//   1. Behind a held mutation the later ones of its client are held too, so that a client's mutations arrive in order. Those of
//      other clients go on.

import type { PendingMutation } from "./pending-mutation.ts";

/**
 * A check that is asked about pending mutations in their order. `isUploaded` says whether the server is known to have a file.
 */
export function createHoldCheck(isUploaded: (hash: string) => boolean): (mutation: PendingMutation) => boolean {
  const clients = new Set<string>();
  return ({ entry: { clientID, files }, state }) => {
    if (state === "applied") return false;
    const isHeld = clients.has(clientID) || files?.every(isUploaded) === false;
    if (isHeld) clients.add(clientID);
    return isHeld;
  };
}
