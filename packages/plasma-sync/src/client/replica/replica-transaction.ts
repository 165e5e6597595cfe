// Owns: ReplicaTransaction, the MutationStore of the client: one mutation's reads and writes on an overlay over the view.
// Invariants:
//   1. The view is never touched: writes go to the overlay alone, and `rollback` takes this mutation's out again.
//   2. `reads` names everything that the result depends on: ids where a query pins them, else whole tables. Local-only tables
//      are left out: what is written there is no reason to run anything again.
//   3. Rows are known before they are read or written, also those that lie on disk. Where one cannot be had, `failure` says so
//      and what ran is worth nothing, whatever the mutator made of it.

import type { MutationStore, RowWrite } from "../../core/mutation/mutation-store.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import { pinnedIds } from "../../core/query/pinned-ids.ts";
import { isPlainSelect, selectFromRows } from "../../core/query/select-from-rows.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { Row } from "../../core/schema/value.ts";
import type { QueryRuntime } from "../ivm/query-runtime.ts";
import { ReadSet } from "./pending-mutation.ts";
import { RowMap } from "./row-map.ts";

const NO_TABLES: ReadonlySet<string> = new Set();

export interface TransactionOptions {
  readonly localTables?: ReadonlySet<string>;
  /** View and overlay have all rows, whatever lies on disk. */
  readonly isWhole?: boolean;
  readonly isReplay?: boolean;
}

export class ReplicaTransaction implements MutationStore {
  readonly reads = new ReadSet();
  /** Last image of each row that was written. */
  readonly writes = new RowMap<Row | null>();
  /** The same of local-only tables. */
  readonly localWrites = new RowMap<Row | null>();
  readonly #runtime: QueryRuntime;
  readonly #overlay: RowMap<Row | null>;
  /** What the overlay held before this mutation; `undefined` where it held nothing. */
  readonly #replaced = new RowMap<Row | null | undefined>();
  readonly #localTables: ReadonlySet<string>;
  readonly #isWhole: boolean;
  readonly #isReplay: boolean;
  #failure: { readonly error: unknown } | null = null;

  constructor(
    runtime: QueryRuntime,
    overlay: RowMap<Row | null>,
    { localTables = NO_TABLES, isWhole = false, isReplay = false }: TransactionOptions = {},
  ) {
    this.#runtime = runtime;
    this.#overlay = overlay;
    this.#localTables = localTables;
    this.#isWhole = isWhole;
    this.#isReplay = isReplay;
  }

  /** Why a row could not be had from disk, if so. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /** What a mutation wrote to local-only tables was written at the call: in a replay an insert would meet its own row. */
  leavesOut(table: string): boolean {
    return this.#isReplay && this.#localTables.has(table);
  }

  async select(query: SelectNode): Promise<readonly ResultRow[]> {
    const ids = isPlainSelect(query) ? pinnedIds(query) : null;
    if (ids !== null) {
      // A few rows in hand: planning would cost more than to go through them.
      const rows = await this.getMany(query.from.table, ids);
      return selectFromRows(query, rows);
    }
    for (const table of tablesOf(query)) if (!this.#localTables.has(table)) this.reads.tables.add(table);
    if (this.#isWhole) return this.#runtime.select(query, this.#overlay.tables);
    return this.#fromDisk(this.#runtime.read(query, this.#overlay.tables));
  }

  async getMany(table: string, ids: readonly string[]): Promise<readonly Row[]> {
    if (!this.#localTables.has(table)) this.reads.addRows(table, ids);
    const source = this.#runtime.source(table);
    if (source.isCold) await this.#know(table, ids);
    const overlaid = this.#overlay.tables.get(table);
    const rows: Row[] = [];
    for (const id of ids) {
      const own = overlaid?.get(id);
      const row = own === undefined ? source.get(id) : own;
      if (row !== undefined && row !== null) rows.push(row);
    }
    return rows;
  }

  async write(writes: readonly RowWrite[]): Promise<void> {
    for (const { table, id, after } of writes) {
      if (this.#runtime.source(table).isCold) await this.#know(table, [id]);
      if (!this.#replaced.has(table, id)) this.#replaced.set(table, id, this.#overlay.get(table, id));
      this.#overlay.set(table, id, after);
      (this.#localTables.has(table) ? this.localWrites : this.writes).set(table, id, after);
    }
  }

  /** A replay has ended: what its cascades wrote to local-only tables was written at the call, too. */
  forgetLocal(): void {
    this.#undo((table) => this.#localTables.has(table));
  }

  /** Takes this mutation's writes out of the overlay. */
  rollback(): void {
    this.#undo(() => true);
  }

  async #know(table: string, ids: readonly string[]): Promise<void> {
    if (this.#isWhole) return;
    const unknown = ids.filter((id) => !this.#overlay.has(table, id));
    await this.#fromDisk(this.#runtime.fetch(table, unknown));
  }

  async #fromDisk<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      this.#failure = { error };
      throw error;
    });
  }

  #undo(isMeant: (table: string) => boolean): void {
    this.#replaced.forEach((table, id, value) => {
      if (!isMeant(table)) return;
      if (value === undefined) this.#overlay.delete(table, id);
      else this.#overlay.set(table, id, value);
    });
  }
}
