// Owns: making a local database of an export, so that whoever helps a user sees what the user sees.

import { isPlasmaError, messageOf } from "../../core/error.ts";
import { databaseName } from "./layout.ts";
import { EXPORT_VERSION, type ExportedStore } from "./export-local-data.ts";
import { completed, resultOf, storageError } from "./idb-requests.ts";
import { decodeRecord } from "./record-json.ts";

export interface ImportOptions {
  /** What `exportLocalData` gave, of one user. */
  readonly file: Blob;
  /** Where to: names under which nothing lies yet. */
  readonly dbName: string;
  readonly clientGroupID: string;
}

interface Header {
  readonly plasma?: unknown;
  readonly exportVersion?: unknown;
  readonly formatVersion: number;
  readonly stores: readonly ExportedStore[];
}

type Line = { readonly store: string; readonly key: unknown; readonly value: unknown } | { readonly end: true };

/** As `importLocalData` of client/index.ts says. */
export async function importDatabase({ file, dbName, clientGroupID }: ImportOptions): Promise<void> {
  const name = databaseName(dbName, clientGroupID);
  try {
    const [first = "", ...lines] = (await file.text()).split("\n").filter((line) => line !== "");
    const header = parseHeader(first);
    const records = lines.map((line) => JSON.parse(line) as Line);
    const last = records.pop();
    if (last === undefined || !("end" in last)) throw storageError("the file was cut off: its last line is missing");
    const database = await create(name, header);
    try {
      await fill(database, records);
    } finally {
      database.close();
    }
  } catch (error) {
    if (isPlasmaError(error)) throw error;
    throw storageError(`the file cannot be imported (${messageOf(error)})`, error);
  }
}

function parseHeader(line: string): Header {
  const header = JSON.parse(line) as Header;
  if (header.plasma !== "local-data" || header.exportVersion !== EXPORT_VERSION)
    throw storageError("the file is no export that this version reads");
  return header;
}

async function create(name: string, { formatVersion, stores }: Header): Promise<IDBDatabase> {
  const request = indexedDB.open(name, formatVersion);
  let isNew = false;
  request.onupgradeneeded = ({ oldVersion }) => {
    isNew = oldVersion === 0;
    if (!isNew) return request.transaction?.abort();
    for (const { name: store, keyPath, autoIncrement, indexes } of stores) {
      const made = request.result.createObjectStore(store, { keyPath: pathOf(keyPath), autoIncrement });
      for (const index of indexes) {
        const { unique, multiEntry } = index;
        made.createIndex(index.name, pathOf(index.keyPath) ?? "", { unique, multiEntry });
      }
    }
    return undefined;
  };
  const database = await resultOf(request).catch((error: unknown) => {
    throw isTaken(error) ? taken() : error;
  });
  if (isNew) return database;
  database.close();
  throw taken();
}

/** There is a database: our upgrade of it was taken back, or it has this version or a newer one. */
const isTaken = (error: unknown): boolean =>
  error instanceof DOMException && ["AbortError", "VersionError"].includes(error.name);
const taken = () => storageError("there is data under this name already; import under another one");

const pathOf = (path: ExportedStore["keyPath"]): string | string[] | null =>
  path === null || typeof path === "string" ? path : [...path];

async function fill(database: IDBDatabase, records: readonly Line[]): Promise<void> {
  const tx = database.transaction([...database.objectStoreNames], "readwrite");
  const done = completed(tx);
  for (const line of records) {
    if ("end" in line) throw storageError("the file has data of several users; import them one by one");
    const store = tx.objectStore(line.store);
    const value = decodeRecord(line.value);
    if (store.keyPath === null) store.put(value, decodeRecord(line.key) as IDBValidKey);
    else store.put(value);
  }
  await done;
}
