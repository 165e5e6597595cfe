// Owns: the push transaction of engines that have real ones: each statement runs at once, each mutation in a savepoint.
//
//   Postgres, one line per round trip (SQLite has the same order, but no lock, and savepoints for writes only):
//     BEGIN
//     lock of the log's order │ clients │ refusals
//     origin │ savepoint │ first statement of mutation 1
//     …each further statement of it
//     release │ ack │ origin │ savepoint │ first statement of mutation 2 …
//     release │ ack │ clients
//     COMMIT
//
// Invariants:
//   1. A mutation's log entries stand before its ack, and its ack before the next mutation's entries.
//   2. Statements whose rows nobody waits for are queued, and run in order before the next one.
//   3. On SQLite a mutation that only reads has no savepoint and no origin. On Postgres it has: there a read that fails (a sum
//      that overflows) ends the transaction too, up to its savepoint.

import { assert } from "../../core/lib/assert.ts";
import { PlasmaError } from "../../core/error.ts";
import type { RowWrite } from "../../core/mutation/mutation-store.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { Row } from "../../core/schema/value.ts";
import type { CompileScope } from "../sql/compile-select.ts";
import { holdLogOrder } from "./log-order.ts";
import { planWrites } from "./plan-writes.ts";
import {
  ackStatement,
  clientsStatement,
  originStatement,
  readClients,
  readRefusals,
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
import { runInOrder } from "./run-in-order.ts";
import type { DialectName, SqlConnection, SqlRow, SqlStatement } from "./sql-executor.ts";
import type { StatementGate } from "./statement-gate.ts";
import { runGetMany, runSelect } from "./table-reads.ts";

const savepoint: SqlStatement = { text: `SAVEPOINT _plasma_mutation`, params: [] };
const release: SqlStatement = { text: `RELEASE _plasma_mutation`, params: [] };
const rollback: SqlStatement = { text: `ROLLBACK TO _plasma_mutation`, params: [] };

interface Start {
  readonly deps: PushDeps;
  readonly connection: SqlConnection;
  readonly gate: StatementGate;
  readonly clients: ReadonlyMap<string, ClientRecord>;
  readonly refusals: readonly RecordedRefusal[];
}

export class InteractiveTransaction implements PushTransaction {
  readonly clients: ReadonlyMap<string, ClientRecord>;
  readonly refusals: readonly RecordedRefusal[];
  readonly isFull = false;
  readonly #start: Start;
  readonly #dialect: DialectName;
  readonly #now: number;
  readonly #acks: Ack[] = [];
  /** Statements of our own that run before the next one. */
  #queued: SqlStatement[] = [];
  #origin: MutationOrigin | null = null;
  #hasSavepoint = false;
  #isRunning = false;

  private constructor(start: Start) {
    this.#start = start;
    this.#dialect = start.deps.executor.dialect;
    this.#now = start.deps.now();
    this.clients = start.clients;
    this.refusals = start.refusals;
  }

  /** Reads what the server knows of the push's clients. `connection` is inside its transaction, which has run nothing yet. */
  static async begin(
    deps: PushDeps,
    scope: PushScope,
    open: Pick<Start, "connection" | "gate">,
  ): Promise<InteractiveTransaction> {
    const { dialect } = deps.executor;
    const hold = holdLogOrder(dialect);
    const reads = scope.idsByClient.size === 0 ? [] : [readClients(dialect, scope), readRefusals(dialect, scope)];
    const answers = await open.gate.runOwn(() =>
      Promise.all(runInOrder(dialect, open.connection, [...hold, ...reads])),
    );
    const [clients = [], refusals = []] = answers.slice(hold.length);
    return new InteractiveTransaction({ deps, ...open, clients: toClients(clients), refusals: toRefusals(refusals) });
  }

  async mutation(origin: MutationOrigin | null, run: (store: ServerStore) => Promise<void>): Promise<void> {
    assert(!this.#isRunning, "push transaction: one mutation at a time");
    this.#isRunning = true;
    const { deps, gate } = this.#start;
    const store = new InteractiveStore(deps, {
      read: (statement) => {
        if (this.#dialect === "postgres") this.#openSavepoint(origin);
        return this.#send([statement]);
      },
      write: (statements) => {
        this.#openSavepoint(origin);
        return this.#send(statements);
      },
    });
    try {
      await gate.runMutation(async () => {
        try {
          await run(store);
        } finally {
          await store.close();
        }
      });
      this.#closeSavepoint([release]);
    } catch (error) {
      gate.check();
      this.#closeSavepoint([rollback, release]);
      throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  advance(origin: MutationOrigin, error?: Ack["error"]): void {
    const ack = { origin, error };
    this.#acks.push(ack);
    this.#queued.push(ackStatement(this.#dialect, ack, this.#now));
  }

  /** Writes what has to be written before the commit. */
  async finish(): Promise<void> {
    this.#start.gate.check();
    // On Postgres it ends with the transaction.
    if (this.#dialect === "sqlite") this.#queueOrigin(null);
    if (this.#acks.length > 0) this.#queued.push(clientsStatement(this.#dialect, this.#acks, this.#now));
    await this.#send([]);
  }

  /** The origin before the savepoint, which would take it back. */
  #openSavepoint(origin: MutationOrigin | null): void {
    if (this.#hasSavepoint) return;
    this.#hasSavepoint = true;
    this.#queueOrigin(origin);
    this.#queued.push(savepoint);
  }

  #closeSavepoint(statements: readonly SqlStatement[]): void {
    if (this.#hasSavepoint) this.#queued.push(...statements);
    this.#hasSavepoint = false;
  }

  #queueOrigin(origin: MutationOrigin | null): void {
    if (origin !== this.#origin) this.#queued.push(originStatement(this.#dialect, origin, this.#now));
    this.#origin = origin;
  }

  /** Runs what is queued, then the statements of a mutation; returns the rows of the last. */
  async #send(statements: readonly SqlStatement[]): Promise<readonly SqlRow[]> {
    const { connection, gate } = this.#start;
    gate.checkMutation();
    const own = this.#queued;
    this.#queued = [];
    if (this.#dialect === "sqlite") {
      if (own.length > 0) await gate.runOwn(() => runEach(connection, own));
      return gate.run(() => runEach(connection, statements));
    }
    const answers = runInOrder(this.#dialect, connection, [...own, ...statements]);
    await gate.runOwn(() => Promise.all(answers.slice(0, own.length)));
    return (await gate.run(() => Promise.all(answers.slice(own.length)))).at(-1) ?? [];
  }
}

/** One after another: on SQLite each has run when its promise is made. Returns the rows of the last. */
async function runEach(connection: SqlConnection, statements: readonly SqlStatement[]): Promise<readonly SqlRow[]> {
  let rows: readonly SqlRow[] = [];
  for (const statement of statements) rows = await connection.all(statement);
  return rows;
}

/** How a store's statements run. */
interface StoreCalls {
  readonly read: (statement: SqlStatement) => Promise<readonly SqlRow[]>;
  readonly write: (statements: readonly SqlStatement[]) => Promise<unknown>;
}

class InteractiveStore implements ServerStore {
  readonly #deps: PushDeps;
  readonly #calls: StoreCalls;
  #isClosed = false;
  /** The last call: calls go one after another. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(deps: PushDeps, calls: StoreCalls) {
    this.#deps = deps;
    this.#calls = calls;
  }

  select(query: SelectNode): Promise<readonly ResultRow[]> {
    return this.#call(() => runSelect(query, this.#compileScope, this.#calls.read));
  }

  getMany(table: string, ids: readonly string[]): Promise<readonly Row[]> {
    return this.#call(() => runGetMany(table, ids, this.#compileScope, this.#calls.read));
  }

  write(writes: readonly RowWrite[]): Promise<void> {
    const { executor, schema } = this.#deps;
    return this.#call(async () => {
      const statements = planWrites(executor.dialect, schema, writes);
      if (statements.length > 0) await this.#calls.write(statements);
    });
  }

  readLog(statement: SqlStatement): Promise<readonly SqlRow[]> {
    return this.#call(() => this.#calls.read(statement));
  }

  /** Collections wait for this transaction, or this one has waited for theirs. */
  holdBlobs(): void {
    return;
  }

  /**
   * Takes no more calls and waits for those under way: a mutator that has failed may have left some, and they must not
   * reach the next one's savepoint.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#tail;
  }

  get #compileScope(): CompileScope {
    const { schema, executor } = this.#deps;
    return { schema, dialect: executor.dialect };
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new PlasmaError("mutation/ended", {});
    const result = this.#tail.then(call);
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
