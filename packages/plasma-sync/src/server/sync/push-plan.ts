// Owns: the checks of a whole push before anything of it runs: who owns its clients, and that no id is missing.

import type { PushMutation, PushRequest } from "../../core/protocol/push.ts";
import type { ClientRecord } from "../database/push-transaction.ts";
import { serverError } from "../server-error.ts";

/** The client that made the mutation. */
export const clientOf = (request: PushRequest, mutation: PushMutation): string => mutation.clientID ?? request.clientID;

/** Ids in the body per client, the top-level one included. */
export function idsByClient(request: PushRequest): ReadonlyMap<string, readonly number[]> {
  const ids = new Map<string, number[]>([[request.clientID, []]]);
  for (const mutation of request.mutations) {
    const clientID = clientOf(request, mutation);
    const list = ids.get(clientID);
    if (list === undefined) ids.set(clientID, [mutation.id]);
    else list.push(mutation.id);
  }
  return ids;
}

/** Each client's last processed id; 0 for those that the server does not know. */
export function lastIDs(request: PushRequest, clients: ReadonlyMap<string, ClientRecord>): Map<string, number> {
  return new Map(
    [...idsByClient(request).keys()].map((clientID) => [clientID, clients.get(clientID)?.lastMutationID ?? 0]),
  );
}

/**
 * Throws `auth/client-mismatch` when a client of the push belongs to another group or replica. A client that never named
 * its replica may still do so.
 */
export function checkOwners(request: PushRequest, clients: ReadonlyMap<string, ClientRecord>): void {
  for (const { clientID, clientGroupID, replicaID } of clients.values()) {
    if (clientGroupID === request.clientGroupID && (replicaID === null || replicaID === request.replicaID)) continue;
    throw serverError("auth/client-mismatch", { clientID });
  }
}

/** Throws `push/gap` when a client's ids do not go on from its last one, anywhere in the body. */
export function checkGaps(request: PushRequest, clients: ReadonlyMap<string, ClientRecord>): void {
  const next = lastIDs(request, clients);
  for (const mutation of request.mutations) {
    const clientID = clientOf(request, mutation);
    const last = next.get(clientID) ?? 0;
    if (mutation.id > last + 1) {
      throw serverError("push/gap", { clientID, lastMutationID: clients.get(clientID)?.lastMutationID ?? 0 });
    }
    if (mutation.id === last + 1) next.set(clientID, mutation.id);
  }
}
