// Owns: ColdTables: brings rows that lie on disk into memory: those that somebody needs now, and in time all of them.
//
//   cold ──stream──► warm            reading fails, or the disk is ahead of the view (`client/stale`):
//     └─ byID, window: some rows     everything is read anew by the replica (freeze … end), and all tables are warm
//
// What may happen while an answer is on its way, and why it does no harm:
//   - commits of this or other tabs, mutations: what they touch is known from then on, and a fill leaves what is known alone;
//   - a fold that moves commits into pages: a page of a commit that the view does not show yet is refused as stale;
//   - the table becomes warm: then everything is known;
//   - everything is read anew (a gap, a reset, a failure), or the replica is closed: the answer belongs to an earlier turn and
//     is dropped.
// It comes by `import()`, with `early-query.ts`, when a table has rows on disk: a client that begins anew needs neither.
// Invariants:
//   1. A table becomes warm when every row on disk was handed to it, and not before; then whoever waits for it goes on.
//   2. Answers of an earlier turn change nothing.

import type { Env } from "../../core/lib/env.ts";
import { PlasmaError } from "../../core/error.ts";
import * as limits from "../../core/limits.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { Row } from "../../core/schema/value.ts";
import { planEarly, runEarly, startEarly } from "../ivm/early-query.ts";
import type { EarlyRun } from "../ivm/live-queries.ts";
import type { ColdReads, EarlyDeps } from "../ivm/cold-reads.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import type { Overlay } from "../ivm/source.ts";
import type { ColdOrder, ColdWindow, Store } from "../store/store.ts";
import { Deferred } from "./deferred.ts";
import { StreamPace } from "./stream-pace.ts";

export interface ColdTablesDeps {
  readonly store: Store;
  readonly runtime: QueryRuntime;
  readonly env: Env;
  /** Number of the last commit that the view shows. */
  readonly seq: () => number;
  /** Rows could not be had as they were: everything must be read anew. */
  readonly onFailed: (error: unknown) => void;
}

export class ColdTables implements ColdReads {
  readonly #deps: ColdTablesDeps;
  /** Counts what makes answers on their way worthless. */
  #turn = 0;
  /** Tables that are cold, each with who waits for it. */
  readonly #warmed = new Map<string, Deferred<void>>();
  readonly #streams = new Set<string>();
  /** Tables all of whose rows somebody waits for. */
  readonly #wanted = new Set<string>();
  readonly #pace: StreamPace;
  /** Why rows cannot be had, until everything was read anew. */
  #failure: { readonly error: unknown } | null = null;
  /** Whether everything has been read anew and is about to be shown. */
  #isFrozen = false;

  constructor(deps: ColdTablesDeps) {
    this.#deps = deps;
    this.#pace = new StreamPace(deps.env);
  }

  get tables(): readonly string[] {
    return [...this.#warmed.keys()];
  }

  /** These have rows on disk that the view does not have. */
  begin(tables: readonly string[]): void {
    const { runtime, env } = this.#deps;
    for (const table of tables) this.#warmed.set(table, new Deferred());
    runtime.cool(tables, this);
    // What is on the screen comes first.
    env.setTimeout(() => void this.#streamAll(this.#turn), limits.streamDelayMs);
  }

  async byID(table: string, ids: readonly string[]): Promise<void> {
    const { store, runtime, seq } = this.#deps;
    const source = runtime.source(table);
    const unknown = ids.filter((id) => !source.knows(id));
    if (unknown.length === 0) return;
    await this.#take(
      () => this.#pace.first(() => store.cold.byID(table, unknown, seq)),
      (rows) => {
        this.#fill(table, rows);
        runtime.miss(table, unknown);
      },
    );
  }

  window(table: string, order: ColdOrder): Promise<ColdWindow | null> {
    const { store, seq } = this.#deps;
    return this.#take(
      () => this.#pace.first(() => store.cold.window(table, order, seq)),
      (window) => this.#fill(table, window?.rows ?? []),
    );
  }

  startEarly(query: SelectNode, deps: EarlyDeps): EarlyRun | null {
    return startEarly(planEarly(query, deps, this));
  }

  runEarly(query: SelectNode, overlay: Overlay | undefined, deps: EarlyDeps): Promise<readonly ResultRow[] | null> {
    return runEarly(planEarly(query, deps, this), overlay);
  }

  async whenWarm(tables: readonly string[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure.error;
    for (const table of tables) if (this.#warmed.has(table)) this.#wanted.add(table);
    for (const table of tables) void this.#stream(table);
    for (const table of tables) await this.#warmed.get(table)?.promise;
  }

  /** Everything has been read anew and is about to be shown: what is on its way is of no use. */
  freeze(): void {
    this.#turn += 1;
    this.#isFrozen = true;
  }

  /** All tables are warm. */
  end(): void {
    this.#failure = null;
    this.#isFrozen = false;
    for (const table of this.tables) this.#isWarm(table);
  }

  /** Nothing more is read. */
  close(): void {
    this.#fail(new PlasmaError("client/closed", {}));
  }

  async #streamAll(turn: number): Promise<void> {
    for (const table of this.tables) if (turn === this.#turn) await this.#stream(table);
  }

  async #stream(table: string): Promise<void> {
    const { store, runtime, seq } = this.#deps;
    const waiting = this.#warmed.get(table);
    if (waiting === undefined || this.#failure !== null) return;
    if (this.#streams.has(table)) return waiting.promise.catch(() => undefined);
    this.#streams.add(table);
    const turn = this.#turn;
    const fill = async (rows: readonly Row[]) => {
      if (turn === this.#turn) this.#fill(table, rows);
      await this.#pace.giveWay(() => this.#wanted.has(table) || turn !== this.#turn);
    };
    const isTaken = await this.#take(
      () => store.cold.stream(table, fill, seq).then(() => true),
      () => runtime.commit([], undefined, [table]),
    ).catch(() => false);
    if (isTaken === true && turn === this.#turn) this.#isWarm(table);
  }

  #isWarm(table: string): void {
    const waiting = this.#warmed.get(table);
    this.#warmed.delete(table);
    this.#streams.delete(table);
    this.#wanted.delete(table);
    waiting?.resolve();
  }

  #fill(table: string, rows: readonly Row[]): void {
    const { runtime } = this.#deps;
    // It may have become warm while this was on its way: then all of it is known, and what is not here is nowhere.
    if (runtime.source(table).isCold) runtime.fill(table, rows);
  }

  /** Hands over what was read, if it is of this turn; null if not: then it is all there, or will be. */
  async #take<T>(read: () => Promise<T>, take: (answer: T) => void): Promise<T | null> {
    if (this.#isFrozen) return null;
    if (this.#failure !== null) throw this.#failure.error;
    const turn = this.#turn;
    try {
      const answer = await read();
      if (turn !== this.#turn) return null;
      take(answer);
      return answer;
    } catch (error) {
      if (turn !== this.#turn) return null;
      this.#fail(error);
      this.#deps.onFailed(error);
      throw error;
    }
  }

  #fail(error: unknown): void {
    this.#turn += 1;
    this.#failure = { error };
    this.#streams.clear();
    for (const [table, waiting] of this.#warmed) {
      this.#warmed.set(table, new Deferred());
      waiting.reject(error);
    }
  }
}
