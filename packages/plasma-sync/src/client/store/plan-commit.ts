// Owns: what a commit does to a replica's meta, as pure functions that both stores share.

import { assert } from "../../core/lib/assert.ts";
import { PlasmaError } from "../../core/error.ts";
import type { ReplicaMeta } from "./layout.ts";
import type { NewOutboxEntry, OutboxEntry, SyncCommit } from "./store.ts";

/** Throws `client/deposed` when the replica was reset, or another tab has taken over syncing. */
export function checkWriter(meta: ReplicaMeta, replicaID: string, epoch?: number): void {
  if (meta.replicaID !== replicaID || (epoch !== undefined && meta.epoch !== epoch)) throw new PlasmaError("client/deposed", {});
}

/** The entries with their orders, and the meta after them. Ids must continue `lastID`. */
export function planAppend(
  meta: ReplicaMeta,
  lastID: number,
  entries: readonly NewOutboxEntry[],
): { readonly meta: ReplicaMeta; readonly entries: readonly OutboxEntry[] } {
  entries.forEach(({ id }, i) => assert(id === lastID + 1 + i, "store: the ids of a client have no hole"));
  const ordered = entries.map((entry, i) => ({ ...entry, order: meta.nextOrder + i }));
  return { meta: { ...meta, seq: meta.seq + 1, nextOrder: meta.nextOrder + entries.length }, entries: ordered };
}

/** The meta after a step of syncing. */
export function planSync(meta: ReplicaMeta, { cookie, firstSync }: SyncCommit): ReplicaMeta {
  return {
    ...meta,
    seq: meta.seq + 1,
    ...(cookie === undefined ? {} : { cookie }),
    ...(firstSync === undefined ? {} : { firstSync }),
  };
}
