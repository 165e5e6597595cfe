// Owns: SimDisk, what one device keeps, and simStore, a tab's Store on it: the meaning of the IndexedDB store (client/store's
// suite holds it to that), with a gate before and behind each commit at which a world lets time pass, fails or kills.
// Invariants:
//   1. A commit happens in one step, between its two gates: a tab that dies at the first has written nothing, one that dies at
//      the second has written all and never learns of it.
//   2. The disk outlives its tabs.
//   3. A tab's calls take effect one after another, as transactions of IndexedDB that share a store do; calls of other tabs come
//      in between.

import type { Env } from "../core/lib/env.ts";
import * as limits from "../core/limits.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { Row } from "../core/schema/value.ts";
import { isPlasmaError, PlasmaError } from "../core/error.ts";
import { MemoryBlobDisk } from "../client/blobs/memory-local-blobs.ts";
import { createRowFit } from "../client/store/stored-row.ts";
import { emptyMeta, takenOver, type ReplicaMeta } from "../client/store/layout.ts";
import { checkVersion, checkWriter, planAppend, planSync } from "../client/store/plan-commit.ts";
import { OutboxMap } from "../client/store/outbox-map.ts";
import { LayeredRows } from "../client/store/layered-rows.ts";
import type {
  BaseChange,
  ColdRows,
  NewOutboxEntry,
  OutboxEntry,
  Reign,
  Store,
  StoreCommit,
  StoreState,
  SyncCommit,
} from "../client/store/store.ts";

/** Commits after which all are folded at once; else the latest few are in the journal. */
const FOLD_EVERY = 2;

export class SimDisk {
  meta: ReplicaMeta | undefined;
  readonly rows = new LayeredRows();
  readonly outbox = new OutboxMap();
  readonly files = new MemoryBlobDisk();

  clear(meta: ReplicaMeta | undefined, keep: ReadonlySet<string> = new Set()): void {
    this.meta = meta;
    this.rows.clear(keep);
    this.outbox.clear();
    if (keep.size === 0) this.files.blobs.clear();
  }

  /** A table's rows, by id. */
  table(name: string): Map<string, Row> {
    return this.rows.all(name);
  }

  /** Changes rows in the commit that `meta` tells. */
  change(changes: readonly BaseChange[]): void {
    const seq = this.meta?.seq ?? 0;
    this.rows.commit(seq, changes);
    // Before other tabs have heard of the commit.
    if (seq % FOLD_EVERY === 0) this.rows.fold();
  }

  apply(commit: SyncCommit): void {
    this.change(commit.changes);
    this.outbox.sync(commit);
  }

  append(entries: readonly OutboxEntry[]): void {
    this.outbox.append(entries);
  }
}

export interface SimStoreOptions {
  readonly disk: SimDisk;
  readonly schema: AnySchema;
  readonly schemaVersion: string;
  readonly env: Env;
  /** Passed before and behind each commit; what it throws is the store's failure. */
  readonly gate: (when: "before" | "after", operation: string) => Promise<void>;
  /** Told of each answer of cold rows. */
  readonly note?: (what: string) => void;
}

/** Rows in one answer of an order: so few that who asks has to ask again. */
const WINDOW_ROWS = 3;

/** A tab's store on the disk. */
export const simStore = (options: SimStoreOptions): Store => new SimStore(options);

