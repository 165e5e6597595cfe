// Owns: SimServer: the real sync handler on a simulated database: processes that start, die and start again on it.

import type { Env } from "../core/lib/env.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { AnyMutators } from "../core/mutation/mutator.ts";
import { createSyncHandler, type SyncHandler } from "../server/handler.ts";
import type { SyncHandlerOptions } from "../server/handler-options.ts";
import type { BlobStore } from "../server/blob/blob-store.ts";
import { collectBlobs } from "../server/blob/collect-blobs.ts";
import type { SqlExecutor } from "../server/database/sql-executor.ts";
import { compactChangeLog } from "../server/change-log/compact-change-log.ts";
import { createServerDb } from "../server/server-db.ts";
import { createSimEnv, SimLife, type SimClock } from "./sim-clock.ts";
import type { SimBackup, SimDatabase } from "./sim-database-node.ts";
import { SimBlobStore } from "./sim-blob-store.ts";
import { SimDatabaseError, simExecutor, type StatementGate } from "./sim-executor.ts";
import type { SimAnswer, SimHandle, SimRequest } from "./sim-network.ts";
import { SimHub } from "./sim-hub.ts";
import type { SimUpgrade } from "./sim-sockets.ts";
import type { SimRandom } from "./sim-random.ts";

/** What the app gives to its server; the rest is the world's. */
export type SimServerApp = Omit<SyncHandlerOptions<never>, "executor" | "env" | "schema" | "mutators"> & {
  readonly schema: AnySchema;
  readonly mutators: AnyMutators;
};

export interface ServerFaults {
  readonly statementMsMax: number;
  /** Probabilities for each statement. */
  readonly failure: number;
  readonly death: number;
}

export const steady: ServerFaults = { statementMsMax: 1, failure: 0, death: 0 };

export interface SimServerScope {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly database: SimDatabase;
  readonly note: (what: string) => void;
  /** The process has died: what it held is gone. */
  readonly onDeath: (life: SimLife) => void;
}

interface Process {
  readonly life: SimLife;
  readonly handle: SyncHandler;
  readonly env: Env;
  readonly hub: SimHub;
  readonly executor: SqlExecutor;
  readonly blobs: BlobStore;
}

export class SimServer {
  readonly #scope: SimServerScope;
  #app: SimServerApp;
  #process: Process | null = null;
  #starts = 0;
  faults: ServerFaults = steady;
  /** Where the bytes of files lie. */
  readonly blobs = new SimBlobStore();
  /** How far the server's clock is off. */
  readonly skew = { ms: 0 };

  constructor(scope: SimServerScope, app: SimServerApp) {
    this.#scope = scope;
    this.#app = app;
  }

  /** The running process, as the network reaches it. */
  get running(): { readonly life: SimLife; readonly handle: SimHandle; readonly upgrade: SimUpgrade } | null {
    const found = this.#process;
    if (found === null) return null;
    const { life, handle, hub } = found;
    return {
      life,
      handle: (request, upload) => answer(handle, request, upload),
      upgrade: (...socket) => hub.upgrade(...socket),
    };
  }

  /** Starts a process, of another version of the app when given. */
  start(app: SimServerApp = this.#app): void {
    const { clock, random, database, note } = this.#scope;
    this.#app = app;
    const life = new SimLife(`server ${(this.#starts += 1)}`);
    const env = createSimEnv(clock, { life, random: random.fork(), skew: this.skew });
    const gate: StatementGate = (when, what) => this.#pass(life, when, what);
    const executor = simExecutor(database.executor, gate);
    const blobs = this.blobs.behind(gate);
    const options: SyncHandlerOptions<never> = { blobs: { default: blobs }, ...app, executor, env };
    const hub = new SimHub(options as unknown as SyncHandlerOptions);
    const handle = createSyncHandler<never>({ ...options, coordinator: hub });
    this.#process = { life, handle, env, hub, executor, blobs };
    note("server: started");
  }

  /** Ends the process where it stands: what has not been committed is lost, and nobody is answered. */
  kill(): void {
    if (this.#process === null) return;
    const { life } = this.#process;
    life.die();
    this.#process = null;
    this.#scope.note("server: killed");
    this.#scope.onDeath(life);
  }

  /** Tells all sockets that something has changed: for changes that no push made. */
  poke(): void {
    this.#process?.hub.poke({ rooms: null, origin: null });
  }

  /** Puts the database back. The process dies with it. */
  restore(backup: SimBackup): void {
    this.kill();
    this.#scope.database.restore(backup);
    this.blobs.restore();
    this.#scope.note("server: backup restored");
    this.start();
  }

  async compact(keepMs: number): Promise<void> {
    const { database, note } = this.#scope;
    if (this.#process === null) return;
    const { compactedTo } = await compactChangeLog({ executor: database.executor, keepMs, env: this.#process.env });
    if (compactedTo > 0) note("server: log compacted");
  }

  /** Deletes the bytes of files to which no row has referred for so long. */
  async collect(graceMs: number): Promise<void> {
    if (this.#process === null) return;
    const { executor, env, blobs } = this.#process;
    const { deleted } = await collectBlobs({ executor, blobs, graceMs, env });
    if (deleted > 0) this.#scope.note("server: blobs collected");
  }

  /** The server's own db, beside every rule and every fault. */
  get db() {
    const env = this.#process?.env;
    return createServerDb({
      schema: this.#app.schema,
      executor: this.#scope.database.executor,
      ...(env === undefined ? {} : { env }),
    });
  }

  /** Time passes, and sometimes the database fails or the process dies over it. */
  #pass(life: SimLife, when: "before" | "after", what: string): Promise<void> {
    const { clock, random, note } = this.#scope;
    return new Promise((resolve, reject) => {
      clock.after(random.int(0, this.faults.statementMsMax), world, () => {
        if (life.isDead) return reject(new SimDatabaseError("the server has died"));
        if (random.chance(this.faults.death)) {
          note(`server: died ${when} ${what}`);
          this.kill();
          return reject(new SimDatabaseError("the server has died"));
        }
        if (random.chance(this.faults.failure)) {
          note(`database: failed ${when} ${what}`);
          return reject(new SimDatabaseError("the database has failed"));
        }
        return resolve();
      });
    });
  }
}

/** Statements of a dead server end all the same, with an error: else they would hold the database's one connection. */
const world = new SimLife("database");

async function answer(handle: SyncHandler, request: SimRequest, upload?: ReadableStream): Promise<SimAnswer> {
  const { method, url, headers } = request;
  const body = upload ?? request.body;
  const init = {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    // A stream says so.
    ...(body === null ? {} : { body, duplex: "half" }),
  };
  const response = await handle(new Request(url, init));
  const bytes = new Uint8Array(await response.arrayBuffer());
  const isFile = !(response.headers.get("content-type") ?? "").startsWith("application/json");
  return {
    status: response.status,
    headers: [...response.headers],
    body: new TextDecoder().decode(bytes),
    ...(isFile ? { bytes } : {}),
  };
}
