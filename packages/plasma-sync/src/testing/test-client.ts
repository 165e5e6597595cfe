// Owns: TestClient, a real client in a tab of a simulated device, as a test holds it: it outlives reloads and crashes of its tab.
// Invariants:
//   1. A promise that it returns lets virtual time pass when it is awaited, and only then.
//   2. Its tab is opened, loaded and has asked the server once before a test gets it.

import { encodeTagged } from "../core/protocol/tagged-json.ts";
import { PROTOCOL_VERSION } from "../core/protocol/version.ts";
import type { PushResponse } from "../core/protocol/push.ts";
import { createSeed } from "../core/mutation/new-id.ts";
import type { Env } from "../core/lib/env.ts";
import { MUTATORS, type AnyMutators, type MutatorArgs, type MutatorName } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import { MutationRejectedError } from "../client/mutation-rejected-error.ts";
import type { ArgsList, Mutate, MutationPromise, PlasmaClient } from "../client/plasma-client.ts";
import type { SyncClientError } from "../client/sync/sync-error.ts";
import { showCall, TestFailure } from "./test-failure.ts";
import { LazyPromise, type TestTime } from "./test-time.ts";
import type { ToldAnswers } from "./told-answers.ts";
import { ENDPOINT, type SimClientApp, type SimDevice, type SimTab, type SimWorld } from "./sim-world.ts";
import { SimSessionStorage } from "./sim-tabs.ts";

/** Sends a mutation past the optimistic run, as a forged client would. */
export type Forge<M extends AnyMutators> = {
  readonly [N in MutatorName<M>]: (
    ...args: ArgsList<MutatorArgs<M, N>>
  ) => Promise<{ readonly clientID: string; readonly id: number }>;
};

/** Who a client is, where a test may change it. */
export interface TestUser {
  readonly user: string;
  /** The mutators' `ctx`, on the device and, unless the world has an `auth`, on the server. */
  ctx: unknown;
  headers: Readonly<Record<string, string>>;
}

export interface TestClientScope {
  readonly world: SimWorld;
  readonly time: TestTime;
  /** Of what belongs to no tab. */
  readonly env: Env;
  readonly app: Omit<SimClientApp, "getContext" | "authHeaders">;
  readonly register: (client: TestClient) => void;
  readonly settle: () => Promise<void>;
  readonly told: ToldAnswers;
  /** What clients said in `onError`, by the name of their tab. */
  readonly errorsByTab: Map<string, SyncClientError[]>;
}

export class TestClient<S extends AnySchema = AnySchema, M extends AnyMutators = AnyMutators> implements PlasmaClient<
  S,
  M
