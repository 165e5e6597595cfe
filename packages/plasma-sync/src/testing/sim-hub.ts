// Owns: createSimHub: the real hub of a simulated server's process, behind simulated sockets.

import { isPlasmaError } from "../core/error.ts";
import type { Env } from "../core/lib/env.ts";
import { closeCodes } from "../core/protocol/realtime.ts";
import { checkHandlerOptions, type Authorized, type SyncHandlerOptions } from "../server/handler-options.ts";
import { Hub } from "../server/realtime/hub.ts";
import type { HubSocket, SocketRecord } from "../server/realtime/hub-socket.ts";
import type { Renewal } from "../server/realtime/listener.ts";
import { PokePatches } from "../server/realtime/poke-patches.ts";
import { authorize, checkIdentity } from "../server/sync/authorize.ts";
import { parseSocketRequest, type SocketRequest } from "../server/sync/socket-request.ts";
import type { SimServerSocket, SimUpgrade } from "./sim-sockets.ts";

export interface SimHubOptions extends SyncHandlerOptions {
  readonly env: Env;
}

export interface SimHub {
  readonly hub: Hub;
  readonly upgrade: SimUpgrade;
}

export function createSimHub(options: SimHubOptions): SimHub {
  const patches = new PokePatches(checkHandlerOptions(options));
  const hub = new Hub({ env: options.env, deliver: (listeners) => void patches.deliver(listeners) });
  const upgrade: SimUpgrade = async (request, socket) => {
    const asked = parseSocketRequest(request);
    const renew = () => admitted(options, asked);
    const admission = await renew();
    if (!admission.ok) {
      socket.close(admission.code, admission.reason);
      return "accepted";
    }
    const hubSocket = hubSocketOf(socket);
    socket.onMessage = (text) => hub.receive(hubSocket, text);
    socket.onClose = (code) => hub.leave(hubSocket, code);
    hub.join(hubSocket, { identity: identityOf(asked, admission.auth), auth: admission.auth, renew });
    return "accepted";
  };
  return { hub, upgrade };
}

/** Whether who asks may listen now. */
async function admitted(options: SimHubOptions, asked: SocketRequest): Promise<Renewal> {
  try {
    const auth = await authorize(options, asked.request);
    checkIdentity(auth, asked);
    const { authorizeRoom } = options;
    const mayListen = authorizeRoom === undefined || (await authorizeRoom({ ctx: auth.ctx, room: asked.room }));
    return mayListen ? { ok: true, auth } : { ok: false, code: closeCodes.room, reason: "auth/room" };
  } catch (error) {
    if (!isPlasmaError(error, "auth/unauthorized")) throw error;
    return { ok: false, code: closeCodes.unauthorized, reason: error.code };
  }
}

const identityOf = ({ room, clientID, replicaID, request }: SocketRequest, auth: Authorized) => ({
  room,
  clientGroupID: auth.clientGroupID,
  clientID: auth.clientID ?? clientID ?? null,
  replicaID: replicaID ?? null,
  schemaVersion: new URL(request.url).searchParams.get("schemaVersion"),
  wantsPresence: true,
});

function hubSocketOf(socket: SimServerSocket): HubSocket {
  let record: SocketRecord | null = null;
  return {
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    bufferedBytes: () => socket.bufferedBytes,
    lastPingAt: () => null,
    keep: (kept) => {
      record = kept;
    },
    kept: () => record,
  };
}
