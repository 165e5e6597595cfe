// Owns: TestNetwork and TestServer, the faults that a test may order: of the network between its clients and the server, and of
// the server's process and database.

import type { AnyMutators } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { SimBackup } from "./sim-database-node.ts";
import { runMigrations, type MigrationReport } from "../server/migration/run-migrations.ts";
import { calm, type NetworkFaults } from "./sim-network.ts";
import { steady, type ServerFaults, type SimServerApp } from "./sim-server.ts";
import type { SimWorld } from "./sim-world.ts";
import type { TestClient } from "./test-client.ts";
import { mustRun } from "./test-mutation.ts";
import { tabOf } from "./test-tab.ts";
import type { TestTime } from "./test-time.ts";

export type { NetworkFaults, ServerFaults };

/** Which requests are meant; without a field, any. */
export interface RequestFilter<S extends AnySchema = AnySchema, M extends AnyMutators = AnyMutators> {
  readonly of?: "push" | "pull" | "blob";
  /** Of this client's device. */
  readonly from?: TestClient<S, M>;
}

/** The network of a test's world: calm until a test says otherwise. */
export class TestNetwork<S extends AnySchema, M extends AnyMutators> {
  readonly #world: SimWorld;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** Probabilities for each request, from now on; what is not named is as in a calm network. */
  setFaults(faults: Partial<NetworkFaults>): void {
    this.#world.network.faults = { ...calm, ...faults };
  }

  /** No more faults. Devices that are offline stay so. */
  calm(): void {
    this.#world.network.faults = calm;
  }

  /** The next such request never reaches the server. Its client learns of it after a while, and asks again. */
  loseRequest(filter: RequestFilter<S, M> = {}): void {
    this.#lose("request", filter);
  }

  /** The server handles the next such request, and its answer is lost: the client cannot know what became of it. */
  loseAnswer(filter: RequestFilter<S, M> = {}): void {
    this.#lose("answer", filter);
  }

  /** Breaks the sockets of this client's device, or all: now, and without a word to one end or both, as networks do. */
  cutSockets({ from }: Pick<RequestFilter<S, M>, "from"> = {}): void {
    this.#world.sockets.cut(from === undefined ? undefined : tabOf(from).device.name);
  }

  #lose(what: "request" | "answer", { of, from }: RequestFilter<S, M>): void {
    const isFrom = (device: string) => from === undefined || tabOf(from).device.name === device;
    this.#world.network.lose({
      what,
      matches: (device, { url }) =>
        isFrom(device) && (of === undefined || `${new URL(url).pathname}/`.includes(`/${of}/`)),
    });
  }
}

/** The server of a test's world: one process at a time, on one database. */
export class TestServer {
  readonly #world: SimWorld;
  readonly #time: TestTime;
  #app: SimServerApp;

  constructor(world: SimWorld, time: TestTime, app: SimServerApp) {
    this.#world = world;
    this.#time = time;
    this.#app = app;
  }

  get isRunning(): boolean {
    return this.#world.server.running !== null;
  }

  /** Ends the process where it stands: what it has not committed is lost, and nobody is answered. */
  kill(): void {
    this.#world.server.kill();
  }

  /** Starts a process, with other mutators or options from now on when given. */
  start(changes: Partial<SimServerApp> = {}): void {
    this.kill();
    this.#app = { ...this.#app, ...changes };
    this.#world.server.start(this.#app);
  }

  /** Kills the process and starts another. */
  restart(changes: Partial<SimServerApp> = {}): void {
    this.start(changes);
  }

  /** Probabilities for each statement, from now on. A process that died over one stays dead until `start()`. */
  setFaults(faults: Partial<ServerFaults>): void {
    this.#world.server.faults = { ...steady, ...faults };
  }

  /** No more faults, and a server that runs. */
  calm(): void {
    this.#world.server.faults = steady;
    if (!this.isRunning) this.start();
  }

  /** Removes what is older from the change log: clients that were away longer sync anew. */
  async compact(keepMs: number): Promise<void> {
    mustRun(this.#world);
    await this.#time.watch("compact()", this.#world.server.compact(keepMs));
  }

  /** `collectBlobs`: deletes the bytes of files to which no row has referred for so long. */
  async collectFiles(graceMs: number): Promise<void> {
    mustRun(this.#world);
    await this.#time.watch("collectFiles()", this.#world.server.collect(graceMs));
  }

  /** `runMigrations` to this schema, as a deployment does it before it starts the new release. */
  migrate(schema: AnySchema): Promise<MigrationReport> {
    return this.#time.watch("migrate()", runMigrations({ schema, executor: this.#world.database.executor }));
  }

  /** All that the database holds now, for `restore`. Waits for a push that is under way. */
  async backup(): Promise<SimBackup> {
    const { database } = this.#world;
    await this.#time.until("backup()", () => !database.isInTransaction);
    return database.backup();
  }

  /** Puts the database back to what it was, with a new process: what came after is lost, and clients must find out. */
  restore(backup: SimBackup): void {
    this.#world.server.restore(backup);
  }

  /** Sends a request of the test's own making, past the network. Paths are relative to the server: "/sync/pull?…". */
  async request(path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
    const { method = "GET", headers = {}, body = null } = init;
    const url = new URL(path, "http://plasma.test").href;
    const answer = mustRun(this.#world).handle({ method, url, headers: Object.entries(headers), body });
    const { status, headers: list, body: text } = await this.#time.watch(`${method} ${path}`, answer);
    return new Response(text, { status, headers: list.map(([name, value]): [string, string] => [name, value]) });
  }
}
