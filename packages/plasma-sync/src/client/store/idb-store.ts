// Owns: the store on IndexedDB.
// Invariants (beside those of the contract):
//   1. Inside a transaction nothing is awaited but its own requests, so it is never closed early or kept open.
//   2. A dead connection (closed by the browser) is opened anew once; a transaction that failed is never repeated.

import { isPlasmaError, PlasmaError } from "../../core/error.ts";
import type { Env } from "../../core/lib/env.ts";
import { limits } from "../../core/limits.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import { completed, openDatabase, resultOf } from "./idb-requests.ts";
import { emptyMeta, FORMAT_VERSION, upgrade, type ClientRecord, type ReplicaMeta } from "./layout.ts";
import { checkWriter, planAppend, planSync } from "./plan-commit.ts";
import type { NewOutboxEntry, OutboxEntry, Store, StoreCommit, StoreState, SyncCommit } from "./store.ts";

export interface IdbStoreOptions {
  /** The database's name, see `databaseName`. */
  readonly name: string;
  readonly schema: AnySchema;
  readonly env: Env;
  /** "strict" waits for the disk itself. Default "relaxed": survives a killed process, not a power cut. */
  readonly durability?: "relaxed" | "strict";
}

/** Makes a store on IndexedDB; the database is opened at the first use. */
export const createIdbStore = (options: IdbStoreOptions): Store => new IdbStore(options);

const META_KEY = "replica";
type StoreName = "rows" | "outbox" | "clients" | "meta";

class IdbStore implements Store {
  readonly #options: IdbStoreOptions;
  #database: Promise<IDBDatabase> | null = null;
  #closed = false;

  constructor(options: IdbStoreOptions) {
    this.#options = options;
  }