> {
  readonly #scope: TestClientScope;
  readonly #device: SimDevice;
  readonly #storage = new SimSessionStorage();
  readonly #errors: SyncClientError[] = [];
  /** Calls whose outcome this tab does not know yet. */
  readonly #undecided = new Set<string>();
  /** Calls that are not in the outbox yet. */
  #callsUnderWay = 0;
  #tab: SimTab;
  /** Of all tabs of the user. */
  readonly identity: TestUser;
  readonly mutate: Mutate<M>;
  /**
   * Sends a mutation to the server past the optimistic run, as somebody with a forged client would: what only the browser
   * refuses is allowed. Resolves when it was applied, rejects with MutationRejectedError.
   */
  readonly forge: Forge<M>;

  private constructor(scope: TestClientScope, device: SimDevice, identity: TestUser) {
    this.#scope = scope;
    this.#device = device;
    this.identity = identity;
    this.#tab = this.#open();
    const names = [...scope.app.mutators[MUTATORS].byName.keys()];
    this.mutate = callable(names, (name, args) => this.#mutate(name, args));
    this.forge = callable(names, (name, args) => this.#forge(name, args));
  }

  /** Opens a tab on the device. */
  static async open<S extends AnySchema, M extends AnyMutators>(
    scope: TestClientScope,
    device: SimDevice,
    identity: TestUser,
  ): Promise<TestClient<S, M>> {
    const client = new TestClient<S, M>(scope, device, identity);
    scope.register(client);
    await client.#ready();
    return client;
  }

  get user(): string {
    return this.identity.user;
  }

  get schema(): S {
    return this.#tab.client.schema as unknown as S;
  }

  get db() {
    return this.#live.db;
  }

  get clientID(): string {
    return this.#tab.client.clientID;
  }

  get clientGroupID(): string {
    return this.#tab.client.clientGroupID;
  }

  get status() {
    return this.#tab.client.status;
  }

  /** Everything that its tabs were told in `onError`, oldest first. */
  get errors(): readonly SyncClientError[] {
    return this.#errors;
  }

  newId(): string {
    return this.#tab.client.newId();
  }

  pullOnce(): Promise<void> {
    return this.#lazily("pullOnce()", this.#live.pullOnce());
  }

  pushOnce(): Promise<void> {
    return this.#lazily("pushOnce()", this.#live.pushOnce());
  }

  flush(): Promise<void> {
    return this.#lazily("flush()", this.#live.flush());
  }

  resetLocalState(): Promise<void> {
    return this.#lazily("resetLocalState()", this.#live.resetLocalState());
  }

  pending() {
    return this.#lazily("pending()", this.#live.pending());
  }

  start(): void {
    this.#live.start();
  }

  stop(): void {
    this.#live.stop();
  }

  /** Closes the tab in order. */
  async close(): Promise<void> {
    const tab = this.#tab;
    if (!tab.life.isDead && !tab.life.isFrozen)
      await this.#scope.time.watch(`${this.user}.close()`, tab.client.close());
    this.#scope.world.kill(tab);
  }

  /** Opens another tab in the same browser. */
  openTab(): Promise<TestClient<S, M>> {
    return TestClient.open(this.#scope, this.#device, this.identity);
  }

  /** Reloads the page: the client is closed and made anew on what its device has kept. After a crash, it opens it again. */
  async reload(): Promise<void> {
    await this.close();
    this.#undecided.clear();
    this.#callsUnderWay = 0;
    this.#tab = this.#open();
    await this.#ready();
  }

  /** The tab ends where it stands: what is not on its disk is lost. `reload()` opens it again. */
  crash(): void {
    this.#scope.world.kill(this.#tab);
  }

  /** The browser stops the tab, as it does to hidden ones: it runs nothing until `resume()`. */
  freeze(): void {
    this.#tab.life.freeze();
  }

  resume(): void {
    this.#tab.life.resume();
  }

  /** The device, with all its tabs, has no network and knows it. */
  goOffline(): void {
    this.#scope.world.setOnline(this.#device, false);
  }

  goOnline(): void {
    this.#scope.world.setOnline(this.#device, true);
  }

  get isOffline(): boolean {
    return !this.#device.isOnline;
  }

  /** The device's clock is wrong by so many milliseconds, from now on. */
  skewClock(ms: number): void {
    this.#tab.skew.ms = ms;
  }

  /** Changes the user's `ctx`, as a new role does. */
  setContext(ctx: unknown): void {
    this.identity.ctx = ctx;
  }

  /** The device, as the network knows it. */
  get device(): SimDevice {
    return this.#device;
  }

  /** Whether nothing of it is under way or waits for the server. */
  get isQuiet(): boolean {
    const { outboxDepth, syncing } = this.status.get();
    return this.#callsUnderWay === 0 && outboxDepth === 0 && !syncing;
  }

  /** Why `settle()` does not wait for it; null when it does. */
  get unreachable(): string | null {
    const { auth, lastError } = this.status.get();
    if (this.#tab.life.isDead) return "closed";
    if (this.#tab.life.isFrozen) return "frozen";
    if (this.isOffline) return "offline";
    if (auth === "required") return "refused by auth (401)";
    return lastError?.kind === "schema-mismatch" ? `of another schema version than ${lastError.expected}` : null;
  }

  /** The first of the texts that the server has told the user; null when there is none. */
  toldOf(texts: readonly string[]): string | null {
    return this.#scope.told.find(this.user, texts);
  }

  /** `world.settle()`. */
  settle(): Promise<void> {
    return this.#scope.settle();
  }

  /** One line on what it waits for. */
  describe(): string {
    const { outboxDepth, syncing, firstSync, lastError, role } = this.status.get();
    const facts = [
      this.unreachable ?? role,
      outboxDepth > 0 ? `${outboxDepth} pending` : "nothing pending",
      ...(this.#undecided.size > 0 ? [`undecided: ${[...this.#undecided].join(", ")}`] : []),
      ...(firstSync.done ? [] : ["its first sync has not ended"]),
      ...(syncing ? ["a request is under way"] : []),
      ...(lastError === null ? [] : [`last error: ${lastError.kind}: ${lastError.message}`]),
    ];
    return `  ${this.user} (${this.#tab.name}): ${facts.join("; ")}`;
  }

  get #live(): SimTab["client"] {
    if (!this.#tab.life.isDead) return this.#tab.client;
    throw new TestFailure("test/usage", `${this.user}'s tab is closed. reload() opens it again.`);
  }

  #lazily<T>(what: string, promise: Promise<T>): LazyPromise<T> {
    return this.#scope.time.lazily(`${this.user}.${what}`, promise);
  }

  #open(): SimTab {
    const { world, app, errorsByTab, time } = this.#scope;
    const own: SimClientApp = {
      ...app,
      getContext: () => time.real(() => this.identity.ctx),
      authHeaders: () => ({ ...this.identity.headers }),
    };
    const tab = world.openTab(this.#device, own, this.#storage);
    errorsByTab.set(tab.name, this.#errors);
    return tab;
  }

  /** The first pull has been tried. */
  async #ready(): Promise<void> {
    const { client, life } = this.#tab;
    if (life.isDead) return;
    await this.#scope.time.watch(`opening ${this.user}'s tab`, client.pending());
    if (!this.isOffline) await this.#scope.time.watch(`${this.user}'s first pull`, client.pullOnce());
  }

  #mutate(name: string, args: unknown): TestMutation {
    const call = showCall(name, args);
    const { mutate } = this.#live as { mutate(name: string, args?: unknown): MutationPromise };
    const promise = mutate(name, args);
    this.#undecided.add(call);
    const over = () => void this.#undecided.delete(call);
    promise.server.then(over, over);
    this.#callsUnderWay += 1;
    void promise.then(noop, noop).then(() => (this.#callsUnderWay -= 1));
    const { time } = this.#scope;
    const server = time.lazily(`the server's word on ${this.user}'s ${call}`, promise.server);
    const watch = () => time.watch(`${this.user}'s ${call}`, promise);
    return new TestMutation(watch, { server, client: this, name, args });
  }

  async #forge(name: string, args: unknown): Promise<{ clientID: string; id: number }> {
    const { world, time, env } = this.#scope;
    const clientID = env.randomUUID();
    const mutation = { id: 1, name, args: encodeTagged(args, name), timestamp: time.now, seed: createSeed(env) };
    const body = JSON.stringify({
      protocolVersion: PROTOCOL_VERSION,
      schemaVersion: this.#scope.app.schemaVersion,
      clientGroupID: this.user,
      clientID,
      replicaID: env.randomUUID(),
      mutations: [mutation],
    });
    const headers = Object.entries({ ...this.identity.headers, "content-type": "application/json" });
    const answer = await time.watch(
      `${this.user}'s forged ${showCall(name, args)}`,
      mustRun(world).handle({ method: "POST", url: `${ENDPOINT}/push`, headers, body }),
    );
    if (answer.status !== 200)
      throw new TestFailure("test/denied", `The server answered a forged push with ${answer.status}: ${answer.body}`);
    const { results } = JSON.parse(answer.body) as PushResponse;
    const error = results[0]?.error;
    if (error !== undefined) throw new MutationRejectedError(error, name, args);
    return { clientID, id: 1 };
  }
}

/** The running server; a test failure while there is none. */
export function mustRun(world: SimWorld) {
  const { running } = world.server;
  if (running === null) throw new TestFailure("test/usage", "No server runs: world.server.start() starts one.");
  return running;
}

/** What `mutate` of a test's client returns: a MutationPromise that knows whose call it was. */
export class TestMutation extends LazyPromise<void> implements MutationPromise {
  readonly server: Promise<{ clientID: string; id: number }>;
  readonly client: TestClient;
  readonly mutator: string;
  readonly args: unknown;

  constructor(
    watch: () => Promise<void>,
    call: {
      readonly server: Promise<{ clientID: string; id: number }>;
      readonly client: TestClient;
      readonly name: string;
      readonly args: unknown;
    },
  ) {
    super(watch);
    this.server = call.server;
    this.client = call.client;
    this.mutator = call.name;
    this.args = call.args;
  }
}

/** `f(name, args)` and `f.name(args)`. */
function callable<T>(names: readonly string[], call: (name: string, args: unknown) => T) {
  const fn = (name: string, args?: unknown): T => call(name, args);
  for (const name of names)
    Object.defineProperty(fn, name, { value: (args?: unknown) => call(name, args), enumerable: true });
  return fn;
}

const noop = (): void => undefined;
