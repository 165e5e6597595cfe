// Owns: MemorySource, the rows of one table in memory, with the ordered indexes that queries have asked for.
// Invariants:
//   1. Every index that is built holds exactly the rows of `#rowsByID`; one that is not built costs nothing.

import type { TableMeta } from "../../core/schema/table.ts";
import { OrderedMap } from "../../core/lib/ordered-map.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import type { EntryChange } from "./relation.ts";
import { createRowOrder, type RowOrder } from "./row-order.ts";
import { keyColumnOf, type IndexSpec, type OrderedIndex, type TableSource, type Visit, type Work } from "./source.ts";

/** A commit of more than this share (1 / n) of a table's rows drops its indexes. An insert costs about as much as the load of eight. */
const REBUILD_SHARE = 8;
/** Smaller commits never do. */
const REBUILD_ROWS_MIN = 16;

export class MemorySource implements TableSource {
  readonly #meta: TableMeta;
  readonly #work: Work;
  readonly #rowsByID = new Map<string, Row>();
  readonly #indexes = new Map<string, MemoryIndex>();

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
    // To insert so many one by one costs more than to load anew what queries then ask for.
    if (changes.length >= REBUILD_ROWS_MIN && changes.length * REBUILD_SHARE > this.#rowsByID.size) this.#dropIndexes();
    const applied: EntryChange<Row>[] = [];
    for (const { id, after } of changes) {
      const before = this.#rowsByID.get(id) ?? null;
      if (before === after) continue;
      if (after === null) this.#rowsByID.delete(id);
      else this.#rowsByID.set(id, after);
      for (const index of this.#indexes.values()) index.change(before, after);
      applied.push({ before, after });
    }
    this.#work.rows += applied.length;
    return applied;
  }

  /** Adds many rows at once. Indexes are built anew when next asked. */
  fill(rows: readonly Row[]): void {
    const key = keyColumnOf(this.#meta);
    for (const row of rows) this.#rowsByID.set(row[key] as string, row);
    this.#dropIndexes();
  }

  #dropIndexes(): void {
    for (const index of this.#indexes.values()) index.drop();
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

  drop(): void {
    this.#entries = null;
  }

  #build(): OrderedMap<Row> {
    this.#work.rows += this.#rowsByID.size;
    return new OrderedMap(this.#order.compare, [...this.#rowsByID.values()]);
  }
}
