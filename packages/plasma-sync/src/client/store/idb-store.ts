// Owns: the store on IndexedDB.
// Its transactions are those of idb-connection.ts: a body may run twice.

import * as limits from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { IdbConnection, type IdbConnectionOptions } from "./idb-connection.ts";
import { resultOf } from "./idb-requests.ts";
import { BLOB_STORES, emptyMeta, takenOver, type ClientRecord, type ReplicaMeta } from "./layout.ts";
import { noColdRows } from "./memory-store.ts";
import { checkVersion, checkWriter, planAppend, planSync, planUnsent } from "./plan-commit.ts";
import type {
  BaseChange,
  NewOutboxEntry,
  OutboxEntry,
  Reign,
  Store,
  StoreCommit,
  StoreState,
  SyncCommit,
  UnsentRejection,
} from "./store.ts";
import { createRowFit } from "./stored-row.ts";

export interface IdbStoreOptions extends IdbConnectionOptions {
  readonly schema: AnySchema;
  /** The app's. Default "": its schema has no versions. */
  readonly schemaVersion?: string;
}

/** Makes a store on IndexedDB; the database is opened at the first use. */
export const createIdbStore = (options: IdbStoreOptions): Store => new IdbStore(options);

const META_KEY = "replica";
const STORES = ["rows", "outbox", "clients", "meta"];

class IdbStore implements Store {
  readonly #options: IdbStoreOptions;
  readonly #schemaVersion: string;
  /** Whether this store has opened the database for its schema version: it does so once, or two tabs would go on for ever. */
  #hasTaken = false;
  readonly #connection: IdbConnection;
  readonly cold = noColdRows;

  constructor(options: IdbStoreOptions) {
    this.#options = options;
    this.#connection = new IdbConnection(options);
    this.#schemaVersion = options.schemaVersion ?? "";
  }

  open(onChanges: (changes: readonly BaseChange[]) => void): Promise<StoreState> {
    return this.load((table, rows) => onChanges(rows.map((row) => ({ table, id: row["id"] as string, row }))));
  }

  async load(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState> {
    for (;;) {
      const state = await this.#read(onRows);
      if (state !== null) return state;
      await this.#take();
    }
  }

  append(
    replicaID: string,
    entries: readonly NewOutboxEntry[],
    changes: readonly BaseChange[] = [],
  ): Promise<Extract<StoreCommit, { type: "append" }>> {
    const clientID = entries[0]?.clientID ?? "";
    let commit: Extract<StoreCommit, { type: "append" }> | null = null;
    return this.#connection.run({ stores: STORES, mode: "readwrite" }, async (tx) => {
      const [meta, client] = await Promise.all([this.#readMeta(tx), readClient(tx, clientID)]);
      checkWriter(meta, replicaID);
      const lastID = client?.lastID ?? 0;
      // The body runs again after a connection died: what it wrote then may have become durable all the same.
      if (commit !== null && (lastID === commit.entries.at(-1)?.id || (await isThere(tx, commit)))) return commit;
      const plan = planAppend(meta, lastID, entries, changes);
      putEntries(tx, plan.commit.entries);
      putRows(tx, changes);
      tx.objectStore("meta").put(plan.meta, META_KEY);
      return (commit = plan.commit);
    });
  }

  takeEpoch(replicaID: string): Promise<Reign> {
    return this.#connection.run({ stores: ["meta"], mode: "readwrite" }, async (tx) => {
      const meta = await this.#readMeta(tx);
      checkWriter(meta, replicaID);
      tx.objectStore("meta").put({ ...meta, epoch: meta.epoch + 1 } satisfies ReplicaMeta, META_KEY);
      return { epoch: meta.epoch + 1, seq: meta.seq };
    });
  }

  reign(replicaID: string): Promise<Reign> {
    return this.#connection.run({ stores: ["meta"], mode: "readonly" }, async (tx) => {
      const meta = await this.#readMeta(tx);
      checkWriter(meta, replicaID);
      return { epoch: meta.epoch, seq: meta.seq };
    });
  }

  sync(replicaID: string, epoch: number, commit: SyncCommit): Promise<Extract<StoreCommit, { type: "sync" }>> {
    return this.#connection.run({ stores: STORES, mode: "readwrite" }, async (tx) => {
      const meta = await this.#readMeta(tx);
      checkWriter(meta, replicaID, epoch);
      putRows(tx, commit.changes);
      const outbox = tx.objectStore("outbox");
      const seeds = new Map<unknown, string>();
      await Promise.all([
        ...commit.rejected.map(async (rejection) => {
          const { clientID, id } = rejection;
          for (const { order, seed } of await readEntries(outbox, clientID, id, id)) {
            seeds.set(rejection, seed);
            outbox.delete(order);
          }
        }),
        ...Object.entries(commit.confirmed).map(([clientID, id]) => deleteEntries(outbox, clientID, id)),
      ]);
      putEntries(tx, commit.replace ?? []);
      if (commit.unsent !== undefined) await takeOut(tx, commit.unsent);
      const next = planSync(meta, commit, (rejection) => seeds.get(rejection));
      tx.objectStore("meta").put(next, META_KEY);
      return { type: "sync", replicaID, seq: next.seq, sync: commit };
    });
  }

  async reset(keep: ReadonlySet<string> = new Set()): Promise<void> {
    await this.#connection.run({ stores: [...STORES, ...BLOB_STORES], mode: "readwrite" }, async (tx) => {
      await this.#readMeta(tx);
      // Rows that stay may need their files: then what nothing needs goes by eviction.
      for (const name of ["outbox", "clients", ...(keep.size === 0 ? BLOB_STORES : [])]) tx.objectStore(name).clear();
      deleteRows(tx.objectStore("rows"), keep);
      tx.objectStore("meta").put(this.#emptyMeta(), META_KEY);
    });
  }

  close(): void {
    this.#connection.close();
  }

  /** Everything in one snapshot; null when the database holds no replica yet, or one that this store has yet to take over. */
  #read(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState | null> {
    let hasHandedOver = false;
    const handOver = (table: string, rows: readonly Row[]) => {
      hasHandedOver = true;
      onRows(table, rows);
    };
    const canRepeat = () => !hasHandedOver;
    return this.#connection.run({ stores: STORES, mode: "readonly", canRepeat }, async (tx) => {
      const meta = await (this.#hasTaken ? this.#readMeta(tx) : readMeta(tx));
      if (meta?.schemaVersion !== this.#schemaVersion) return null;
      this.#hasTaken = true;
      const tables = [...this.#options.schema.tablesByName.values()];
      const [outbox, clients] = await Promise.all([
        resultOf<OutboxEntry[]>(tx.objectStore("outbox").getAll()),
        resultOf<ClientRecord[]>(tx.objectStore("clients").getAll()),
        ...tables.map((table) => readTable(tx.objectStore("rows"), table, handOver)),
      ]);
      const { replicaID, seq, cookie, firstSync, refused = [] } = meta;
      return {
        replicaID,
        seq,
        cookie,
        firstSync,
        outbox,
        refused,
        lastIDs: new Map(clients.map(({ clientID, lastID }) => [clientID, lastID])),
      };
    });
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

  #emptyMeta(): ReplicaMeta {
    return emptyMeta(this.#options.env.randomUUID(), this.#schemaVersion);
  }

  /** Throws `client/outdated` when another schema version has taken over. */
  async #readMeta(tx: IDBTransaction): Promise<ReplicaMeta | undefined> {
    const meta = await readMeta(tx);
    checkVersion(meta, this.#schemaVersion);
    return meta;
  }
}

