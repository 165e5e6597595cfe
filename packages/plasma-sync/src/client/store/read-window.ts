// Owns: readWindow: a window of an order that an index serves, from the index's pages and the rows that they name.

import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { keyOfRow, lyingOrder, signatureOf, type ColdKey } from "./cold-order.ts";
import { KeyWalk } from "./key-walk.ts";
import { idOf, type RowDirectory } from "./directory.ts";
import type { Pick, Picked } from "./sorted-pages.ts";
import type { ColdOrder, ColdWindow } from "./store.ts";
import { createRowFit } from "./stored-row.ts";

export { servingIndex } from "./cold-order.ts";

export interface WindowRead {
  readonly meta: TableMeta;
  /** The index's. */
  readonly columns: readonly string[];
  readonly order: ColdOrder;
  /** Of the rows. */
  readonly directory: RowDirectory | undefined;
  /** Reads pages of the index. */
  readonly keys: (pick: Pick<ColdKey>) => Promise<Picked<ColdKey, ColdKey>>;
  /** Reads the rows of these ids, and possibly others. */
  readonly rows: (ids: ReadonlySet<string>) => Promise<readonly Row[]>;
}

/** Null where the index is not made yet, or too many rows are alike to tell the first ones. */
export async function readWindow(read: WindowRead): Promise<ColdWindow | null> {
  const { meta, columns, order, directory, keys, rows } = read;
  if (directory === undefined) return { rows: [], isEnd: true };
  if (directory.unindexed.length > 0 || directory.indexedAs !== signatureOf(meta)) return null;
  const walk = new KeyWalk(meta, columns, order);
  while (!walk.isOver) {
    const { refs, items } = await keys((all) => walk.next(all));
    walk.take(refs, items);
  }
  const walked = walk.keys();
  if (walked === null) return null;
  const ids = new Set(walked.map((key) => key.at(-1) as string));
  const byID = new Map((await rows(ids)).map((row) => [idOf(row), row]));
  const fit = createRowFit(meta);
  const lying = lyingOrder(columns);
  const found = walked.flatMap((key) => {
    const stored = byID.get(key.at(-1) as string);
    const row = stored === undefined ? null : fit(stored);
    // An index may hold keys that rows no longer have.
    return row !== null && walk.compare(keyOfRow(row, lying), key) === 0 ? [row] : [];
  });
  // With none of the rows that are left out nobody could go on from here.
  return found.length === 0 && !walk.isEnd ? null : { rows: found, isEnd: walk.isEnd };
}
