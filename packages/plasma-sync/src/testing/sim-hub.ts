// Owns: SimHub: the real hub of a simulated server's process, behind simulated sockets.

import type { Authorized } from "../server/authorized.ts";
import { checkHandlerOptions, type SyncHandlerOptions } from "../server/handler-options.ts";
import { ensureSchema } from "../server/migration/ensure-schema.ts";
import { admit } from "../server/realtime/admission.ts";
import type { Coordinator, PokeTarget } from "../server/realtime/coordinator.ts";
import { Hub } from "../server/realtime/hub.ts";
import type { HubSocket, SocketRecord } from "../server/realtime/hub-socket.ts";
import { PokePatches } from "../server/realtime/poke-patches.ts";
import type { SimServerSocket } from "./sim-sockets.ts";

/** What the process gives to its handler as the `coordinator`. */
export class SimHub implements Coordinator {
  readonly defaultRooms = null;
  readonly #options: SyncHandlerOptions;
  readonly #hub: Hub;
  readonly #patches: PokePatches;

  constructor(options: SyncHandlerOptions) {
    const settings = checkHandlerOptions(options);
    this.#options = options;
    this.#patches = new PokePatches(settings);
    this.#hub = new Hub({ env: settings.env, deliver: (listeners) => void this.#patches.deliver(listeners) });
  }

  poke(target: PokeTarget): void {
    this.#hub.poke(target);
  }

  pulled(auth: Authorized, clientID: string, replicaID: string | null): void {
    this.#patches.pulled(auth, clientID, replicaID);
  }

  async upgrade(request: Request, socket: SimServerSocket): Promise<"accepted" | Response> {
    const { schema, executor } = this.#options;
    const migrate = () => ensureSchema({ schema, executor });
    const admitted = await admit({ options: this.#options, migrate, refused: () => undefined }, request);
    if (admitted.kind === "answer") return admitted.answer;
    if (admitted.kind === "close") {
      socket.close(admitted.code, admitted.reason);
      return "accepted";
    }
    const hubSocket = hubSocketOf(socket);
    socket.onMessage = (text) => this.#hub.receive(hubSocket, text);
    socket.onClose = (code) => this.#hub.leave(hubSocket, code);
    this.#hub.join(hubSocket, admitted.admission);
    return "accepted";
  }
}

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
