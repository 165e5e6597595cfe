// The code of docs/guides/tabs.md, region by region. The tests compile and run it.

// #region role
import type { PlasmaClient } from "plasma-sync/client";

/** What a diagnostics page shows of this tab. */
export function describeTab({ status }: PlasmaClient): string {
  const { role, syncing, outboxDepth } = status.get();
  const who = { leader: "syncs for all tabs", follower: "another tab syncs", single: "knows of no other tab" }[role];
  return `This tab ${who}; ${syncing ? "a request runs" : "at rest"}; ${outboxDepth} changes to send.`;
}
// #endregion

// #region outdated
import type { SyncClientError } from "plasma-sync/client";

/** For `onError`: another tab has a newer version of the app. */
export function onOutdated(error: SyncClientError, offerReload: () => void): void {
  if (error.kind === "schema-mismatch" && error.phase === "tab") offerReload();
}
// #endregion

// #region logout
import { deleteLocalData } from "plasma-sync/client";

const LOGOUTS = "notes:logouts";

/** Logs this person out of every tab. */
export async function logOutEverywhere(client: PlasmaClient): Promise<void> {
  const { clientGroupID } = client;
  const channel = new BroadcastChannel(LOGOUTS);
  channel.postMessage(clientGroupID);
  channel.close();
  await client.flush();
  await client.close();
  await deleteLocalData({ dbName: "notes", clientGroupID });
}

/** Leaves the page when another tab logs the same person out. Returns stop. */
export function watchLogouts(client: PlasmaClient, leave: () => void): () => void {
  const channel = new BroadcastChannel(LOGOUTS);
  channel.onmessage = ({ data }) => {
    if (data === client.clientGroupID) void client.close().then(leave);
  };
  return () => channel.close();
}
// #endregion
