// Owns: IdbConnection: one user's connection to a replica's database, and transactions on it. The store and the local blobs
// have one each.
// Invariants:
//   1. Inside a transaction nothing is awaited but its own requests, so it is never closed early or kept open.
//   2. When the connection dies (the browser closed it) the transaction runs once more on a new one. So a body can be
//      repeated even if the first run became durable: it writes the same again, or finds that it did.

import { isPlasmaError, PlasmaError } from "../../core/error.ts";
import type { Env } from "../../core/lib/env.ts";
import { completed, openDatabase, storageError } from "./idb-requests.ts";
import { FORMAT_VERSION, upgrade } from "./layout.ts";
import { renewedLog } from "./renew-log.ts";

export interface IdbConnectionOptions {
  /** The database's name, see `databaseName`. */
  readonly name: string;
  readonly env: Env;
  /** "strict" waits for the disk itself. Default "relaxed": survives a killed process, not a power cut. */
  readonly durability?: "relaxed" | "strict";
}

export interface IdbScope {
  readonly stores: string[];
  readonly mode: IDBTransactionMode;
  /** Whether the body may run again when the connection has died under it. Default: always. */
  readonly canRepeat?: () => boolean;
}

export class IdbConnection {
  readonly #options: IdbConnectionOptions;
  #database: Promise<IDBDatabase> | null = null;
  /** Why nothing can be read or written any more. */
  #over: (() => PlasmaError) | null = null;

  constructor(options: IdbConnectionOptions) {
    this.#options = options;
  }

  /** Refuses from now on with `client/closed`; transactions under way finish. */
  close(): void {
    this.#over = () => new PlasmaError("client/closed", {});
    this.#letGo();
  }

  /** Runs `body` in one transaction; resolves when that is durable. */
  async run<T>(scope: IdbScope, body: (tx: IDBTransaction) => Promise<T>): Promise<T> {
    try {
      return await this.#attempt(scope, body);
    } catch (error) {
      if (isPlasmaError(error)) throw error;
      if (!isDeadConnection(error)) throw storageError(describe(error), error);
      this.#letGo();
      if (scope.canRepeat?.() === false) throw storageError(describe(error), error);
    }
    try {
      return await this.#attempt(scope, body);
    } catch (error) {
      throw isPlasmaError(error) ? error : storageError(describe(error), error);
    }
  }

  async #attempt<T>({ stores, mode }: IdbScope, body: (tx: IDBTransaction) => Promise<T>): Promise<T> {
    const database = await this.#open();
    const log = mode === "readwrite" ? renewedLog(this.#options.env) : null;
    if (log !== null) await log;
    const tx = database.transaction(stores, mode, { durability: this.#options.durability ?? "relaxed" });
    const done = completed(tx);
    // Told of below; until then an abort must not count as unhandled.
    done.catch(() => undefined);
    let result: T;
    try {
      result = await body(tx);
      // Early, so that a tab that is frozen now does not keep the others waiting.
      if (mode === "readwrite") tx.commit();
    } catch (error) {
      abort(tx);
      // A request that failed because its transaction did knows less than the transaction.
      throw isPlasmaError(error) ? error : (tx.error ?? error);
    }
    await done;
    return result;
  }

  #open(): Promise<IDBDatabase> {
    if (this.#over !== null) throw this.#over();
    return (this.#database ??= this.#connect());
  }

  async #connect(): Promise<IDBDatabase> {
    const { name, env } = this.#options;
    try {
      const database = await openDatabase({ name, version: FORMAT_VERSION, upgrade, env });
      database.onclose = () => this.#letGo();
      database.onversionchange = ({ newVersion }) => {
        // A deleted database (the user has logged out) must not come back because a tab is still open.
        if (newVersion === null) this.#over ??= () => storageError("it was deleted; reload the page");
        this.#letGo();
      };
      return database;
    } catch (error) {
      this.#database = null;
      throw error;
    }
  }

  /** Closes the connection when its transactions have ended; the next use opens a new one. */
  #letGo(): void {
    void this.#database?.then(
      (database) => database.close(),
      () => undefined,
    );
    this.#database = null;
  }
}

function abort(tx: IDBTransaction): void {
  try {
    tx.abort();
  } catch {
    return; // It has ended by itself: its own error is on its way.
  }
}

/** Errors of a connection that the browser has closed (AbortError: it ended our transaction), not of what was asked of it. */
const isDeadConnection = (error: unknown): boolean =>
  error instanceof DOMException && ["InvalidStateError", "UnknownError", "AbortError"].includes(error.name);

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
