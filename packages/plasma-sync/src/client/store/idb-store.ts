// Owns: the store on IndexedDB.
// Its transactions are those of idb-connection.ts: a body may run twice.

import * as limits from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import { FoldSchedule } from "./fold-schedule.ts";
import { IdbColdRows } from "./idb-cold-rows.ts";
import { IdbConnection, type IdbConnectionOptions } from "./idb-connection.ts";
import { isThere, putEntries, readClient, readClients, readOutbox, syncOutbox } from "./idb-outbox.ts";
import { resultOf } from "./idb-requests.ts";
import { BLOB_STORES, emptyMeta, takenOver, type ReplicaMeta } from "./layout.ts";
import { checkVersion, checkWriter, planAppend, planSync } from "./plan-commit.ts";
import { readAllRows, readChanges, readTables } from "./read-rows.ts";
import type { BaseChange, NewOutboxEntry, Reign, Store, StoreCommit, StoreState, SyncCommit } from "./store.ts";
import { idOf } from "./directory.ts";
import { loadBulk, ROW_STORES, writeRows, type RowsWritten } from "./write-rows.ts";

export interface IdbStoreOptions extends IdbConnectionOptions {
  readonly schema: AnySchema;
  /** The app's. Default "": its schema has no versions. */
  readonly schemaVersion?: string;
}

/** Makes a store on IndexedDB; the database is opened at the first use. */
export const createIdbStore = (options: IdbStoreOptions): IdbStore => new PagedStore(options);

export interface IdbStore extends Store {
  /** Folds what the journal holds into pages. The store does it by itself, at rest. */
  fold(): Promise<void>;
}

const META_KEY = "replica";
const WRITTEN = [...ROW_STORES, "outbox", "clients", "meta"];
/** All of a replica but its files. */
const ALL = [...WRITTEN, "indexPages", "rows"];

class PagedStore implements IdbStore {
  readonly #options: IdbStoreOptions;
  readonly #schemaVersion: string;
  /** Whether this store has opened the database for its schema version: it does so once, or two tabs would go on for ever. */
  #hasTaken = false;
  readonly #connection: IdbConnection;
  readonly #folds: FoldSchedule;
  /** The replica that was opened. */
  #replicaID = "";
  readonly cold: IdbColdRows;

  constructor(options: IdbStoreOptions) {
    this.#options = options;
    this.#connection = new IdbConnection(options);
    this.#schemaVersion = options.schemaVersion ?? "";
    this.#folds = new FoldSchedule(options.env, () => this.#fold());
    this.cold = new IdbColdRows({
      schema: options.schema,
      read: (stores, body) =>
        this.#connection.run({ stores: ["meta", ...stores], mode: "readonly" }, async (tx) => {
          const [read] = await Promise.all([body(tx), this.#readMeta(tx, this.#replicaID)]);
          return read;
        }),
    });
  }

