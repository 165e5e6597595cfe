// Owns: what a commit does to a replica's meta, as pure functions that both stores share.

import { assert } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import { PlasmaError } from "../../core/error.ts";
import type { Rejection } from "../../core/protocol/pull.ts";
import type { ReplicaMeta } from "./layout.ts";
import type {
  BaseChange,
  KeptRejection,
  NewOutboxEntry,
  OutboxEntry,
  StoreCommit,
  SyncCommit,
  UnsentRejection,
} from "./store.ts";

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

type Append = Extract<StoreCommit, { type: "append" }>;

/** The commit, with orders and ids, and the meta after it. Ids must continue `lastID`, as the tab could know it. */
export function planAppend(
  meta: ReplicaMeta,
  lastID: number,
  entries: readonly NewOutboxEntry[],
  changes: readonly BaseChange[],
): { readonly meta: ReplicaMeta; readonly commit: Append } {
  const clientID = entries[0]?.clientID;
  assert(entries.length + changes.length > 0, "store: an append has entries or changes");
  const ordered = entries.map((entry, i) => {
    const id = lastID + 1 + i;
    const ahead = entry.id - id;
    assert(entry.clientID === clientID, "store: an append is of one client");
    assert(ahead >= 0 && ahead <= (meta.unsentCount ?? 0), "store: the ids of a client have no hole");
    return { ...entry, id, order: meta.nextOrder + i };
  });
  const { replicaID } = meta;
  const seq = meta.seq + 1;
  const commit: Append = { type: "append", replicaID, seq, entries: ordered, ...(changes.length > 0 && { changes }) };
  return { meta: { ...meta, seq, nextOrder: meta.nextOrder + entries.length }, commit };
}

/**
 * What an entry that leaves unsent does to the outbox. `entries`: those of its client from its id on, by id. Null when it has
 * left already: the commit runs a second time.
 */
export function planUnsent(
  entries: readonly OutboxEntry[],
  { seed }: UnsentRejection,
): { readonly order: number; readonly moved: readonly OutboxEntry[] } | null {
  const [gone, ...later] = entries;
  if (gone?.seed !== seed) return null;
  return { order: gone.order, moved: later.map((entry) => ({ ...entry, id: entry.id - 1 })) };
}

/** The meta after a step of syncing. `seedOf` knows the entries that are still in the outbox. */
export function planSync(
  meta: ReplicaMeta,
  { cookie, firstSync, rejected, unsent }: SyncCommit,
  seedOf: (rejection: Rejection) => string | undefined,
): ReplicaMeta {
  const refused: KeptRejection[] = rejected.map((rejection) => {
    const seed = seedOf(rejection);
    return seed === undefined ? rejection : { ...rejection, seed };
  });
  if (unsent !== undefined) refused.push(unsent);
  return {
    ...meta,
    seq: meta.seq + 1,
    ...(cookie === undefined ? {} : { cookie }),
    ...(firstSync === undefined ? {} : { firstSync }),
    ...(refused.length === 0 ? {} : { refused: [...(meta.refused ?? []), ...refused].slice(-limits.refusalsKeptMax) }),
    ...(unsent === undefined ? {} : { unsentCount: (meta.unsentCount ?? 0) + 1 }),
  };
}
