// Owns: the push transaction of engines that have only batches (D1, Durable Objects): reads run at once, writes wait in an overlay that the
// reads see, and one batch commits everything, behind a guard that fails when something that was read has changed.
//
//   begin: version, clients, refusals ──► mutations: reads from the database under the overlay ──► commit: one batch
//                                                                        guard │ origin, rows, ack per mutation │ clients
//
// Invariants:
//   1. Every table that is read for a mutation (unique look-ups, cascades, ids included) is under the guard, and so are the
//      last ids of all clients of the push: what was read at different times was as if read at once, or nothing commits.
//   2. A mutation's log entries stand before its ack, and its ack before the next mutation's entries.
//   3. At least one mutation is taken, so that a push always gets on.

import { PlasmaError } from "../../core/error.ts";
import { assert } from "../../core/lib/assert.ts";
import type { RowWrite } from "../../core/mutation/mutation-store.ts";
import type { SelectNode } from "../../core/query/ast.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { Row } from "../../core/schema/value.ts";
import { brokenConstraint } from "../sql/sqlite-errors.ts";
import { classifiedError, isRefusal } from "./classified-error.ts";
import { Overlay } from "./overlay.ts";
import { planWrites } from "./plan-writes.ts";
import {
  ackStatement,
  clientsStatement,
  GUARD_TABLE,
  guardStatement,
  isSameOrigin,
  originStatement,
  readClients,
  readRefusals,
  readVersion,
  toClients,
  toRefusals,
  type Ack,
} from "./push-records.ts";
import type {
  ClientRecord,
  MutationOrigin,
  PushDeps,
  PushScope,
  PushTransaction,
  RecordedRefusal,
  ServerStore,
} from "./push-transaction.ts";
import type { SqlRow, SqlStatement } from "./sql-executor.ts";
import { StatementGate } from "./statement-gate.ts";
import { runGetMany, runSelect } from "./table-reads.ts";
import { serverError } from "../server-error.ts";

/** What earlier runs of the same push have found out. */
export interface BufferedPlan {
  /** Mutations with writes that one batch may hold. */
  readonly writingMutationsMax: number;
  /** A mutation whose writes the database has refused, alone and with the guard holding. */
  readonly culprit: { readonly origin: MutationOrigin | null; readonly error: PlasmaError } | null;
  /** Statements that earlier runs used. */
  readonly statementsUsed: number;
}

export type CommitResult =
  | { readonly type: "committed" }
  | { readonly type: "conflict" }
  | { readonly type: "refused"; readonly error: PlasmaError };

interface Start {
  readonly version: number;
  readonly clients: ReadonlyMap<string, ClientRecord>;
  readonly refusals: readonly RecordedRefusal[];
}

/** Guard, end of origin, clients. */
const FRAME_STATEMENTS = 3;

export class BufferedTransaction implements PushTransaction {
  readonly clients: ReadonlyMap<string, ClientRecord>;
  readonly refusals: readonly RecordedRefusal[];
  /** Mutations with writes, in order. */
  readonly writingMutations: (MutationOrigin | null)[] = [];
  /** Statements that this run and those before it have sent. */
  statementsUsed: number;
  readonly #deps: PushDeps;
  readonly #scope: PushScope;
  readonly #plan: BufferedPlan;
  readonly #version: number;
  readonly #now: number;
  readonly #gate: StatementGate;
  readonly #overlay = new Overlay();
  readonly #tablesRead = new Set<string>();
  readonly #blobKeys = new Set<string>();
  readonly #statements: SqlStatement[] = [];
  readonly #acks: Ack[] = [];
  #origin: MutationOrigin | null = null;
  #mutations = 0;
  #isRunning = false;
  #isCulpritFound = false;

  private constructor(deps: PushDeps, scope: PushScope, plan: BufferedPlan, { version, clients, refusals }: Start) {
    this.#deps = deps;
    this.#scope = scope;
    this.#plan = plan;
    this.#version = version;
    this.#now = deps.now();
    this.#gate = new StatementGate(deps.executor);
    this.clients = clients;
    this.refusals = refusals;
    this.statementsUsed = plan.statementsUsed + FRAME_STATEMENTS;
  }

  /** Reads the log's version and what the server knows of the push's clients, in one snapshot. */
  static async begin(deps: PushDeps, scope: PushScope, plan: BufferedPlan): Promise<BufferedTransaction> {
    const gate = new StatementGate(deps.executor);
    const reads = [readVersion, readClients("sqlite", scope), readRefusals("sqlite", scope)];
    const [version, clients, refusals] = await gate.run(() => deps.executor.batch(reads));
    return new BufferedTransaction(deps, scope, plan, {
      version: Number(version?.[0]?.["version"]),
      clients: toClients(clients ?? []),
      refusals: toRefusals(refusals ?? []),
    });
  }

  /** The failure that ends the push, if there was one. */
  get poison(): PlasmaError | null {
    return this.#gate.poison;
  }

