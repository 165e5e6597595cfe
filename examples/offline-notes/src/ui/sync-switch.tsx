// Owns: whether the notes sync, as a switch, and one line on how that stands.
import { useSyncStatus, type SyncStatus } from "plasma-sync/react";
import { switchSync } from "../session.ts";

export function SyncSwitch({ isOn }: { isOn: boolean }) {
  const status = useSyncStatus();
  const { tone, line } = isOn ? describe(status) : { tone: "calm", line: "Only in this browser" };
  return (
    <div className="sync" data-tone={tone}>
      <button type="button" role="switch" aria-checked={isOn} className="switch" onClick={() => void switchSync(!isOn)}>
        <span className="switch-track" aria-hidden="true" />
        Sync
      </button>
      <p className="sync-line" role="status">
        {line}
      </p>
    </div>
  );
}

function describe({ online, outboxDepth, lastError }: SyncStatus): { tone: string; line: string } {
  const waiting = outboxDepth === 1 ? "1 change waits" : `${outboxDepth} changes wait`;
  if (!online) return { tone: "calm", line: outboxDepth === 0 ? "No network" : `No network, ${waiting}` };
  const kind = lastError?.kind;
  if (kind === "network" || kind === "push-http" || kind === "pull-http")
    return { tone: "trouble", line: outboxDepth === 0 ? "No server answers" : `No server answers, ${waiting}` };
  return { tone: "calm", line: outboxDepth === 0 ? "All saved on the server" : `Sending, ${waiting}` };
}
