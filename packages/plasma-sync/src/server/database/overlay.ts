// Owns: Overlay, the rows that a buffered push has written so far and not committed: the newest state per row.
// Invariant: what was written since a mark can be taken back, so each mutation is a layer of its own.

import type { RowWrite } from "../../core/mutation/mutation-store.ts";
import type { Row } from "../../core/schema/value.ts";
import type { PendingRows } from "../sql/shadow.ts";

interface Undo {
  readonly table: string;
  readonly id: string;
  /** Undefined when the row was not pending. */
  readonly previous: Row | null | undefined;
}

export class Overlay {
  readonly #tables = new Map<string, Map<string, Row | null>>();
  readonly #undo: Undo[] = [];

  /** Pending rows by table; null for a deleted one. */
  get tables(): ReadonlyMap<string, PendingRows> {
    return this.#tables;
  }

  /** A point to return to. */
  mark(): number {
    return this.#undo.length;
  }

  write({ table, id, after }: RowWrite): void {
    let rows = this.#tables.get(table);
    if (rows === undefined) this.#tables.set(table, (rows = new Map()));
    this.#undo.push({ table, id, previous: rows.get(id) });
    rows.set(id, after);
  }

  /** Takes back every write since the mark. */
  backTo(mark: number): void {
    while (this.#undo.length > mark) {
      const { table, id, previous } = this.#undo.pop() as Undo;
      if (previous === undefined) this.#tables.get(table)?.delete(id);
      else this.#tables.get(table)?.set(id, previous);
    }
  }
}