class SimStore implements Store {
  readonly #options: SimStoreOptions;
  /** Whether this store has opened the disk for its schema version. */
  #hasTaken = false;
  #isClosed = false;
  #replicaID = "";
  readonly cold: ColdRows;
  /** As of the opening: another tab may empty them before this one goes on. */
  #coldTables: ReadonlySet<string> = new Set();
  /** The call before. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: SimStoreOptions) {
    this.#options = options;
    const { disk, schema } = options;
    // A read is a transaction as a commit is, but what becomes of it at the second gate matters to nobody.
    const cold = disk.rows.cold(schema.tablesByName, (read) =>
      this.#commit("read", () => {
        this.#writable(this.#replicaID);
        return read();
      }),
    );
    this.cold = {
      isEmpty: (table) => !this.#coldTables.has(table),
      byID: (...args) => this.#told("rows by id", cold.byID(...args)),
      window: (table, order, seq) =>
        this.#told("window", cold.window(table, { ...order, limit: Math.min(order.limit, WINDOW_ROWS) }, seq)),
      stream: (...args) => this.#told("stream", cold.stream(...args)),
    };
  }

  async #told<T>(what: string, answer: Promise<T>): Promise<T> {
    const { note } = this.#options;
    try {
      const rows = await answer;
      note?.(`cold: ${what}`);
      return rows;
    } catch (error) {
      note?.(isPlasmaError(error, "client/stale") ? "cold: stale" : "cold: refused");
      throw error;
    }
  }

  load(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState> {
    return this.#commit("load", () => {
      const state = this.#state();
      const { disk, schema } = this.#options;
      for (const [name, meta] of schema.tablesByName)
        for (const rows of inBatches([...disk.table(name).values()].map(createRowFit(meta)))) onRows(name, rows);
      return state;
    });
  }

  open(onChanges: (changes: readonly BaseChange[]) => void): Promise<StoreState> {
    return this.#commit("open", () => {
      const state = this.#state();
      const { disk, schema } = this.#options;
      this.#coldTables = new Set([...schema.tablesByName.keys()].filter((name) => disk.rows.hasCold(name)));
      for (const [name, meta] of schema.tablesByName) {
        const fit = createRowFit(meta);
        const changes = disk.rows.changes(name).map(({ row, ...place }) => ({ ...place, row: row && fit(row) }));
        for (const batch of inBatches(changes)) onChanges(batch);
      }
      return state;
    });
  }

  append(
    replicaID: string,
    entries: readonly NewOutboxEntry[],
    changes: readonly BaseChange[] = [],
  ): Promise<Extract<StoreCommit, { type: "append" }>> {
    const { disk } = this.#options;
    return this.#commit("append", () => {
      const meta = this.#writable(replicaID);
      const plan = planAppend(meta, disk.outbox.lastIDs.get(entries[0]?.clientID ?? "") ?? 0, entries, changes);
      disk.meta = plan.meta;
      disk.append(plan.commit.entries);
      disk.change(changes);
      return plan.commit;
    });
  }

  takeEpoch(replicaID: string): Promise<Reign> {
    return this.#commit("take epoch", () => {
      const meta = this.#writable(replicaID);
      this.#options.disk.meta = { ...meta, epoch: meta.epoch + 1 };
      return { epoch: meta.epoch + 1, seq: meta.seq };
    });
  }

  reign(replicaID: string): Promise<Reign> {
    return this.#commit("reign", () => {
      const { epoch, seq } = this.#writable(replicaID);
      return { epoch, seq };
    });
  }

  sync(replicaID: string, epoch: number, commit: SyncCommit): Promise<Extract<StoreCommit, { type: "sync" }>> {
    const { disk } = this.#options;
    return this.#commit("sync", () => {
      const meta = this.#writable(replicaID, epoch);
      disk.meta = planSync(meta, commit, (rejection) => disk.outbox.seedOf(rejection));
      disk.apply(commit);
      return { type: "sync", replicaID, seq: disk.meta.seq, sync: commit };
    });
  }

  reset(keep?: ReadonlySet<string>): Promise<void> {
    const { disk, env, schemaVersion } = this.#options;
    return this.#commit("reset", () => {
      checkVersion(disk.meta, schemaVersion);
      disk.clear(emptyMeta(env.randomUUID(), schemaVersion), keep);
    });
  }

  close(): void {
    this.#isClosed = true;
  }

  #take(): ReplicaMeta {
    const { disk, env, schemaVersion } = this.#options;
    if (disk.meta === undefined) disk.meta = emptyMeta(env.randomUUID(), schemaVersion);
    else if (this.#hasTaken) checkVersion(disk.meta, schemaVersion);
    else if (disk.meta.schemaVersion !== schemaVersion) disk.meta = takenOver(disk.meta, schemaVersion);
    this.#hasTaken = true;
    return disk.meta;
  }

  #state(): StoreState {
    const { replicaID, seq, cookie, firstSync, refused = [] } = this.#take();
    const { outbox } = this.#options.disk;
    const lastIDs = new Map(outbox.lastIDs);
    this.#replicaID = replicaID;
    return { replicaID, seq, cookie, firstSync, outbox: outbox.inOrder(), lastIDs, refused };
  }

  #writable(replicaID: string, epoch?: number): ReplicaMeta {
    const { disk, schemaVersion } = this.#options;
    checkVersion(disk.meta, schemaVersion);
    checkWriter(disk.meta, replicaID, epoch);
    return disk.meta;
  }

  async #commit<T>(operation: string, apply: () => T): Promise<T> {
    if (this.#isClosed) throw new PlasmaError("client/closed", {});
    const done = this.#tail.then(() => this.#pass(operation, apply));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #pass<T>(operation: string, apply: () => T): Promise<T> {
    await this.#options.gate("before", operation);
    const result = apply();
    await this.#options.gate("after", operation);
    return result;
  }
}

function* inBatches<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let i = 0; i < all.length; i += limits.storeBatchRowsMax) yield all.slice(i, i + limits.storeBatchRowsMax);
}
