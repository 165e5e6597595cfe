// Owns: the store that keeps nothing: for server-side rendering, tests and `storage: "memory"`. No row of it is cold.

import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import type { Row } from "../../core/schema/value.ts";
import { emptyMeta, type ReplicaMeta } from "./layout.ts";
import { checkWriter, planAppend, planSync } from "./plan-commit.ts";
import { OutboxMap } from "./outbox-map.ts";
import type {
  BaseChange,
  ColdRows,
  NewOutboxEntry,
  Reign,
  Store,
  StoreCommit,
  StoreState,
  SyncCommit,
} from "./store.ts";

/** Makes a store in memory. */
export const createMemoryStore = (env: Env): Store => new MemoryStore(env);

/** Of a store that hands over everything. */
export const noColdRows: ColdRows = {
  isEmpty: () => true,
  byID: async () => [],
  window: async () => ({ rows: [], isEnd: true }),
  stream: async () => undefined,
};

class MemoryStore implements Store {
  readonly #env: Env;
  #meta: ReplicaMeta;
  #tables = new Map<string, Map<string, Row>>();
  readonly #outbox = new OutboxMap();
  readonly cold = noColdRows;

  constructor(env: Env) {
    this.#env = env;
    this.#meta = emptyMeta(env.randomUUID());
  }

  open(onChanges: (changes: readonly BaseChange[]) => void): Promise<StoreState> {
    return this.load((table, rows) => onChanges(rows.map((row) => ({ table, id: row["id"] as string, row }))));
  }

  async load(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState> {
    for (const [table, rows] of this.#tables) {
      const all = [...rows.values()];
      for (let i = 0; i < all.length; i += limits.storeBatchRowsMax)
        onRows(table, all.slice(i, i + limits.storeBatchRowsMax));
    }
    const { replicaID, seq, cookie, firstSync, refused = [] } = this.#meta;
    const outbox = this.#outbox.inOrder();
    return { replicaID, seq, cookie, firstSync, outbox, lastIDs: new Map(this.#outbox.lastIDs), refused };
  }

  async append(
    replicaID: string,
    entries: readonly NewOutboxEntry[],
    changes: readonly BaseChange[] = [],
  ): Promise<Extract<StoreCommit, { type: "append" }>> {
    checkWriter(this.#meta, replicaID);
    const clientID = entries[0]?.clientID ?? "";
    const plan = planAppend(this.#meta, this.#outbox.lastIDs.get(clientID) ?? 0, entries, changes);
    this.#meta = plan.meta;
    this.#outbox.append(plan.commit.entries);
    this.#change(changes);
    return plan.commit;
  }

  async takeEpoch(replicaID: string): Promise<Reign> {
    checkWriter(this.#meta, replicaID);
    this.#meta = { ...this.#meta, epoch: this.#meta.epoch + 1 };
    const { epoch, seq } = this.#meta;
    return { epoch, seq };
  }

  async reign(replicaID: string): Promise<Reign> {
    checkWriter(this.#meta, replicaID);
    const { epoch, seq } = this.#meta;
    return { epoch, seq };
  }

  async sync(replicaID: string, epoch: number, commit: SyncCommit): Promise<Extract<StoreCommit, { type: "sync" }>> {
    checkWriter(this.#meta, replicaID, epoch);
    this.#change(commit.changes);
    this.#meta = planSync(this.#meta, commit, (rejection) => this.#outbox.seedOf(rejection));
    this.#outbox.sync(commit);
    return { type: "sync", replicaID, seq: this.#meta.seq, sync: commit };
  }

  async reset(keep: ReadonlySet<string> = new Set()): Promise<void> {
    this.#meta = emptyMeta(this.#env.randomUUID());
    this.#tables = new Map([...this.#tables].filter(([table]) => keep.has(table)));
    this.#outbox.clear();
  }

  close(): void {
    // Nothing is open.
  }

  #change(changes: readonly BaseChange[]): void {
    for (const { table, id, row } of changes) {
      const rows = this.#tables.get(table) ?? new Map<string, Row>();
      this.#tables.set(table, rows);
      if (row === null) rows.delete(id);
      else rows.set(id, row);
    }
  }
}
