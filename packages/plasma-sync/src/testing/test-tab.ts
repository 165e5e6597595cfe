// Owns: TestTab, the TestClient on a simulated device: what the kit itself asks of it, too.
// Invariants:
//   1. A promise that it returns lets virtual time pass when it is awaited, and only then.
//   2. Its tab is opened, loaded and has asked the server once before a test gets it.

import type { FileContent, FileState, ReadOptions } from "../client/blobs/file-content.ts";
import type { FileRef } from "../core/schema/value.ts";
import { isPlasmaError, messageOf } from "../core/error.ts";
import type { Env } from "../core/lib/env.ts";
import { MUTATORS, type AnyMutators } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { Mutate, MutationPromise } from "../client/plasma-client.ts";
import type { SyncClientError } from "../client/sync/sync-error.ts";
import { ENDPOINT, type SimClientApp, type SimDevice, type SimTab, type SimWorld } from "./sim-world.ts";
import { SimSessionStorage } from "./sim-tabs.ts";
import type { AppVersion, Forge, TestClient } from "./test-client.ts";
import { showCall, TestFailure } from "./test-failure.ts";
import { callable, forgePush, mustRun, showMutation, TestMutation, type Call } from "./test-mutation.ts";
import type { LazyPromise, TestTime } from "./test-time.ts";
import type { ToldAnswers } from "./told-answers.ts";
import type { Trace } from "./trace.ts";

/** Who a client is, where a test may change it. */
export interface TestUser {
  readonly user: string;
  /** The mutators' `ctx`, on the device and, unless the world has an `auth`, on the server. */
  ctx: unknown;
  headers: Readonly<Record<string, string>>;
}

export interface TestTabScope {
  readonly world: SimWorld;
  readonly time: TestTime;
  /** Of what belongs to no tab. */
  readonly env: Env;
  readonly app: Omit<SimClientApp, "getContext" | "authHeaders">;
  readonly register: (tab: TestTab) => void;
  readonly settle: () => Promise<void>;
  readonly told: ToldAnswers;
  readonly trace: Trace;
  /** What clients said in `onError`, by the name of their tab. */
  readonly errorsByTab: Map<string, SyncClientError[]>;
}

export class TestTab<S extends AnySchema = AnySchema, M extends AnyMutators = AnyMutators> implements TestClient<S, M> {
  readonly #scope: TestTabScope;
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
  #app: TestTabScope["app"];

  private constructor(scope: TestTabScope, device: SimDevice, identity: TestUser, { offline }: AppVersion) {
    this.#scope = scope;
    this.#device = device;
    this.identity = identity;
    this.#app = { ...scope.app, ...(offline === true ? { offline } : {}) };
    this.#tab = this.#open();
  }

  /** Opens a tab on the device. */
  static async open<S extends AnySchema, M extends AnyMutators>(
    scope: TestTabScope,
    device: SimDevice,
    identity: TestUser,
    version: Pick<AppVersion, "offline"> = {},
  ): Promise<TestTab<S, M>> {
    const client = new TestTab<S, M>(scope, device, identity, version);
    scope.register(client);
    await client.#ready();
    return client;
  }