  async load(onRows: (table: string, rows: readonly Row[]) => void): Promise<StoreState> {
    await this.#ensureMeta();
    return this.#run(["rows", "outbox", "clients", "meta"], "readonly", async (tx) => {
      const meta = resultOf<ReplicaMeta>(tx.objectStore("meta").get(META_KEY));
      const outbox = resultOf<OutboxEntry[]>(tx.objectStore("outbox").getAll());
      const clients = resultOf<ClientRecord[]>(tx.objectStore("clients").getAll());
      const tables = [...this.#options.schema.tablesByName.keys()];
      await Promise.all(tables.map((table) => readTable(tx.objectStore("rows"), table, onRows)));
      const { replicaID, seq, cookie, firstSync } = await meta;
      const lastIDs = new Map((await clients).map(({ clientID, lastID }) => [clientID, lastID]));
      return { replicaID, seq, cookie, firstSync, outbox: await outbox, lastIDs };
    });
  }

  append(replicaID: string, entries: readonly NewOutboxEntry[]): Promise<Extract<StoreCommit, { type: "append" }>> {
    const clientID = entries[0]?.clientID ?? "";
    return this.#run(["outbox", "clients", "meta"], "readwrite", async (tx) => {
      const known = resultOf<ClientRecord | undefined>(tx.objectStore("clients").get(clientID));
      const meta = await readMeta(tx);
      checkWriter(meta, replicaID);
      const plan = planAppend(meta, (await known)?.lastID ?? 0, entries);
      putEntries(tx, plan.entries);
      tx.objectStore("meta").put(plan.meta, META_KEY);
      return { type: "append", seq: plan.meta.seq, entries: plan.entries };
    });
  }

  takeEpoch(replicaID: string): Promise<number> {
    return this.#run(["meta"], "readwrite", async (tx) => {
      const meta = await readMeta(tx);
      checkWriter(meta, replicaID);
      tx.objectStore("meta").put({ ...meta, epoch: meta.epoch + 1 } satisfies ReplicaMeta, META_KEY);
      return meta.epoch + 1;
    });
  }

  sync(replicaID: string, epoch: number, commit: SyncCommit): Promise<Extract<StoreCommit, { type: "sync" }>> {
    return this.#run(["rows", "outbox", "clients", "meta"], "readwrite", async (tx) => {
      const meta = await readMeta(tx);
      checkWriter(meta, replicaID, epoch);
      const rows = tx.objectStore("rows");
      for (const { table, id, row } of commit.changes) {
        if (row === null) rows.delete([table, id]);
        else rows.put(row, [table, id]);
      }
      const outbox = tx.objectStore("outbox");
      await Promise.all([
        ...commit.rejected.map(({ clientID, id }) => deleteEntries(outbox, clientID, id, id)),
        ...Object.entries(commit.confirmed).map(([clientID, id]) => deleteEntries(outbox, clientID, 0, id)),
      ]);
      putEntries(tx, commit.replace ?? []);
      const next = planSync(meta, commit);
      tx.objectStore("meta").put(next, META_KEY);
      return { type: "sync", seq: next.seq, sync: commit };
    });
  }

  async reset(): Promise<void> {
    await this.#run(["rows", "outbox", "clients", "meta"], "readwrite", async (tx) => {
      for (const name of ["rows", "outbox", "clients"] as const) tx.objectStore(name).clear();
      tx.objectStore("meta").put(emptyMeta(this.#options.env.randomUUID()), META_KEY);
    });
  }

  close(): void {
    this.#closed = true;
    void this.#database?.then((database) => database.close(), () => undefined);
    this.#database = null;
  }

  /** A new database gets its identity before anything else. Two tabs may try: the first one wins. */
  async #ensureMeta(): Promise<void> {
    await this.#run(["meta"], "readwrite", async (tx) => {
      const meta = await resultOf<ReplicaMeta | undefined>(tx.objectStore("meta").get(META_KEY));
      if (meta === undefined) tx.objectStore("meta").put(emptyMeta(this.#options.env.randomUUID()), META_KEY);
    });
  }

  /** Runs `body` in one transaction; resolves when that is durable. */
  async #run<T>(stores: readonly StoreName[], mode: IDBTransactionMode, body: (tx: IDBTransaction) => Promise<T>): Promise<T> {
    try {
      const tx = await this.#begin(stores, mode);
      const done = completed(tx);
      // Told of below; until then an abort must not count as unhandled.
      done.catch(() => undefined);
      let result: T;
      try {
        result = await body(tx);
        if (mode === "readwrite") tx.commit();
      } catch (error) {
        abort(tx);
        throw error;
      }
      await done;
      return result;
    } catch (error) {
      if (isPlasmaError(error)) throw error;
      throw new PlasmaError("client/storage", { what: describe(error) }, { cause: error });
    }
  }

  async #begin(stores: readonly StoreName[], mode: IDBTransactionMode): Promise<IDBTransaction> {
    const options = { durability: this.#options.durability ?? "relaxed" } as const;
    try {
      return (await this.#open()).transaction(stores as string[], mode, options);
    } catch (error) {
      // InvalidStateError: the browser closed the connection. Nothing has been written, so a new one may try.
      if (!(error instanceof DOMException) || error.name !== "InvalidStateError" || this.#closed) throw error;
      this.#database = null;
      return (await this.#open()).transaction(stores as string[], mode, options);
    }
  }

  #open(): Promise<IDBDatabase> {
    if (this.#closed) throw new PlasmaError("client/closed", {});
    return (this.#database ??= this.#connect());
  }

  async #connect(): Promise<IDBDatabase> {
    try {
      const database = await openDatabase(this.#options.name, FORMAT_VERSION, upgrade);
      // Another tab upgrades or deletes the database: do not stand in its way.
      database.onversionchange = () => this.#drop(database);
      database.onclose = () => this.#drop(database);
      return database;
    } catch (error) {
      this.#database = null;
      throw error;
    }
  }

  #drop(database: IDBDatabase): void {
    database.close();
    this.#database = null;
  }
}

const readMeta = (tx: IDBTransaction): Promise<ReplicaMeta> => resultOf(tx.objectStore("meta").get(META_KEY) as IDBRequest<ReplicaMeta>);

/** Hands over a table's rows in key order, batch by batch. */
async function readTable(store: IDBObjectStore, table: string, onRows: (table: string, rows: readonly Row[]) => void): Promise<void> {
  // Every key of the table lies between [table] and [table, []]: arrays sort after texts.
  let range = IDBKeyRange.bound([table], [table, []]);
  for (;;) {
    const rows = await resultOf<Row[]>(store.getAll(range, limits.storeBatchRowsMax));
    if (rows.length > 0) onRows(table, rows);
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

/** Deletes a client's entries from id `first` to `last`. */
async function deleteEntries(outbox: IDBObjectStore, clientID: string, first: number, last: number): Promise<void> {
  const orders = await resultOf(outbox.index("byClient").getAllKeys(IDBKeyRange.bound([clientID, first], [clientID, last])));
  for (const order of orders) outbox.delete(order);
}

function abort(tx: IDBTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has ended by itself: its own error is on its way.
  }
}

const describe = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
