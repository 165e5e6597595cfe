// Owns: the `populate` work on bare IndexedDB: one record per row, all in one transaction.

import type { Item } from "./kilobyte-rows.ts";
import { sample, type PopulateParams } from "./populate-work.ts";
import type { RunResult } from "./run-request.ts";

const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });

export const run = (params: PopulateParams): Promise<RunResult> =>
  sample(params, async (rows, k) => {
    const opening = indexedDB.open(`raw-${k}`);
    opening.onupgradeneeded = () => {
      const store = opening.result.createObjectStore("items", { keyPath: "id" });
      for (const column of ["rank", "label"].slice(0, params.indexes)) store.createIndex(column, column);
    };
    const database = await resultOf(opening);
    const start = performance.now();
    const tx = database.transaction("items", "readwrite");
    const store = tx.objectStore("items");
    for (const row of rows) store.put(row);
    tx.commit();
    await new Promise((resolve) => (tx.oncomplete = resolve));
    const durableMs = performance.now() - start;
    const found = await resultOf(database.transaction("items").objectStore("items").getAll() as IDBRequest<Item[]>);
    database.close();
    return { durableMs, found };
  });
