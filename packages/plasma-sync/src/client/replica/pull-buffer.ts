// Owns: PullBuffer, which folds the pages of one catch-up into base changes and drops what the base already holds.
// Invariants:
//   1. After a `clear`, rows of synced tables that no later page put are deleted: by difference, in the same changes.
//   2. A put of an equal row is no change, so nothing unchanged is written or delivered again.

import { sameRow } from "../../core/lib/deep-equal.ts";
import type { PatchOp, PullResponse, Rejection } from "../../core/protocol/pull.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import { decodeRow } from "../../core/schema/wire-row.ts";
import type { BaseChange } from "../store/store.ts";
import { RowMap } from "./row-map.ts";

/** What the buffer asks of the base: the rows without pending effects. */
export interface BaseRows {
  /** Undefined where it lies on disk and is not known. */
  get(table: string, id: string): Row | null | undefined;
  /** Ids of all base rows of a table. Asked only where all are known. */
  ids(table: string): Iterable<string>;
}

export class PullBuffer {
  readonly #schema: AnySchema;
  readonly #rows = new RowMap<Row | null>();
  readonly #confirmed: { [clientID: string]: number } = {};
  readonly #rejected: Rejection[] = [];
  /** Whether a page began a re-sync. */
  cleared = false;
  /** The cookie of the last page; null before the first. */
  cookie: string | null = null;
  /** Rows put by all pages. */
  putCount = 0;

  constructor(schema: AnySchema) {
    this.#schema = schema;
  }

  get confirmed(): { readonly [clientID: string]: number } {
    return this.#confirmed;
  }

  get rejected(): readonly Rejection[] {
    return this.#rejected;
  }

  /** Takes a page. A row that does not fit the schema throws `protocol/field`, and nothing of the page is kept. */
  add(page: PullResponse): void {
    const decoded = page.patch.map((op) => this.#decode(op));
    for (const op of decoded) {
      if (op === null) continue;
      if (op === "clear") {
        this.#rows.tables.clear();
        this.cleared = true;
      } else {
        this.#rows.set(op.table, op.id, op.row);
        if (op.row !== null) this.putCount += 1;
      }
    }
    Object.assign(this.#confirmed, page.lastMutationIDs);
    this.#rejected.push(...(page.rejected ?? []));
    this.cookie = page.cookie;
  }

  /** What the base must change to be as of `cookie`. */
  changes(base: BaseRows): BaseChange[] {
    const changes: BaseChange[] = [];
    this.#rows.forEach((table, id, row) => {
      const before = base.get(table, id);
      const same = row === null || before === null ? row === before : before !== undefined && sameRow(before, row);
      if (!same) changes.push({ table, id, row });
    });
    if (this.cleared) this.#deleteUnmentioned(base, changes);
    return changes;
  }

  #deleteUnmentioned(base: BaseRows, changes: BaseChange[]): void {
    for (const meta of this.#schema.tablesByName.values()) {
      if (meta.changeLogSuppressed) continue;
      for (const id of base.ids(meta.name)) {
        if (!this.#rows.has(meta.name, id)) changes.push({ table: meta.name, id, row: null });
      }
    }
  }

  /** Tables that this version of the app does not know are none of its business: null. */
  #decode(op: PatchOp): BaseChange | "clear" | null {
    if (op.op === "clear") return "clear";
    const meta = this.#schema.tablesByName.get(op.table);
    // A server of another version may sync what is local-only here: then it stays what it is here.
    if (meta === undefined || meta.changeLogSuppressed) return null;
    return { table: op.table, id: op.id, row: op.op === "del" ? null : decodeRow(meta, op.value) };
  }
}
