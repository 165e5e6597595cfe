// Owns: the store that keeps nothing: for server-side rendering, tests and `storage: "memory"`.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { Row } from "../../core/schema/value.ts";
import { emptyMeta, type ReplicaMeta } from "./layout.ts";
import { checkWriter, planAppend, planSync } from "./plan-commit.ts";
import type { NewOutboxEntry, OutboxEntry, Store, StoreCommit, StoreState, SyncCommit } from "./store.ts";

/** Makes a store in memory. */
export const createMemoryStore = (env: Env): Store => new MemoryStore(env);

class MemoryStore implements Store {
  readonly #env: Env;
  #meta: ReplicaMeta;
  #tables = new Map<string, Map<string, Row>>();
  #outbox = new Map<number, OutboxEntry>();
  #lastIDs = new Map<string, number>();

  constructor(env: Env) {
    this.#env = env;
    this.#meta = emptyMeta(env.randomUUID());
  }

  async load(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState> {
    for (const [table, rows] of this.#tables) {
      const all = [...rows.values()];
      for (let i = 0; i < all.length; i += limits.storeBatchRowsMax)
        onRows(table, all.slice(i, i + limits.storeBatchRowsMax));
    }
    const { replicaID, seq, cookie, firstSync, refused = [] } = this.#meta;
    const outbox = [...this.#outbox.values()];
    return { replicaID, seq, cookie, firstSync, outbox, lastIDs: new Map(this.#lastIDs), refused };
  }

  async append(
    replicaID: string,
    entries: readonly NewOutboxEntry[],
  ): Promise<Extract<StoreCommit, { type: "append" }>> {
    checkWriter(this.#meta, replicaID);
    const clientID = entries[0]?.clientID ?? "";
    const plan = planAppend(this.#meta, this.#lastIDs.get(clientID) ?? 0, entries);
    this.#meta = plan.meta;
    for (const entry of plan.entries) this.#keep(entry);
    return { type: "append", replicaID, seq: plan.meta.seq, entries: plan.entries };
  }

  async takeEpoch(replicaID: string): Promise<number> {
    checkWriter(this.#meta, replicaID);
    this.#meta = { ...this.#meta, epoch: this.#meta.epoch + 1 };
    return this.#meta.epoch;
  }

  async sync(replicaID: string, epoch: number, commit: SyncCommit): Promise<Extract<StoreCommit, { type: "sync" }>> {
    checkWriter(this.#meta, replicaID, epoch);
    for (const { table, id, row } of commit.changes) {
      const rows = this.#tables.get(table) ?? new Map<string, Row>();
      this.#tables.set(table, rows);
      if (row === null) rows.delete(id);
      else rows.set(id, row);
    }
    for (const [order, { clientID, id }] of this.#outbox) {
      const isRejected = commit.rejected.some((rejection) => rejection.clientID === clientID && rejection.id === id);
      if (isRejected || id <= (commit.confirmed[clientID] ?? 0)) this.#outbox.delete(order);
    }
    for (const entry of commit.replace ?? []) this.#keep(entry);
    this.#meta = planSync(this.#meta, commit);
    return { type: "sync", replicaID, seq: this.#meta.seq, sync: commit };
  }

  async reset(): Promise<void> {
    this.#meta = emptyMeta(this.#env.randomUUID());
    this.#tables = new Map();
    this.#outbox = new Map();
    this.#lastIDs = new Map();
  }

  close(): void {
    // Nothing is open.
  }

  #keep(entry: OutboxEntry): void {
    this.#outbox.set(entry.order, entry);
    this.#lastIDs.set(entry.clientID, Math.max(entry.id, this.#lastIDs.get(entry.clientID) ?? 0));
  }
}