  get mutate(): Mutate<M> {
    return callable(this.#names, (name, args) => this.#mutate(name, args));
  }

  get forge(): Forge<M> {
    return callable(this.#names, (name, args) => this.#forge(name, args));
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

  readFile(ref: FileRef, options?: ReadOptions): Promise<FileContent> {
    return this.#lazily("readFile()", this.#live.readFile(ref, options));
  }

  watchFile(ref: FileRef, listener: (state: FileState) => void): () => void {
    return this.#live.watchFile(ref, listener);
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

  openTab(): Promise<TestTab<S, M>> {
    return TestTab.open(this.#scope, this.#device, this.identity, { offline: this.#app.offline === true });
  }

  async reload(version: AppVersion = {}): Promise<void> {
    await this.close();
    this.#app = { ...this.#app, ...version };
    this.#undecided.clear();
    this.#callsUnderWay = 0;
    this.#tab = this.#open();
    await this.#ready();
  }

  crash(): void {
    this.#scope.world.kill(this.#tab);
  }

  freeze(): void {
    this.#tab.life.freeze();
  }

  resume(): void {
    this.#tab.page.resume();
  }

  goOffline(): void {
    this.#scope.world.setOnline(this.#device, false);
  }

  goOnline(): void {
    this.#scope.world.setOnline(this.#device, true);
  }

  get isOffline(): boolean {
    return !this.#device.isOnline;
  }

  skewClock(ms: number): void {
    this.#tab.skew.ms = ms;
  }

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
    if (this.isOffline || this.#app.offline === true) return "offline";
    if (auth === "required") return "refused by auth (401)";
    return lastError?.kind === "schema-mismatch" ? `of another schema version than ${lastError.expected}` : null;
  }

  /** The first of the texts that the server has told the user; null when there is none. */
  toldOf(texts: readonly string[]): string | null {
    return this.#scope.told.find(this.user, texts);
  }

  /** What the server answers to the user's request for a file: 200, or why not. */
  async askForFile(hash: string): Promise<number> {
    const { world, time } = this.#scope;
    const headers = Object.entries(this.identity.headers);
    const request = { method: "GET", url: `${ENDPOINT}/blob/${hash}`, headers, body: null };
    return (await time.watch(`${this.user}'s request for a file`, mustRun(world).handle(request))).status;
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

  get #names(): string[] {
    return [...this.#app.mutators[MUTATORS].byName.keys()];
  }

  /** As a trace names it. */
  get #who(): string {
    return `${this.user} (${this.#tab.name})`;
  }

  get #live(): SimTab["client"] {
    if (!this.#tab.life.isDead) return this.#tab.client;
    throw new TestFailure("test/usage", `${this.user}'s tab is closed. reload() opens it again.`);
  }

  #lazily<T>(what: string, promise: Promise<T>): LazyPromise<T> {
    return this.#scope.time.lazily(`${this.user}.${what}`, promise);
  }

  #open(): SimTab {
    const { world, errorsByTab, time, trace } = this.#scope;
    const own: SimClientApp = {
      ...this.#app,
      getContext: () => time.real(() => this.identity.ctx),
      authHeaders: () => ({ ...this.identity.headers }),
    };
    const tab = world.openTab(this.#device, own, this.#storage);
    errorsByTab.set(tab.name, this.#errors);
    trace.name(tab.name, `${this.user} (${tab.name})`);
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
    const { time, trace } = this.#scope;
    const { mutate } = this.#live as { mutate(name: string, args?: unknown): MutationPromise };
    const promise = mutate(name, args);
    const shown = showCall(name, args);
    trace.add(this.#who, shown);
    this.#undecided.add(shown);
    this.#callsUnderWay += 1;
    void promise.then(noop, noop).then(() => (this.#callsUnderWay -= 1));
    const over = (what: string) => {
      this.#undecided.delete(shown);
      trace.add(this.#who, `${shown}: ${what}`);
    };
    promise.server.then(
      () => over("applied"),
      (error: unknown) =>
        over(isPlasmaError(error, "client/closed") ? "its tab was closed" : `refused: ${messageOf(error)}`),
    );
    const server = time.lazily(`the server's word on ${this.user}'s ${shown}`, promise.server);
    const call: Call = { server, caller: this, name, args };
    return new TestMutation(() => time.watch(showMutation(call), promise), call);
  }

  #forge(name: string, args: unknown) {
    const { world, time, env, trace } = this.#scope;
    const { headers } = this.identity;
    const { schemaVersion } = this.#app;
    trace.add(this.#who, `forges ${showCall(name, args)}`);
    return forgePush({ world, time, env, schemaVersion, user: this.user, headers }, name, args);
  }
}

const noop = (): void => undefined;

/** What the kit knows of a client that a test hands to it. */
export function tabOf(client: TestClient<never, never> | object): TestTab {
  if (client instanceof TestTab) return client as TestTab;
  throw new TestFailure("test/usage", "This is no client of a test's world: make it with world.client(user).");
}
