// Owns: who may open a socket, on every platform: the request is read, its page's origin, its login, its client and its room
// are checked, and can be checked again while the socket is open.
// Invariants:
//   1. No socket is let in before `auth` and `authorizeRoom` have said yes.
//   2. A page of another origin gets none unless `cors` lets it in: a browser sends cookies with any page's socket.
//   3. A client that the database knows as another's is refused: who a socket is, others see.

import { isPlasmaError } from "../../core/error.ts";
import { closeCodes } from "../../core/protocol/realtime.ts";
import type { Authorized } from "../authorized.ts";
import { readClients, toClients } from "../database/push-records.ts";
import type { SyncHandlerOptions } from "../handler-options.ts";
import { refusalOf, refusalResponse, type Refusal } from "../sync/answer.ts";
import { authorize, checkIdentity } from "../sync/authorize.ts";
import { isAllowedOrigin } from "../sync/cors.ts";
import { parseSocketRequest, type SocketRequest } from "../sync/socket-request.ts";
import { serverError } from "../server-error.ts";
import type { Admission, Renewal } from "./listener.ts";

export type Admitted =
  | { readonly kind: "in"; readonly admission: Admission }
  /** To be opened and closed: a page cannot read the status of an upgrade, the code of a close it can. */
  | { readonly kind: "close"; readonly code: number; readonly reason: string; readonly answer: Response }
  | { readonly kind: "answer"; readonly answer: Response };

export interface AdmissionOptions {
  readonly options: SyncHandlerOptions;
  /** Makes sure that the database has Plasma's tables. */
  readonly migrate: () => Promise<void>;
  /** Told of who was refused. */
  readonly refused: (refusal: Refusal, cause: unknown) => void;
}

/** Decides on a request for a socket. Never throws. */
export async function admit(deps: AdmissionOptions, request: Request): Promise<Admitted> {
  try {
    const asked = parseSocketRequest(request);
    const auth = await checked(deps.options, asked);
    if (auth.clientID === undefined) await checkOwner(deps, asked, auth);
    return { kind: "in", admission: admissionOf(deps, asked, auth) };
  } catch (error) {
    const refusal = refusalOf(error);
    deps.refused(refusal, error);
    const answer = refusalResponse(refusal);
    const code = closeCodeOf(error);
    return code === null ? { kind: "answer", answer } : { kind: "close", code, reason: refusal.body.code, answer };
  }
}

function admissionOf(deps: AdmissionOptions, asked: SocketRequest, auth: Authorized): Admission {
  const { room, clientID = null, replicaID = null, schemaVersion = null, wantsPresence } = asked;
  return {
    identity: {
      room,
      clientGroupID: auth.clientGroupID,
      clientID: auth.clientID ?? clientID,
      replicaID,
      schemaVersion,
      wantsPresence,
    },
    auth,
    renew: () => renewal(deps.options, { ...asked, clientGroupID: auth.clientGroupID }),
  };
}

/** The rate limit is for those who come, not for those who are asked. */
async function renewal(given: SyncHandlerOptions, asked: SocketRequest): Promise<Renewal> {
  const { rateLimit: _, ...options } = given;
  try {
    return { ok: true, auth: await checked(options, asked) };
  } catch (error) {
    return { ok: false, code: closeCodeOf(error) ?? closeCodes.comeAgain, reason: refusalOf(error).body.code };
  }
}

/** Throws what stands against it. */
async function checked(options: SyncHandlerOptions, asked: SocketRequest): Promise<Authorized> {
  checkOrigin(asked.request, options);
  const auth = await authorize(options, asked.request);
  checkIdentity(auth, asked);
  const { authorizeRoom } = options;
  if (authorizeRoom !== undefined && (await authorizeRoom({ ctx: auth.ctx, room: asked.room })) !== true)
    throw serverError("auth/room", { room: asked.room });
  return auth;
}

/** Programs send no origin. A proxy that changes the host says in a header what it was; pages can set no header here. */
function checkOrigin({ url, headers }: Request, { cors }: SyncHandlerOptions): void {
  const origin = headers.get("origin");
  if (origin === null) return;
  const hosts = [new URL(url).host, headers.get("x-forwarded-host")?.split(",")[0]?.trim()];
  if (URL.canParse(origin) && hosts.includes(new URL(origin).host)) return;
  if (cors === undefined || !isAllowedOrigin(origin, cors)) throw serverError("auth/origin", { origin });
}

async function checkOwner({ options, migrate }: AdmissionOptions, asked: SocketRequest, auth: Authorized) {
  const { clientID, replicaID } = asked;
  if (clientID === undefined) return;
  await migrate();
  const { executor } = options;
  const scope = { clientGroupID: auth.clientGroupID, idsByClient: new Map([[clientID, []]]) };
  const owner = toClients(await executor.all(readClients(executor.dialect, scope))).get(clientID);
  if (owner === undefined) return;
  const isSameReplica = owner.replicaID === null || replicaID === undefined || owner.replicaID === replicaID;
  if (owner.clientGroupID !== auth.clientGroupID || !isSameReplica)
    throw serverError("auth/client-mismatch", { clientID });
}

function closeCodeOf(error: unknown): number | null {
  if (isPlasmaError(error, "auth/unauthorized")) return closeCodes.unauthorized;
  return isPlasmaError(error, "auth/room") || isPlasmaError(error, "auth/origin") ? closeCodes.room : null;
}