const readMeta = (tx: IDBTransaction) => resultOf<ReplicaMeta | undefined>(tx.objectStore("meta").get(META_KEY));
const readClient = (tx: IDBTransaction, clientID: string) =>
  resultOf<ClientRecord | undefined>(tx.objectStore("clients").get(clientID));

/** Hands over a table's rows in key order, batch by batch. */
async function readTable(
  store: IDBObjectStore,
  meta: TableMeta,
  onRows: (table: string, rows: readonly Row[]) => void,
): Promise<void> {
  const table = meta.name;
  const fit = createRowFit(meta);
  // Every key of the table lies between [table] and [table, []]: arrays sort after texts.
  let range = IDBKeyRange.bound([table], [table, []]);
  for (;;) {
    const rows = await resultOf<Row[]>(store.getAll(range, limits.storeBatchRowsMax));
    if (rows.length > 0) onRows(table, rows.map(fit));
    const last = rows.at(-1);
    if (last === undefined || rows.length < limits.storeBatchRowsMax) return;
    range = IDBKeyRange.bound([table, last["id"]], [table, []], true);
  }
}

function putEntries(tx: IDBTransaction, entries: readonly OutboxEntry[]): void {
  const outbox = tx.objectStore("outbox");
  const lastIDs = new Map<string, number>();
  for (const entry of entries) {
    outbox.put(entry);
    lastIDs.set(entry.clientID, entry.id);
  }
  for (const [clientID, lastID] of lastIDs) tx.objectStore("clients").put({ clientID, lastID } satisfies ClientRecord);
}

/** Whether the entries of an append are in the outbox, whatever their ids are by now. */
async function isThere(tx: IDBTransaction, { entries: [first] }: { readonly entries: readonly OutboxEntry[] }) {
  if (first === undefined) return false;
  const stored = await resultOf<OutboxEntry | undefined>(tx.objectStore("outbox").get(first.order));
  return stored?.seed === first.seed;
}

function putRows(tx: IDBTransaction, changes: readonly BaseChange[]): void {
  const rows = tx.objectStore("rows");
  for (const { table, id, row } of changes) {
    if (row === null) rows.delete([table, id]);
    else rows.put(row, [table, id]);
  }
}

/** Deletes the rows of all tables but those in `keep`: whatever lies before, between and after those. */
function deleteRows(rows: IDBObjectStore, keep: ReadonlySet<string>): void {
  // Ordered as IndexedDB orders texts: by code unit.
  const kept = [...keep].sort();
  let after: IDBValidKey = [];
  for (const table of kept) {
    rows.delete(IDBKeyRange.bound(after, [table], true, true));
    after = [table, []];
  }
  rows.delete(IDBKeyRange.lowerBound(after));
}

/** Takes out an entry that was never sent; the later ones of its client move down. */
async function takeOut(tx: IDBTransaction, unsent: UnsentRejection): Promise<void> {
  const { clientID, id } = unsent;
  const outbox = tx.objectStore("outbox");
  const plan = planUnsent(await readEntries(outbox, clientID, id, Infinity), unsent);
  if (plan === null) return;
  outbox.delete(plan.order);
  for (const entry of plan.moved) outbox.put(entry);
  tx.objectStore("clients").put({ clientID, lastID: id - 1 + plan.moved.length } satisfies ClientRecord);
}

/** A client's entries from id `first` to `last`, by id. */
const readEntries = (outbox: IDBObjectStore, clientID: string, first: number, last: number) =>
  resultOf<OutboxEntry[]>(outbox.index("byClient").getAll(IDBKeyRange.bound([clientID, first], [clientID, last])));

/** Deletes a client's entries up to `last`. */
async function deleteEntries(outbox: IDBObjectStore, clientID: string, last: number): Promise<void> {
  const range = IDBKeyRange.bound([clientID, 0], [clientID, last]);
  for (const order of await resultOf(outbox.index("byClient").getAllKeys(range))) outbox.delete(order);
}
