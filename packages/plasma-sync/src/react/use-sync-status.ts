// Owns: useSyncStatus, what an app shows of syncing.

import { useMemo, useSyncExternalStore } from "react";
import type { ClientStatus, ClientStatusStore } from "../client/sync/client-status.ts";
import { usePlasma } from "./plasma-provider.tsx";
import type { AnyPlasmaClient } from "./register.ts";

/** See `client.status` for the rest: role, first sync, auth. */
export type SyncStatus = Pick<ClientStatus, "online" | "outboxDepth" | "lastError" | "syncing">;

/**
 * Whether the client is online, how many mutations wait to be confirmed, whether a request runs, and the last error.
 * The component renders again only when one of these has changed.
 *
 * @throws PlasmaError `client/no-provider` outside of a provider.
 * @example
 * const { online, outboxDepth } = useSyncStatus();
 * return <p>{online ? "Online" : "Offline"}, {outboxDepth} changes to send</p>;
 */
export function useSyncStatus(): SyncStatus {
  const { status } = usePlasma<AnyPlasmaClient>();
  const { subscribe, read } = useMemo(
    () => ({ subscribe: (listener: () => void) => status.subscribe(listener), read: createReader(status) }),
    [status],
  );
  return useSyncExternalStore(subscribe, read, read);
}

/** Reads the four fields; the object keeps its identity until one of them differs. */
function createReader(status: ClientStatusStore): () => SyncStatus {
  let shown: SyncStatus | null = null;
  return () => {
    const { online, outboxDepth, lastError, syncing } = status.get();
    const isSame =
      shown !== null &&
      shown.online === online &&
      shown.outboxDepth === outboxDepth &&
      shown.lastError === lastError &&
      shown.syncing === syncing;
    if (shown === null || !isSame) shown = { online, outboxDepth, lastError, syncing };
    return shown;
  };
}
