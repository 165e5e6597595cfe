// Owns: asking the app who a request is from, and holding what the request says of itself to the answer.

import { serverError } from "../server-error.ts";
import type { Authorized, SyncHandlerOptions } from "../handler-options.ts";

/** Asks `auth`, then `rateLimit`. Throws `auth/unauthorized`, `limit/rate`, or what they throw. */
export async function authorize(
  { auth, rateLimit }: Pick<SyncHandlerOptions, "auth" | "rateLimit">,
  request: Request,
): Promise<Authorized> {
  const result = await auth(request);
  if (!result.ok) throw serverError("auth/unauthorized", { reason: result.reason });
  const rate = rateLimit === undefined ? null : await rateLimit({ request, auth: result });
  if (rate !== null && !rate.ok) throw serverError("limit/rate", { retryAfterSeconds: rate.retryAfterSeconds });
  return result;
}

/** Whom a request says that it is from. Sockets may leave it out. */
export interface ClaimedIdentity {
  readonly clientGroupID?: string;
  readonly clientID?: string;
}

/** Throws `auth/group-mismatch` or `auth/client-mismatch` where the claim is not the login's. */
export function checkIdentity(auth: Authorized, { clientGroupID, clientID }: ClaimedIdentity): void {
  if (clientGroupID !== undefined && clientGroupID !== auth.clientGroupID) throw serverError("auth/group-mismatch", {});
  if (clientID !== undefined && auth.clientID !== undefined && auth.clientID !== clientID)
    throw serverError("auth/client-mismatch", { clientID });
}
