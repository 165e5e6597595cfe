// Owns: LayeredRows: rows in memory in the two layers of a disk, for tests and the simulator: what the latest commits changed,
// and below it what earlier ones left, which is cold.
// Invariants:
//   1. The journal, in order, over the tables is the state of the last commit.

import { PlasmaError } from "../../core/error.ts";
import { must } from "../../core/lib/assert.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import type { IndexColumn } from "../ivm/source.ts";
import { compareKeys, keyOfRow, servingIndex, type ColdKey } from "./cold-order.ts";
import type { BaseChange, ColdOrder, ColdRows, ColdWindow } from "./store.ts";
import { createRowFit } from "./stored-row.ts";

/** Commits in the journal after which the older half is folded: so few that short runs fold too. */
const JOURNAL_COMMITS_MAX = 6;
/** Rows in one step of a stream: so few that other things come in between. */
const STREAM_ROWS = 3;
const BY_ID: readonly IndexColumn[] = [{ column: "id", direction: "asc" }];

export class LayeredRows {
  readonly #tables = new Map<string, Map<string, Row>>();
  /** The last commit that is in a table's cold rows. */
  readonly #foldedSeqs = new Map<string, number>();
  #journal: { readonly seq: number; readonly changes: readonly BaseChange[] }[] = [];

  commit(seq: number, changes: readonly BaseChange[]): void {
    if (changes.length > 0) this.#journal.push({ seq, changes });
    if (this.#journal.length > JOURNAL_COMMITS_MAX) this.fold(JOURNAL_COMMITS_MAX / 2);
  }

  /** Moves all commits but the latest `keep` to the cold rows. */
  fold(keep = 0): void {
    const count = Math.max(0, this.#journal.length - keep);
    for (const { seq, changes } of this.#journal.splice(0, count)) {
      for (const { table, id, row } of changes) {
        const rows = this.#rowsOf(table);
        if (row === null) rows.delete(id);
        else rows.set(id, row);
        this.#foldedSeqs.set(table, seq);
      }
    }
  }

  /** Forgets the rows of all tables but those in `keep`; commits are numbered anew. */
  clear(keep: ReadonlySet<string>): void {
    this.fold();
    this.#foldedSeqs.clear();
    for (const table of this.#tables.keys()) if (!keep.has(table)) this.#tables.delete(table);
  }

  /** A table's rows as they are, by id. */
  all(table: string): Map<string, Row> {
    const rows = new Map(this.#tables.get(table));
    for (const { id, row } of this.changes(table)) {
      if (row === null) rows.delete(id);
      else rows.set(id, row);
    }
    return rows;
  }

  /** Whether a table has rows below the journal. */
  hasCold(table: string): boolean {
    return (this.#tables.get(table)?.size ?? 0) > 0;
  }

  /** What the journal says of a table, each id once. */
  changes(table: string): BaseChange[] {
    const last = new Map<string, BaseChange>();
    for (const { changes } of this.#journal)
      for (const change of changes) if (change.table === table) last.set(change.id, change);
    return [...last.values()];
  }

  /** What a tab reads of the cold rows. `inTransaction` calls back at the moment of each answer. */
  cold(tables: ReadonlyMap<string, TableMeta>, inTransaction: <T>(read: () => T) => Promise<T>): ColdRows {
    const readNow = (table: string, seq: () => number): { meta: TableMeta; rows: Map<string, Row> } => {
      if ((this.#foldedSeqs.get(table) ?? 0) > seq()) throw new PlasmaError("client/stale", {});
      const meta = must(tables.get(table), "cold rows: of a table of the schema");
      const fit = createRowFit(meta);
      return { meta, rows: new Map([...this.#rowsOf(table)].map(([id, row]) => [id, fit(row)])) };
    };
    const read = (table: string, seq: () => number) => inTransaction(() => readNow(table, seq));
    return {
      isEmpty: (table) => !this.hasCold(table),
      async byID(table, ids, seq) {
        const { rows } = await read(table, seq);
        return ids.map((id) => rows.get(id)).filter((row) => row !== undefined);
      },
      async window(table, order, seq) {
        const { meta, rows } = await read(table, seq);
        return windowOf(meta, [...rows.values()], order);
      },
      async stream(table, onRows, seq) {
        for (let from: ColdKey | undefined; ;) {
          const { meta, rows } = await read(table, seq);
          const order: ColdOrder = { columns: BY_ID, prefix: [], limit: STREAM_ROWS, ...(from && { from }) };
          const batch = must(windowOf(meta, [...rows.values()], order), "cold rows: the order by id is served");
          if (batch.rows.length > 0) await onRows(batch.rows);
          if (batch.isEnd) return;
          from = keyOfRow(batch.rows.at(-1) as Row, BY_ID);
        }
      },
    };
  }

  #rowsOf(table: string): Map<string, Row> {
    const rows = this.#tables.get(table) ?? new Map<string, Row>();
    this.#tables.set(table, rows);
    return rows;
  }
}

function windowOf(meta: TableMeta, rows: readonly Row[], order: ColdOrder): ColdWindow | null {
  if (servingIndex(meta, order) === null) return null;
  const { columns, prefix, from, limit } = order;
  const compare = compareKeys(meta, columns);
  const keyed = rows.map((row) => ({ row, key: keyOfRow(row, columns) }));
  const wanted = keyed
    .filter(({ key }) => compare(key, prefix) === 0 && (from === undefined || compare(key, from) > 0))
    .sort((a, b) => compare(a.key, b.key));
  return { rows: wanted.slice(0, limit).map(({ row }) => row), isEnd: wanted.length <= limit };
}
