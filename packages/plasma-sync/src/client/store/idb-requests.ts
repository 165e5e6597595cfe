// Owns: IndexedDB's events as promises. A few shapes instead of the `idb` package: the client's bytes count, and a store
// that tells its failures apart (dead connection, newer format, blocked upgrade) needs the bare events anyway.

import { PlasmaError } from "../../core/error.ts";
import type { Env } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";

/** Resolves with the request's result. */
export function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves when the transaction is durable as asked for; rejects when it was aborted. */
export function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException("The transaction was aborted.", "AbortError"));
  });
}

export interface OpenOptions {
  readonly name: string;
  readonly version: number;
  readonly upgrade: (database: IDBDatabase, oldVersion: number, tx: IDBTransaction) => void;
  readonly env: Env;
}

/**
 * Opens a database.
 *
 * @throws PlasmaError `client/storage` when it has a newer version, or when a tab that does not answer keeps an older one, or one
 * that is to be deleted, open for longer than `limits.storeBlockedMsMax`.
 */
export function openDatabase({ name, version, upgrade, env }: OpenOptions): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    let isLate = false;
    // A tab that is awake closes at once or when its transaction has ended; a frozen one may keep us for ever. We are told
    // (`blocked`) where our own upgrade waits for it, but not where we wait behind another's upgrade or deletion.
    const waiting = env.setTimeout(() => {
      isLate = true;
      reject(storageError("another tab keeps it from being opened; close the app's other tabs"));
    }, limits.storeBlockedMsMax);
    request.onupgradeneeded = ({ oldVersion }) => {
      env.clearTimeout(waiting);
      upgrade(request.result, oldVersion, request.transaction as IDBTransaction);
    };
    request.onsuccess = () => {
      env.clearTimeout(waiting);
      if (isLate) request.result.close();
      else resolve(request.result);
    };
    request.onerror = () => {
      env.clearTimeout(waiting);
      const isNewer = request.error?.name === "VersionError";
      reject(
        isNewer
          ? storageError("a newer version of the app has made it; reload the page", request.error)
          : request.error,
      );
    };
  });
}

/** What went wrong, as the error that the store's contract names. */
export const storageError = (what: string, cause?: unknown): PlasmaError =>
  new PlasmaError("client/storage", { what }, { cause });
