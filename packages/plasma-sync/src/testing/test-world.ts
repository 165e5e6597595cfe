// Owns: createTestWorld, what an app's tests begin with: the app's real server and real clients on virtual time, in one process.

import type { Db } from "../core/query/db.ts";
import { encodeTagged } from "../core/protocol/tagged-json.ts";
import * as limits from "../core/limits.ts";
import type { AnyMutators } from "../core/mutation/mutator.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { SocketConstructor } from "../client/transport/socket-like.ts";
import { createWebSocketSubscription } from "../client/transport/websocket-subscription.ts";
import type { SyncClientError } from "../client/sync/sync-error.ts";
import type { AuthResult, SyncHandlerOptions } from "../server/handler-options.ts";
import { ensureSchema } from "../server/migration/ensure-schema.ts";
import { createServerDb } from "../server/server-db.ts";
import type { SqlExecutor } from "../server/database/sql-executor.ts";
import { createSimEnv, SimLife } from "./sim-clock.ts";
import type { SimEngine } from "./sim-database-node.ts";
import type { SimRandom } from "./sim-random.ts";
import type { SimServerApp } from "./sim-server.ts";
import { COORDINATOR_URL, SimWorld } from "./sim-world.ts";
import { settle } from "./settle.ts";
import type { TestClient } from "./test-client.ts";
import { TestNetwork, TestServer } from "./test-network.ts";
import { TestTab, type TestTabScope, type TestUser } from "./test-tab.ts";
import { TestTime } from "./test-time.ts";
import { ToldAnswers, userOf } from "./told-answers.ts";
import { Trace } from "./trace.ts";

type HandlerOptions = Omit<
  SyncHandlerOptions<never>,
  "schema" | "mutators" | "executor" | "schemaVersion" | "auth" | "basePath" | "env"
>;

export interface TestWorldOptions<S extends AnySchema, M extends AnyMutators> {
  readonly schema: S;
  /** Of the clients, and of the server unless it has its own. */
  readonly mutators: M;
  /** The server's own mutators, as given to `createSyncHandler`. */
  readonly serverMutators?: AnyMutators;
  /** Default "1". */
  readonly schemaVersion?: string;
  /** The app's own `auth`. Default: the user is who the test says, with the `ctx` that it says. */
  readonly auth?: (request: Request) => AuthResult | Promise<AuthResult>;
  /** The `ctx` of a user, unless `world.client` is given one. Default `{ userId: user }`. */
  readonly ctx?: (user: string) => unknown;
  /** Headers of a user's requests, for the app's own `auth`. Default `{ "x-user": user }`. */
  readonly headers?: (user: string) => Readonly<Record<string, string>>;
  /** "d1" has batches only, as D1 has. Default "sqlite". */
  readonly engine?: SimEngine;
  /** Equal seeds give equal runs. Default 1. */
  readonly seed?: number;
  /** Of the clients. Default 5000. */
  readonly pollIntervalMs?: number;
  /**
   * Clients hear of changes over sockets, in the room "global" or in this one; they poll besides. Default false: they poll.
   */
  readonly sockets?: boolean | { readonly room: string };
  /** Further options of `createSyncHandler`: hooks, limits, accepted versions. */
  readonly server?: HandlerOptions;
}

/** Who a client is, beside the user's name. */
export interface TestClientOptions {
  /** Default: as the world's `ctx` says. */
  readonly ctx?: unknown;
  /** Default: as the world's `headers` say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** As the client's option: it never asks the server, until `reload({ offline: false })`. Default false. */
  readonly offline?: boolean;
}

/**
 * Makes a world for a test: the real sync handler on SQLite in memory, a calm network, and real clients as the test asks for
 * them. Time in it is virtual: it passes while the test awaits something of the world, at no cost. Guide: testing.
 *
 * @throws PlasmaError `server/option` for options that cannot work.
 * @example
 * const world = createTestWorld({ schema, mutators });
 * const ada = await world.client("ada");
 * await expectApplied(ada.mutate.createList({ id: "trip", name: "Trip", color: "sea" }));
 * await world.close();
 */
export function createTestWorld<S extends AnySchema, M extends AnyMutators>(
  options: TestWorldOptions<S, M>,
): TestWorld<S, M> {
  return new TestWorld(options);
}

