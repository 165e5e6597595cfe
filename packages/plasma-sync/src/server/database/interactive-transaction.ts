// Owns: the push transaction of engines that have real ones: each statement runs at once, each mutation in a savepoint.
// Invariants:
//   1. A mutation that only reads has no savepoint and no origin: both are made before its first write.
//   2. A mutation's log entries stand before its ack, and its ack before the next mutation's entries.

import { assert } from "../../core/lib/assert.ts";
import { PlasmaError } from "../../core/error.ts";
import type { MutationStore, RowWrite } from "../../core/mutation/mutation-store.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import type { Row } from "../../core/schema/value.ts";
import type { CompileScope } from "../sql/compile-select.ts";
import { planWrites } from "./plan-writes.ts";
import {
  ackStatement,
  clientsStatement,
  originStatement,
  readClients,
  readOutcomes,
  toClients,
  toOutcomes,
  type Ack,
} from "./push-records.ts";
import type {
  ClientRecord,
  MutationOrigin,
  PushDeps,
  PushScope,
  PushTransaction,
  RecordedOutcome,
} from "./push-transaction.ts";
import type { SqlConnection, SqlStatement } from "./sql-executor.ts";
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
  readonly outcomes: readonly RecordedOutcome[];
}

export class InteractiveTransaction implements PushTransaction {
  readonly clients: ReadonlyMap<string, ClientRecord>;
  readonly outcomes: readonly RecordedOutcome[];
  readonly isFull = false;
  readonly #start: Start;
  readonly #now: number;
  readonly #acks: Ack[] = [];
  #acksWritten = 0;
  #origin: MutationOrigin | null = null;
  #isRunning = false;

  private constructor(start: Start) {
    this.#start = start;
    this.#now = start.deps.now();
    this.clients = start.clients;
    this.outcomes = start.outcomes;
  }

  /** Reads what the server knows of the push's clients. `connection` is inside its transaction. */
  static async begin(
    deps: PushDeps,
    scope: PushScope,
    open: Pick<Start, "connection" | "gate">,
  ): Promise<InteractiveTransaction> {
    const { connection, gate } = open;
    if (scope.idsByClient.size === 0)
      return new InteractiveTransaction({ deps, ...open, clients: new Map(), outcomes: [] });
    const clients = toClients(await gate.run(() => connection.all(readClients(scope))));
    const outcomes = toOutcomes(await gate.run(() => connection.all(readOutcomes(scope))));
    return new InteractiveTransaction({ deps, ...open, clients, outcomes });
  }

  async mutation(origin: MutationOrigin | null, run: (store: MutationStore) => Promise<void>): Promise<void> {
    assert(!this.#isRunning, "push transaction: one mutation at a time");
    this.#isRunning = true;
    const { deps, connection, gate } = this.#start;
    const beginWrite = async () => {
      await this.#writeAcks();
      await this.#setOrigin(origin);
      await this.#run(savepoint);
    };
    const store = new InteractiveStore({ deps, connection, gate, beginWrite });
    try {
      await gate.runMutation(async () => {
        try {
          await run(store);
        } finally {
          await store.close();
        }
      });
      if (store.hasSavepoint) await this.#run(release);
    } catch (error) {
      gate.check();
      if (store.hasSavepoint) {
        await this.#run(rollback);
        await this.#run(release);
      }
      throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  advance(origin: MutationOrigin, error?: Ack["error"]): void {
    this.#acks.push({ origin, error });
  }

  /** Writes what has to be written before the commit. */
  async finish(): Promise<void> {
    this.#start.gate.check();
    await this.#writeAcks();
    await this.#setOrigin(null);
    if (this.#acks.length > 0) await this.#run(clientsStatement(this.#acks, this.#now));
  }

  async #writeAcks(): Promise<void> {
    for (const ack of this.#acks.slice(this.#acksWritten)) await this.#run(ackStatement(ack, this.#now));
    this.#acksWritten = this.#acks.length;
  }

  async #setOrigin(origin: MutationOrigin | null): Promise<void> {
    if (origin === this.#origin) return;
    await this.#run(originStatement(origin, this.#now));
    this.#origin = origin;
  }

  #run(statement: SqlStatement): Promise<void> {
    const { connection, gate } = this.#start;
    return gate.run(() => connection.run(statement));
  }
}

interface StoreScope {
  readonly deps: PushDeps;
  readonly connection: SqlConnection;
  readonly gate: StatementGate;
  readonly beginWrite: () => Promise<void>;
}

class InteractiveStore implements MutationStore {
  readonly #scope: StoreScope;
  #isClosed = false;
  /** The last call: calls go one after another. */
  #tail: Promise<unknown> = Promise.resolve();
  hasSavepoint = false;

  constructor(scope: StoreScope) {
    this.#scope = scope;
  }

  select(query: SelectNode): Promise<readonly ResultRow[]> {
    return this.#call(() => runSelect(query, this.#compileScope, (statement) => this.#all(statement)));
  }

  getMany(table: string, ids: readonly string[]): Promise<readonly Row[]> {
    return this.#call(() => runGetMany(table, ids, this.#compileScope, (statement) => this.#all(statement)));
  }

  write(writes: readonly RowWrite[]): Promise<void> {
    const { deps, connection, gate, beginWrite } = this.#scope;
    return this.#call(async () => {
      for (const statement of planWrites(deps.schema, writes)) {
        if (!this.hasSavepoint) {
          await beginWrite();
          this.hasSavepoint = true;
        }
        await gate.run(() => connection.run(statement));
      }
    });
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
    const { schema, executor } = this.#scope.deps;
    return { schema, dialect: executor.dialect };
  }

  #all(statement: SqlStatement) {
    return this.#scope.gate.run(() => this.#scope.connection.all(statement));
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
