// Owns: MemorySource, the rows of one table in memory, with the ordered indexes that queries have asked for.
//
//   cold ── rows that are fetched, changed, known to be absent ──► warm
//   (rows lie on disk, and what is known of the table is here)     (all rows are here)
//
// Invariants:
//   1. Every index that is built holds exactly the rows of `#rowsByID`; one that is not built costs nothing.
//   2. `#rowsByID` has only rows that the view shows. In a cold table other rows may be shown too: those that are not known.
//   3. What is known of a row is newer than what a fill says of it.

import type { TableMeta } from "../../core/schema/table.ts";
import { OrderedMap } from "../../core/lib/ordered-map.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { EntryChange } from "./relation.ts";
import { createRowOrder, type RowOrder } from "./row-order.ts";
import { keyColumnOf, type IndexSpec, type OrderedIndex, type TableSource, type Visit, type Work } from "./source.ts";

/** New rows of a commit from which on they go into indexes in bulk: a few chunks are sorted once, and only when looked into. */
const BULK_ROWS_MIN = 16;
/** A commit that changes more than this share (1 / n) of a table's rows drops its indexes. A change costs about as much as the load of eight. */
const REBUILD_SHARE = 8;

export class MemorySource implements TableSource {
  readonly #meta: TableMeta;
  readonly #work: Work;
  readonly #rowsByID = new Map<string, Row>();
  readonly #indexes = new Map<string, MemoryIndex>();
  /** Ids without a row, as far as known; null when the table is warm: then what is not here is nowhere. */
  #absent: Set<string> | null = null;

  constructor(meta: TableMeta, work: Work) {
    this.#meta = meta;
    this.#work = work;
  }

  get table(): string {
    return this.#meta.name;
  }

  get size(): number {
    return this.#rowsByID.size;
  }

  get isCold(): boolean {
    return this.#absent !== null;
  }

  knows(id: string): boolean {
    return this.#absent === null || this.#rowsByID.has(id) || this.#absent.has(id);
  }

  get(id: string): Row | undefined {
    this.#work.rows += 1;
    return this.#rowsByID.get(id);
  }

  *rows(): Iterable<Row> {
    for (const row of this.#rowsByID.values()) {
      this.#work.rows += 1;
      yield row;
    }
  }

  index(spec: IndexSpec): OrderedIndex {
    let index = this.#indexes.get(spec.key);
    if (index === undefined) {
      index = new MemoryIndex(createRowOrder(this.#meta, spec), this.#rowsByID, this.#work);
      this.#indexes.set(spec.key, index);
    }
    return index;
  }

  /** Applies the changes of a commit, at most one per row, and returns them with the rows that were there. */
  apply(changes: readonly { readonly id: string; readonly after: Row | null }[]): EntryChange<Row>[] {
    const applied: EntryChange<Row>[] = [];
    for (const { id, after } of changes) {
      const before = this.#rowsByID.get(id) ?? null;
      if (after === null) this.#absent?.add(id);
      if (before === after) continue;
      if (after === null) this.#rowsByID.delete(id);
      else this.#rowsByID.set(id, after);
      applied.push({ before, after });
    }
    this.#work.rows += applied.length;
    for (const index of this.#indexes.values()) this.#change(index, applied);
    return applied;
  }

  /** Adds many rows at once; in a cold table only those that are not known. */
  fill(rows: readonly Row[]): void {
    const key = keyColumnOf(this.#meta);
    const added: Row[] = [];
    for (const row of rows) {
      const id = row[key] as string;
      if (this.#absent !== null && this.knows(id)) continue;
      this.#rowsByID.set(id, row);
      added.push(row);
    }
    for (const index of this.#indexes.values()) index.addAll(added);
  }

  /** From now on rows lie on disk too. */
  cool(): void {
    this.#absent ??= new Set();
  }

  /** The disk does not have these. */
  miss(ids: readonly string[]): void {
    for (const id of ids) if (!this.#rowsByID.has(id)) this.#absent?.add(id);
  }

  /** All rows are here. */
  warm(): void {
    this.#absent = null;
  }

  #change(index: MemoryIndex, applied: readonly EntryChange<Row>[]): void {
    const added = applied.flatMap(({ before, after }) => (before === null && after !== null ? [after] : []));
    const isBulk = added.length >= BULK_ROWS_MIN;
    const rest = isBulk ? applied.filter(({ before }) => before !== null) : applied;
    // To change so many one by one costs more than to load anew what queries then ask for.
    if (rest.length >= BULK_ROWS_MIN && rest.length * REBUILD_SHARE > this.#rowsByID.size) return index.drop();
    for (const { before, after } of rest) index.change(before, after);
    if (isBulk) index.addAll(added);
  }
}

class MemoryIndex implements OrderedIndex {
  readonly #order: RowOrder;
  readonly #rowsByID: ReadonlyMap<string, Row>;
  readonly #work: Work;
  /** Null until rows are asked for. */
  #entries: OrderedMap<Row> | null = null;

  constructor(order: RowOrder, rowsByID: ReadonlyMap<string, Row>, work: Work) {
    this.#order = order;
    this.#rowsByID = rowsByID;
    this.#work = work;
  }

  visit(prefix: readonly Value[], from: readonly Value[], visit: Visit<Row>): void {
    const { place } = this.#order;
    const entries = (this.#entries ??= this.#build());
    const start = from.length === 0 ? prefix : [...prefix, ...from];
    const isAll = prefix.length === 0;
    entries.visit(
      (row) => place(row, start),
      (row) => {
        if (!isAll && place(row, prefix) !== 0) return false;
        this.#work.rows += 1;
        return visit(row);
      },
    );
  }

  change(before: Row | null, after: Row | null): void {
    if (this.#entries === null) return;
    this.#work.rows += 1;
    const moved = before !== null && (after === null || this.#order.compare(before, after) !== 0);
    if (moved) this.#entries.delete(before);
    if (after !== null) this.#entries.set(after);
  }

  /** Adds rows that it does not hold. */
  addAll(rows: readonly Row[]): void {
    if (this.#entries === null) return;
    this.#work.rows += rows.length;
    this.#entries.addAll(rows);
  }

  drop(): void {
    this.#entries = null;
  }

  #build(): OrderedMap<Row> {
    this.#work.rows += this.#rowsByID.size;
    return new OrderedMap(this.#order.compare, [...this.#rowsByID.values()]);
  }
}
