// Owns: what a commit does to a replica's meta, as pure functions that both stores share.

import { assert } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import { PlasmaError } from "../../core/error.ts";
import type { ReplicaMeta } from "./layout.ts";
import type { NewOutboxEntry, OutboxEntry, SyncCommit } from "./store.ts";

/** Throws `client/deposed` when the replica was reset (or evicted), or another tab has taken over syncing. */
export function checkWriter(
  meta: ReplicaMeta | undefined,
  replicaID: string,
  epoch?: number,
): asserts meta is ReplicaMeta {
  if (meta?.replicaID !== replicaID || (epoch !== undefined && meta.epoch !== epoch))
    throw new PlasmaError("client/deposed", {});
}

/** Throws `client/outdated` when a tab of another schema version has opened the database since. */
export function checkVersion(meta: ReplicaMeta | undefined, schemaVersion: string): void {
  const other = meta?.schemaVersion ?? schemaVersion;
  if (other !== schemaVersion) throw new PlasmaError("client/outdated", { schemaVersion: other });
}

/** The entries with their orders, and the meta after them. Ids must continue `lastID`. */
export function planAppend(
  meta: ReplicaMeta,
  lastID: number,
  entries: readonly NewOutboxEntry[],
): { readonly meta: ReplicaMeta; readonly entries: readonly OutboxEntry[] } {
  const clientID = entries[0]?.clientID;
  assert(clientID !== undefined, "store: an append has entries");
  entries.forEach((entry, i) => {
    assert(entry.clientID === clientID, "store: an append is of one client");
    assert(entry.id === lastID + 1 + i, "store: the ids of a client have no hole");
  });
  const ordered = entries.map((entry, i) => ({ ...entry, order: meta.nextOrder + i }));
  return { meta: { ...meta, seq: meta.seq + 1, nextOrder: meta.nextOrder + entries.length }, entries: ordered };
}

/** The meta after a step of syncing. */
export function planSync(meta: ReplicaMeta, { cookie, firstSync, rejected }: SyncCommit): ReplicaMeta {
  return {
    ...meta,
    seq: meta.seq + 1,
    ...(cookie === undefined ? {} : { cookie }),
    ...(firstSync === undefined ? {} : { firstSync }),
    ...(rejected.length === 0
      ? {}
      : { refused: [...(meta.refused ?? []), ...rejected].slice(-limits.refusalsKeptMax) }),
  };
}
