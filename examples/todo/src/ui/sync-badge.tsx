// Owns: one line on whether changes have reached the server. It says nothing of polls: those would only flicker.
import { usePlasma, useSyncStatus, type SyncStatus } from "plasma-sync/react";
import { useSyncExternalStore } from "react";

export function SyncBadge({ isLoading }: { isLoading: boolean }) {
  const { online, outboxDepth, lastError } = useSyncStatus();
  const rows = useRowsSoFar();
  const { tone, text } = describe({
    online,
    waiting: outboxDepth,
    hasFailed: isOutOfReach(lastError),
    isLoading,
    rows,
  });
  return (
    <p className="sync-badge" data-tone={tone} role="status">
      <span className="sync-dot" aria-hidden="true" />
      <span>{text}</span>
    </p>
  );
}

/** How many rows the first sync has brought so far. */
function useRowsSoFar(): number {
  const { status } = usePlasma();
  return useSyncExternalStore(status.subscribe, () => status.get().firstSync.rows);
}

/** So many take a while: then people want to see that it goes on. */
const ROWS_MANY = 2000;

const isOutOfReach = (error: SyncStatus["lastError"]): boolean =>
  error?.kind === "network" || error?.kind === "push-http" || error?.kind === "pull-http";

interface SyncState {
  readonly online: boolean;
  readonly waiting: number;
  readonly hasFailed: boolean;
  readonly isLoading: boolean;
  /** That the first sync has brought so far. */
  readonly rows: number;
}

function describe({ online, waiting, hasFailed, isLoading, rows }: SyncState): { tone: string; text: string } {
  const changes = waiting === 1 ? "1 change" : `${waiting} changes`;
  if (!online) return { tone: "offline", text: waiting === 0 ? "Offline" : `Offline, ${changes} to send` };
  if (hasFailed)
    return { tone: "trouble", text: waiting === 0 ? "Server out of reach" : `Retrying, ${changes} to send` };
  if (waiting > 0) return { tone: "busy", text: `Sending ${changes}` };
  if (isLoading && rows > ROWS_MANY)
    return { tone: "busy", text: `Loading your lists, ${rows.toLocaleString("en")} rows` };
  if (isLoading) return { tone: "busy", text: "Loading your lists" };
  return { tone: "calm", text: "All saved" };
}
