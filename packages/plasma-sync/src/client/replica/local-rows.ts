// Owns: LocalRows: what lies beneath the rows of local-only tables that this tab has written and that are not durable yet.
//
//   view of such a row = the last durable value, of whichever tab, with this tab's writes that are not durable on top
//
// Local-only rows are base rows, written once, by the run at the call: no replay, refusal or re-sync changes them.
// Invariants:
//   1. A row is in `#beneath` exactly while own writes of it are not known to be durable and in their place. Those come after
//      every commit that the feed has given out so far, so until then the view stays as it is, whatever is heard.
//   2. When the disk refuses, everything that is not durable leaves the view: `takeBack`.

import type { Row } from "../../core/schema/value.ts";
import type { BaseChange, StoreCommit } from "../store/store.ts";
import { RowMap } from "./row-map.ts";

/** New values of rows; null where there is none. */
type Rows = RowMap<Row | null>;

export class LocalRows {
  /** The durable value, and how many writes lie over it. */
  readonly #beneath = new RowMap<{ row: Row | null; writes: number }>();
  /** Own commits that are durable and may not have come through the feed. */
  #durable: Extract<StoreCommit, { type: "append" }>[] = [];

  /** The view is about to show these. `rowNow`: what it shows before. */
  write(changes: readonly BaseChange[], rowNow: (table: string, id: string) => Row | null): void {
    for (const { table, id } of changes) {
      const known = this.#beneath.get(table, id);
      if (known === undefined) this.#beneath.set(table, id, { row: rowNow(table, id), writes: 1 });
      else known.writes += 1;
    }
  }

  /** An own commit is durable. */
  durable(commit: Extract<StoreCommit, { type: "append" }>): void {
    if (commit.changes !== undefined) this.#durable.push(commit);
  }

  /** Durable changes, in order; `isPast` tells which commits they cover. Returns what the view must show. */
  settle(changes: readonly BaseChange[], isPast: (commit: StoreCommit) => boolean): Rows {
    const shown: Rows = new RowMap();
    for (const { table, id, row } of changes) {
      const known = this.#beneath.get(table, id);
      if (known === undefined) shown.set(table, id, row);
      else known.row = row;
    }
    const past = this.#durable.filter(isPast);
    this.#durable = this.#durable.filter((commit) => !past.includes(commit));
    for (const { table, id } of past.flatMap(({ changes: own = [] }) => own)) {
      const known = this.#beneath.get(table, id);
      if (known === undefined || --known.writes > 0) continue;
      this.#beneath.delete(table, id);
      shown.set(table, id, known.row);
    }
    return shown;
  }

  /** Nothing that is not durable will be. Returns what the view must show. */
  takeBack(): Rows {
    const shown: Rows = new RowMap();
    this.#beneath.forEach((table, id, { row }) => shown.set(table, id, row));
    this.#beneath.tables.clear();
    this.#durable = [];
    return shown;
  }
}