export class TestWorld<S extends AnySchema = AnySchema, M extends AnyMutators = AnyMutators> {
  readonly #options: TestWorldOptions<S, M>;
  readonly #sim: SimWorld;
  readonly #time: TestTime;
  readonly #scope: TestTabScope;
  readonly #users = new Map<string, TestUser>();
  readonly #clients: TestTab[] = [];
  readonly #errorsByTab = new Map<string, SyncClientError[]>();
  readonly #executor: SqlExecutor;
  /** Absent while the world is made. */
  readonly #trace: Trace | undefined;
  readonly network: TestNetwork<S, M>;
  readonly server: TestServer;
  /** The server's own db, beside every rule: to seed rows, and to look at what is really there. */
  readonly db: Db;
  /** Draws from the seed: for tests that run with many. */
  readonly random: SimRandom;

  constructor(options: TestWorldOptions<S, M>) {
    const { schema, mutators, schemaVersion = "1", pollIntervalMs, seed = 1, engine = "sqlite" } = options;
    this.#options = options;
    const app = this.#serverApp();
    const told = new ToldAnswers();
    this.#sim = new SimWorld({
      seed,
      engine,
      server: app,
      onHandled: (request, answer) => {
        const user = userOf(request);
        told.keep(user, answer);
        this.#trace?.request(user, request, answer);
      },
      onNote: (what, who) => this.#trace?.add(who, what),
      onClientError: (tab, error) => {
        this.#errorsByTab.get(tab)?.push(error);
        this.#trace?.add(tab, `${error.kind}: ${error.message}`);
      },
    });
    const { clock } = this.#sim;
    this.#trace = new Trace(() => clock.now);
    this.random = this.#sim.random.fork();
    this.#time = new TestTime(clock, () => this.#describe());
    const life = new SimLife("test");
    const env = createSimEnv(clock, { life, random: this.#sim.random.fork(), skew: { ms: 0 } });
    this.#scope = {
      world: this.#sim,
      time: this.#time,
      env,
      app: {
        schema,
        mutators,
        schemaVersion,
        ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
        ...socketsOf(options),
      },
      errorsByTab: this.#errorsByTab,
      settle: () => this.settle(),
      told,
      trace: this.#trace,
      register: (client) => void this.#clients.push(client),
    };
    this.network = new TestNetwork(this.#sim);
    this.server = new TestServer(this.#sim, this.#time, app);
    this.#executor = this.#openExecutor();
    this.db = createServerDb({ schema, executor: this.#executor, env });
  }

  /**
   * Opens a client as a user, in a browser of its own. Resolves when it has pulled once.
   *
   * @example
   * const grace = await world.client("grace", { ctx: { userId: "grace", role: "support" } });
   */
  client(user: string, { ctx, headers, offline = false }: TestClientOptions = {}): Promise<TestClient<S, M>> {
    const identity = this.#user(user);
    if (ctx !== undefined) identity.ctx = ctx;
    if (headers !== undefined) identity.headers = headers;
    return TestTab.open(this.#scope, this.#sim.addDevice(user), identity, { offline });
  }

  /**
   * Lets time pass until nothing is pending: every mutation is decided, and every client has all that it may see. Clients that
   * are offline, frozen, closed or refused by `auth` are left out. Throws `test/stuck`, saying what is pending, after 300 s of
   * virtual time.
   */
  settle(): Promise<void> {
    return settle({ world: this.#sim, time: this.#time, executor: this.#executor, clients: this.#clients });
  }

  /** The virtual time, in ms since the epoch. It begins at 2026-01-01. */
  get now(): number {
    return Math.floor(this.#time.now);
  }

  /** Lets so many milliseconds pass, with all that happens in them: polls, retries, timers. */
  advance(ms: number): Promise<void> {
    return this.#time.advance(ms);
  }

  /** Makes it later without anything happening in between, as when every machine sleeps: for days and years. */
  jumpTo(at: Date | number): void {
    this.#time.jumpTo(Number(at));
  }

  /** Lets time pass until the condition holds; it is asked after every event. */
  until(condition: () => boolean | Promise<boolean>, what = "until()"): Promise<void> {
    return this.#time.until(what, condition);
  }

  /** From now on time passes in `advance` alone: what a test awaits must be reached by it. */
  holdTime(): void {
    this.#time.isHeld = true;
  }

  releaseTime(): void {
    this.#time.isHeld = false;
  }

  /**
   * Who did what when, a line each: calls, requests with what they carried and what was answered, faults, tabs. For looking at a
   * run that failed.
   *
   * @example
   * await forEachSeed({ only: 7 }, async (seed) => {
   *   const world = createTestWorld({ schema, mutators, seed });
   *   try {
   *     await play(world);
   *   } finally {
   *     console.log(world.trace());
   *   }
   * });
   */
  trace(): string {
    return this.#trace?.last() ?? "";
  }

  /** Ends everything. What is awaited then fails with `test/closed`. */
  async close(): Promise<void> {
    if (this.#time.isClosed) return;
    for (const device of this.#sim.devices) for (const tab of device.open) this.#sim.kill(tab);
    this.#sim.server.kill();
    // Statements of the dead server end, with an error.
    await this.#time.advance(10);
    this.#time.close();
    this.#sim.database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #user(user: string): TestUser {
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const { ctx = (userId: string) => ({ userId }), headers = (name: string) => ({ "x-user": name }) } = this.#options;
    const made: TestUser = { user, ctx: ctx(user), headers: headers(user) };
    this.#users.set(user, made);
    return made;
  }

  #serverApp(): SimServerApp {
    const { schema, mutators, serverMutators = mutators, schemaVersion = "1", auth, server = {} } = this.#options;
    const ask = auth ?? ((request: Request) => this.#believe(request));
    return {
      ...server,
      ...this.#realHooks(server),
      schema,
      mutators: serverMutators,
      schemaVersion,
      onError: (error) => {
        this.#trace?.add("server", `${error.kind}: ${error.message}`);
        server.onError?.(error);
      },
      auth: (request) => this.#time.real(() => ask(request)) as never,
    };
  }

  /** The app's hooks, during which time stands still: they may send mail. */
  #realHooks({ onPushed, onMutation, rateLimit }: HandlerOptions): HandlerOptions {
    const real =
      <A extends unknown[], T>(hook: (...args: A) => T | Promise<T>) =>
      async (...args: A): Promise<T> =>
        this.#time.real(() => hook(...args));
    return {
      ...(onPushed === undefined ? {} : { onPushed: real(onPushed) }),
      ...(onMutation === undefined ? {} : { onMutation: real(onMutation) }),
      ...(rateLimit === undefined ? {} : { rateLimit: real(rateLimit) }),
    };
  }

  /** Where the app brings no `auth`: requests are of who they say, with what the test says of them. */
  #believe(request: Request): AuthResult {
    const name = request.headers.get("x-user") ?? "";
    const user = this.#users.get(name);
    if (user === undefined) return { ok: false, reason: `The test knows no user "${name}".` };
    // Another ctx may see other rows: its clients sync anew.
    return { ok: true, clientGroupID: name, ctx: user.ctx, ctxKey: JSON.stringify(encodeTagged(user.ctx, "ctx")) };
  }

  /** The database as the test's own code sees it: what waits for it lets time pass, for a push may have it open. */
  #openExecutor(): SqlExecutor {
    const { database } = this.#sim;
    const { schema } = this.#options;
    let prepared: Promise<unknown> | undefined;
    const run = <T>(fn: (executor: SqlExecutor) => Promise<T>): Promise<T> => {
      const { executor } = database;
      prepared ??= ensureSchema({ schema, executor });
      return this.#time.watch(
        "the server's database",
        prepared.then(() => fn(executor)),
      );
    };
    return {
      ...database.executor,
      all: (statement) => run((executor) => executor.all(statement)),
      run: (statement) => run((executor) => executor.run(statement)),
      batch: (statements) => run((executor) => executor.batch(statements)),
      transaction: (fn) => run((executor) => executor.transaction(fn)),
    };
  }

  #describe(): string {
    const lines = this.#clients.map((client) => client.describe());
    if (!this.server.isRunning) lines.push("  the server is down");
    if (lines.length === 0) lines.push("  There is no client.");
    return `${lines.join("\n")}\nWhat happened last (all of it: world.trace()):\n${this.#trace?.last(limits.testTraceShownLinesMax) ?? ""}`;
  }
}

/** How clients hear of changes, as their options say it. */
function socketsOf({ sockets = false }: Pick<TestWorldOptions<AnySchema, AnyMutators>, "sockets">) {
  if (sockets === false) return {};
  const room = sockets === true ? {} : sockets;
  const subscribeWith = (WebSocketImpl: SocketConstructor) =>
    createWebSocketSubscription({ url: COORDINATOR_URL, ...room, WebSocketImpl });
  return { subscribeWith };
}