  get isFull(): boolean {
    if (this.#mutations === 0) return false;
    const statements = this.statementsUsed + this.#statements.length + FRAME_STATEMENTS;
    return (
      this.#isCulpritFound ||
      this.writingMutations.length >= this.#plan.writingMutationsMax ||
      statements >= this.#deps.executor.pushStatementsMax
    );
  }

  async mutation(origin: MutationOrigin | null, run: (store: ServerStore) => Promise<void>): Promise<void> {
    assert(!this.#isRunning, "push transaction: one mutation at a time");
    assert(!this.isFull, "push transaction: a full one takes no mutation");
    this.#isRunning = true;
    this.#mutations += 1;
    const mark = this.#overlay.mark();
    const store = new BufferedStore(this.#storeScope());
    try {
      await this.#gate.runMutation(() => run(store).finally(() => store.close()));
      this.#refuseCulprit(origin);
      this.#keep(origin, store.writes);
    } catch (error) {
      this.#overlay.backTo(mark);
      throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  advance(origin: MutationOrigin, error?: Ack["error"]): void {
    const ack = { origin, error };
    this.#acks.push(ack);
    this.#statements.push(ackStatement("sqlite", ack, this.#now));
  }

  /** Commits, if there is anything to. Throws `server/retry` for a failure that is nobody's fault. */
  async commit(): Promise<CommitResult> {
    this.#gate.check();
    if (this.#statements.length === 0) return { type: "committed" };
    const statements = [this.#guard(), ...this.#statements];
    if (this.#origin !== null) statements.push(originStatement("sqlite", null, this.#now));
    if (this.#acks.length > 0) statements.push(clientsStatement("sqlite", this.#acks, this.#now));
    this.statementsUsed += statements.length;
    try {
      await this.#deps.executor.batch(statements);
      return { type: "committed" };
    } catch (cause) {
      const { executor } = this.#deps;
      const broken = brokenConstraint(String((cause as { readonly message?: unknown } | null)?.message));
      if (broken?.table === GUARD_TABLE || executor.classify(cause) === "conflict") return { type: "conflict" };
      const error = classifiedError(executor, cause);
      // Without a row written the constraint would be one of Plasma's own tables.
      if (!isRefusal(executor.classify(cause)) || this.writingMutations.length === 0)
        throw serverError("server/retry", {}, { cause });
      return { type: "refused", error };
    }
  }

  #guard(): SqlStatement {
    const clientIDs = [...this.#scope.idsByClient.keys()];
    const lastIDs = clientIDs.map(
      (clientID) => [clientID, this.clients.get(clientID)?.lastMutationID ?? null] as const,
    );
    return guardStatement({
      version: this.#version,
      tablesRead: this.#tablesRead,
      lastIDs,
      blobKeys: [...this.#blobKeys],
    });
  }

  #refuseCulprit(origin: MutationOrigin | null): void {
    const { culprit } = this.#plan;
    if (culprit === null || !isSameOrigin(culprit.origin, origin)) return;
    this.#isCulpritFound = true;
    throw culprit.error;
  }

  /** Plans the writes of a mutation that has succeeded. */
  #keep(origin: MutationOrigin | null, writes: readonly RowWrite[]): void {
    const statements = planWrites("sqlite", this.#deps.schema, writes);
    if (statements.length === 0) return;
    if (origin !== this.#origin) this.#statements.push(originStatement("sqlite", origin, this.#now));
    this.#origin = origin;
    this.#statements.push(...statements);
    this.writingMutations.push(origin);
  }

  #storeScope(): StoreScope {
    return {
      deps: this.#deps,
      overlay: this.#overlay,
      onTableRead: (table) => void this.#tablesRead.add(table),
      onBlobUsed: (key) => void this.#blobKeys.add(key),
      all: (statement) => {
        this.statementsUsed += 1;
        return this.#gate.run(() => this.#deps.executor.all(statement));
      },
    };
  }
}

interface StoreScope {
  readonly deps: PushDeps;
  readonly overlay: Overlay;
  readonly onTableRead: (table: string) => void;
  readonly onBlobUsed: (key: string) => void;
  readonly all: (statement: SqlStatement) => Promise<readonly SqlRow[]>;
}

class BufferedStore implements ServerStore {
  readonly writes: RowWrite[] = [];
  readonly #scope: StoreScope;
  #isClosed = false;

  constructor(scope: StoreScope) {
    this.#scope = scope;
  }

  async select(query: SelectNode) {
    this.#refuseClosed();
    const { deps, overlay, onTableRead, all } = this.#scope;
    for (const table of tablesOf(query)) onTableRead(table);
    return runSelect(query, { schema: deps.schema, dialect: deps.executor.dialect, shadows: overlay.tables }, all);
  }

  async getMany(table: string, ids: readonly string[]): Promise<readonly Row[]> {
    this.#refuseClosed();
    const { deps, overlay, onTableRead, all } = this.#scope;
    onTableRead(table);
    const pending = overlay.tables.get(table);
    const found: Row[] = [];
    const stored: string[] = [];
    for (const id of new Set(ids)) {
      const row = pending?.get(id);
      if (row === undefined) stored.push(id);
      else if (row !== null) found.push(row);
    }
    return [...found, ...(await runGetMany(table, stored, { schema: deps.schema }, all))];
  }

  async write(writes: readonly RowWrite[]): Promise<void> {
    this.#refuseClosed();
    for (const write of writes) {
      this.writes.push(write);
      this.#scope.overlay.write(write);
    }
  }

  async readLog(statement: SqlStatement): Promise<readonly SqlRow[]> {
    this.#refuseClosed();
    return this.#scope.all(statement);
  }

  holdBlobs(keys: readonly string[]): void {
    for (const key of keys) this.#scope.onBlobUsed(key);
  }

  /** A mutator that has failed may still have statements under way: they must not reach the next one's layer. */
  close(): void {
    this.#isClosed = true;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new PlasmaError("mutation/ended", {});
  }
}
