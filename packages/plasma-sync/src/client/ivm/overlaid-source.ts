// Owns: OverlaidSource, a table as an overlay changes it: a transaction's writes over a source, or the rows before a commit
// over the rows after it.
// Invariants:
//   1. The overlay may change between uses only where a new OverlaidSource is made for each use.
//   2. A row of the overlay replaces the one with its id, a null hides it; order and lookups see the replacement.

import { lowerBound } from "../../core/lib/lower-bound.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row, Value } from "../../core/schema/value.ts";
import { createRowOrder, type RowOrder } from "./row-order.ts";
import { keyColumnOf, type IndexSpec, type OrderedIndex, type RowReader, type Visit } from "./source.ts";

type OverlayRows = ReadonlyMap<string, Row | null>;

export class OverlaidSource implements RowReader {
  readonly #meta: TableMeta;
  readonly #below: RowReader;
  readonly #overlay: OverlayRows;
  readonly #indexes = new Map<string, OverlaidIndex>();

  constructor(meta: TableMeta, below: RowReader, overlay: OverlayRows) {
    this.#meta = meta;
    this.#below = below;
    this.#overlay = overlay;
  }

  get(id: string): Row | undefined {
    const own = this.#overlay.get(id);
    return own === undefined ? this.#below.get(id) : (own ?? undefined);
  }

  *rows(): Iterable<Row> {
    const key = keyColumnOf(this.#meta);
    for (const row of this.#below.rows()) if (!this.#overlay.has(row[key] as string)) yield row;
    for (const row of this.#overlay.values()) if (row !== null) yield row;
  }

  index(spec: IndexSpec): OrderedIndex {
    let index = this.#indexes.get(spec.key);
    if (index === undefined) {
      index = new OverlaidIndex(createRowOrder(this.#meta, spec), this.#below.index(spec), {
        overlay: this.#overlay,
        key: keyColumnOf(this.#meta),
      });
      this.#indexes.set(spec.key, index);
    }
    return index;
  }
}

class OverlaidIndex implements OrderedIndex {
  readonly #order: RowOrder;
  readonly #below: OrderedIndex;
  readonly #overlay: OverlayRows;
  readonly #key: string;
  #sorted: readonly Row[] | null = null;
  #isFirstUse = true;

  constructor(
    order: RowOrder,
    below: OrderedIndex,
    { overlay, key }: { readonly overlay: OverlayRows; readonly key: string },
  ) {
    this.#order = order;
    this.#below = below;
    this.#overlay = overlay;
    this.#key = key;
  }

  visit(prefix: readonly Value[], from: readonly Value[], visit: Visit<Row>): void {
    const { compare, place } = this.#order;
    const own = this.#own(prefix);
    const start = from.length === 0 ? prefix : [...prefix, ...from];
    let next = lowerBound(own, (row) => place(row, start) >= 0);
    let isWanted = true;
    this.#below.visit(prefix, from, (row) => {
      if (this.#overlay.has(row[this.#key] as string)) return true;
      for (let o = own[next]; isWanted && o !== undefined && compare(o, row) < 0; o = own[++next]) isWanted = visit(o);
      isWanted &&= visit(row);
      return isWanted;
    });
    for (let o = own[next]; isWanted && o !== undefined; o = own[++next]) isWanted = visit(o);
  }

  /** The overlay's rows with this prefix, in order. Sorting all of them pays only from the second lookup on. */
  #own(prefix: readonly Value[]): readonly Row[] {
    const { compare, place } = this.#order;
    if (this.#isFirstUse) {
      this.#isFirstUse = false;
      return this.#present((row) => place(row, prefix) === 0).sort(compare);
    }
    const sorted = (this.#sorted ??= this.#present(() => true).sort(compare));
    const start = lowerBound(sorted, (row) => place(row, prefix) >= 0);
    const end = lowerBound(sorted, (row) => place(row, prefix) > 0);
    return sorted.slice(start, end);
  }

  #present(isWanted: (row: Row) => boolean): Row[] {
    const rows: Row[] = [];
    for (const row of this.#overlay.values()) if (row !== null && isWanted(row)) rows.push(row);
    return rows;
  }
}
