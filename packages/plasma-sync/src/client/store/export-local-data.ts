// Owns: the export of a user's local database to a file, for support. JSON Lines, one section per database:
//
//   {"plasma":"local-data","exportVersion":1,"database":…,"formatVersion":…,"exportedAt":…,"stores":[…],"storage":{…}}
//   {"store":"meta","key":"replica","value":{…}}       every record, raw: store by store, in key order (record-json.ts)
//   {"end":…,"records":…}                              its absence tells a file that was cut off
//
// What the stores hold is the layout's matter: layout.ts, for the version that `formatVersion` names. The records are raw because
// an export must also work on a database that this version of the code cannot open or read.
// Invariants:
//   1. Nothing is written, upgraded or locked out: the database is opened as it is, and let go of when another tab asks for it.
//   2. One section is one moment of its database: it is read in one transaction. Writers wait until it has been read.
//   3. Memory: one batch of records as objects; the text is in Blobs, which browsers keep on disk when there is much of it.

import { isPlasmaError, messageOf } from "../../core/error.ts";
import { systemEnv, type Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { namesOf, openAsItIs, type LocalDataScope } from "./existing-databases.ts";
import { completed, resultOf, storageError } from "./idb-requests.ts";
import { encodeRecord } from "./record-json.ts";

export const EXPORT_VERSION = 1;

export interface ExportOptions extends LocalDataScope {
  /** False leaves the app's rows out: what is left says how syncing goes, and what waits in the outbox. Default true. */
  readonly rows?: boolean;
  /** True adds the bytes of files. Default false. */
  readonly files?: boolean;
  /** Clock and timers. Default: the platform's. */
  readonly env?: Env;
}

/** The stores that say how syncing goes; all others hold rows, or bytes of files. */
const SYNC_STORES: ReadonlySet<string> = new Set(["meta", "clients", "outbox", "blobs", "blobWrites"]);
const FILE_STORES: ReadonlySet<string> = new Set(["blobChunks"]);

/** How an object store was made, and whether its records are in the export. */
export interface ExportedStore {
  readonly name: string;
  readonly count: number;
  readonly isLeftOut: boolean;
  readonly keyPath: string | readonly string[] | null;
  readonly autoIncrement: boolean;
  readonly indexes: readonly {
    name: string;
    keyPath: string | readonly string[];
    unique: boolean;
    multiEntry: boolean;
  }[];
}

/** As `exportLocalData` of client/index.ts says. */
export async function exportDatabases(options: ExportOptions): Promise<Blob> {
  try {
    const sections: Blob[] = [];
    for (const name of await namesOf(options)) sections.push(...(await exportOne(name, options)));
    return new Blob(sections, { type: "application/x-ndjson" });
  } catch (error) {
    if (isPlasmaError(error)) throw error;
    throw storageError(`it cannot be exported (${messageOf(error)})`, error);
  }
}

async function exportOne(name: string, options: ExportOptions): Promise<Blob[]> {
  const { env = systemEnv } = options;
  const database = await inTime(openAsItIs(name), env);
  if (database === null) return [];
  database.onversionchange = () => database.close();
  try {
    const names = [...database.objectStoreNames];
    const storage = await storageOf();
    const lines = new Lines();
    if (names.length === 0) return lines.end();
    const tx = database.transaction(names, "readonly");
    const done = completed(tx);
    done.catch(() => undefined);
    const isLeftOut = (store: string): boolean =>
      FILE_STORES.has(store) ? options.files !== true : options.rows === false && !SYNC_STORES.has(store);
    const stores = await Promise.all(names.map((store) => describe(tx.objectStore(store), isLeftOut(store))));
    lines.add({
      plasma: "local-data",
      exportVersion: EXPORT_VERSION,
      database: name,
      formatVersion: database.version,
      exportedAt: new Date(env.now()).toISOString(),
      stores,
      storage,
    });
    for (const store of stores) if (!store.isLeftOut) await addRecords(lines, tx.objectStore(store.name));
    await done;
    return lines.end();
  } finally {
    database.close();
  }
}

/** A database whose deletion or upgrade waits for another tab opens when that tab lets go of it; a frozen one never does. */
async function inTime(opening: Promise<IDBDatabase | null>, env: Env): Promise<IDBDatabase | null> {
  let timer: ReturnType<Env["setTimeout"]> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = env.setTimeout(
      () => reject(storageError("another tab keeps it from being opened; close the app's other tabs")),
      limits.storeBlockedMsMax,
    );
  });
  try {
    return await Promise.race([opening, late]);
  } catch (error) {
    void opening.then((database) => database?.close());
    throw error;
  } finally {
    if (timer !== null) env.clearTimeout(timer);
  }
}

async function describe(store: IDBObjectStore, isLeftOut: boolean): Promise<ExportedStore> {
  return {
    name: store.name,
    count: await resultOf(store.count()),
    isLeftOut,
    keyPath: store.keyPath,
    autoIncrement: store.autoIncrement,
    indexes: [...store.indexNames].map((name) => {
      const { keyPath, unique, multiEntry } = store.index(name);
      return { name, keyPath, unique, multiEntry };
    }),
  };
}

async function addRecords(lines: Lines, store: IDBObjectStore): Promise<void> {
  let range: IDBKeyRange | null = null;
  for (;;) {
    const count = limits.exportBatchRecords;
    const [keys, values] = await Promise.all([
      resultOf(store.getAllKeys(range, count)),
      resultOf<unknown[]>(store.getAll(range, count)),
    ]);
    keys.forEach((key, i) => lines.add({ store: store.name, key: encodeRecord(key), value: encodeRecord(values[i]) }));
    const last = keys.at(-1);
    if (last === undefined || keys.length < count) return;
    range = IDBKeyRange.lowerBound(last, true);
  }
}

/** What the browser says of the space that the site has; nulls where it says nothing. */
async function storageOf(): Promise<{
  usageBytes: number | null;
  quotaBytes: number | null;
  persisted: boolean | null;
}> {
  const storage = globalThis.navigator?.storage as StorageManager | undefined;
  const [estimate, persisted] = await Promise.all([
    storage?.estimate?.().catch(() => null),
    storage?.persisted?.().catch(() => null),
  ]);
  return { usageBytes: estimate?.usage ?? null, quotaBytes: estimate?.quota ?? null, persisted: persisted ?? null };
}

/** Lines of text, in Blobs of about `limits.exportChunkChars`. */
class Lines {
  readonly #blobs: Blob[] = [];
  #text = "";
  #records = -1; // The first line is none.

  add(line: object): void {
    this.#records += 1;
    this.#text += `${JSON.stringify(line)}\n`;
    if (this.#text.length >= limits.exportChunkChars) this.#cut();
  }

  end(): Blob[] {
    if (this.#records >= 0) this.add({ end: true, records: this.#records });
    this.#cut();
    return this.#blobs;
  }

  #cut(): void {
    if (this.#text !== "") this.#blobs.push(new Blob([this.#text]));
    this.#text = "";
  }
}