  async open(onChanges: (changes: readonly BaseChange[]) => void): Promise<StoreState> {
    const { schema } = this.#options;
    return this.#read(onChanges, async (tx, { rows }, handOver) => {
      // Rows of older formats are in no directory.
      if (rows?.isLegacy === true)
        return readAllRows(tx, schema, (table, all) => handOver(all.map((row) => ({ table, id: idOf(row), row }))));
      await Promise.all([this.cold.open(tx), readChanges(tx, schema, handOver)]);
    });
  }

  load(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState> {
    return this.#read(onRows, (tx, _meta, handOver) => readAllRows(tx, this.#options.schema, handOver));
  }

  append(
    replicaID: string,
    entries: readonly NewOutboxEntry[],
    changes: readonly BaseChange[] = [],
  ): Promise<Extract<StoreCommit, { type: "append" }>> {
    const clientID = entries[0]?.clientID ?? "";
    let commit: Extract<StoreCommit, { type: "append" }> | null = null;
    return this.#connection.run({ stores: WRITTEN, mode: "readwrite" }, async (tx) => {
      const [meta, client] = await Promise.all([this.#readMeta(tx, replicaID), readClient(tx, clientID)]);
      const lastID = client?.lastID ?? 0;
      // The body runs again after a connection died: what it wrote then may have become durable all the same.
      if (commit !== null && (lastID === commit.entries.at(-1)?.id || (await isThere(tx, commit)))) return commit;
      const plan = planAppend(meta, lastID, entries, changes);
      putEntries(tx, plan.commit.entries);
      await this.#putMeta(tx, plan.meta, { changes, bulk: null });
      return (commit = plan.commit);
    });
  }

  takeEpoch(replicaID: string): Promise<Reign> {
    return this.#connection.run({ stores: ["meta"], mode: "readwrite" }, async (tx) => {
      const meta = await this.#readMeta(tx, replicaID);
      tx.objectStore("meta").put({ ...meta, epoch: meta.epoch + 1 } satisfies ReplicaMeta, META_KEY);
      this.#folds.note(meta.rows);
      return { epoch: meta.epoch + 1, seq: meta.seq };
    });
  }

  reign(replicaID: string): Promise<Reign> {
    return this.#connection.run({ stores: ["meta"], mode: "readonly" }, async (tx) => {
      const meta = await this.#readMeta(tx, replicaID);
      return { epoch: meta.epoch, seq: meta.seq };
    });
  }

  async sync(replicaID: string, epoch: number, commit: SyncCommit): Promise<Extract<StoreCommit, { type: "sync" }>> {
    const { changes } = commit;
    // Whoever opens the replica next is to find little in the journal, also when the app is killed in the middle.
    if (this.#folds.isBehind) await this.#folds.run().catch(() => undefined);
    const bulk = changes.length < limits.storeBulkRowsMin ? null : await loadBulk();
    return this.#sync(replicaID, epoch, commit, { changes, bulk });
  }

  async reset(keep: ReadonlySet<string> = new Set()): Promise<void> {
    await this.#connection.run({ stores: [...ALL, ...BLOB_STORES], mode: "readwrite" }, async (tx) => {
      checkVersion(await readMeta(tx), this.#schemaVersion);
      const kept: BaseChange[] = [];
      await readTables(tx, keep, (table, rows) => {
        for (const row of rows) kept.push({ table, id: idOf(row), row });
      });
      // Rows that stay may need their files: then what nothing needs goes by eviction.
      const emptied = keep.size === 0 ? [...ALL, ...BLOB_STORES] : ALL;
      for (const name of emptied) tx.objectStore(name).clear();
      await this.#putMeta(tx, this.#emptyMeta(), { changes: kept, bulk: null });
    });
  }

  fold(): Promise<void> {
    return this.#folds.run();
  }

  close(): void {
    this.#folds.close();
    this.#connection.close();
  }

  /** State and rows in one snapshot. `readInto` hands rows over. */
  async #read<Args extends readonly unknown[]>(
    onRows: (...args: Args) => void,
    readInto: (tx: IDBTransaction, meta: ReplicaMeta, handOver: (...args: Args) => void) => Promise<void>,
  ): Promise<StoreState> {
    let hasHandedOver = false;
    const handOver = (...args: Args) => {
      hasHandedOver = true;
      onRows(...args);
    };
    const canRepeat = () => !hasHandedOver;
    for (;;) {
      const state = await this.#connection.run({ stores: ALL, mode: "readonly", canRepeat }, async (tx) => {
        const meta = await readMeta(tx);
        if (this.#hasTaken) checkVersion(meta, this.#schemaVersion);
        if (meta?.schemaVersion !== this.#schemaVersion) return null;
        this.#hasTaken = true;
        const [outbox, clients] = await Promise.all([readOutbox(tx), readClients(tx), readInto(tx, meta, handOver)]);
        const { replicaID, seq, cookie, firstSync, refused = [] } = meta;
        this.#replicaID = replicaID;
        const lastIDs = new Map(clients.map(({ clientID, lastID }) => [clientID, lastID]));
        return { replicaID, seq, cookie, firstSync, outbox, refused, lastIDs };
      });
      if (state !== null) return state;
      // No replica yet, or one that this store has yet to take over.
      await this.#take();
    }
  }

  /**
   * Gives a new database its identity, and one that another schema version had this store's version. Two tabs may try: of
   * one version the first wins, of two versions the last.
   */
  async #take(): Promise<void> {
    await this.#connection.run({ stores: ["meta"], mode: "readwrite" }, async (tx) => {
      const meta = await readMeta(tx);
      if (meta?.schemaVersion === this.#schemaVersion) return;
      const taken = meta === undefined ? this.#emptyMeta() : takenOver(meta, this.#schemaVersion);
      tx.objectStore("meta").put(taken, META_KEY);
    });
    this.#hasTaken = true;
  }

  async #sync(
    replicaID: string,
    epoch: number,
    commit: SyncCommit,
    written: RowsWritten,
  ): Promise<Extract<StoreCommit, { type: "sync" }>> {
    const { seq } = await this.#connection.run({ stores: WRITTEN, mode: "readwrite" }, async (tx) => {
      const meta = await this.#readMeta(tx, replicaID, epoch);
      const seeds = await syncOutbox(tx, commit);
      return this.#putMeta(
        tx,
        planSync(meta, commit, (rejection) => seeds.get(rejection)),
        written,
      );
    });
    return { type: "sync", replicaID, seq, sync: commit };
  }

  #emptyMeta(): ReplicaMeta {
    return emptyMeta(this.#options.env.randomUUID(), this.#schemaVersion);
  }

  /** The meta, checked: this schema version, that replica and that reign still hold. */
  async #readMeta(tx: IDBTransaction, replicaID: string, epoch?: number): Promise<ReplicaMeta> {
    const meta = await readMeta(tx);
    checkVersion(meta, this.#schemaVersion);
    checkWriter(meta, replicaID, epoch);
    return meta;
  }

  /** Writes a commit's changes of rows and the meta after it. */
  async #putMeta(tx: IDBTransaction, meta: ReplicaMeta, written: RowsWritten): Promise<ReplicaMeta> {
    const next: ReplicaMeta = { ...meta, rows: await writeRows(tx, meta, written) };
    tx.objectStore("meta").put(next, META_KEY);
    // Others may be folding: whoever writes no rows leaves it to them.
    if (written.changes.length > 0) this.#folds.note(next.rows);
    return next;
  }

  async #fold(): Promise<void> {
    const { fold } = await import("./fold.ts");
    const replicaID = this.#replicaID;
    await fold({
      schema: this.#options.schema,
      run: (stores, body) =>
        this.#connection.run({ stores: ["meta", ...stores], mode: "readwrite" }, async (tx) => {
          const meta = await this.#readMeta(tx, replicaID);
          const [rows, result] = await body(tx, meta);
          tx.objectStore("meta").put({ ...meta, rows } satisfies ReplicaMeta, META_KEY);
          return result;
        }),
    });
  }
}

const readMeta = (tx: IDBTransaction) => resultOf<ReplicaMeta | undefined>(tx.objectStore("meta").get(META_KEY));
