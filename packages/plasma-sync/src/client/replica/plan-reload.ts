// Owns: what a replica that reads its disk anew must change: everything is read, and the difference to the base is what counts.

import { keyOf, type PendingMutation } from "./pending-mutation.ts";
import { RowMap } from "./row-map.ts";
import type { Row } from "../../core/schema/value.ts";
import type { Rejection } from "../../core/protocol/pull.ts";
import type { BaseChange, Store, StoreState } from "../store/store.ts";

/** Reads everything. */
export async function readAll(store: Store): Promise<{ rows: RowMap<Row | null>; state: StoreState }> {
  const rows = new RowMap<Row | null>();
  const state = await store.load((table, batch) => {
    for (const row of batch) rows.set(table, row["id"] as string, row);
  });
  return { rows, state };
}

/** Changes that make a base of the rows, whatever it was. `baseIDs`: of the rows that are in memory. */
export function changesTo(
  rows: RowMap<Row | null>,
  tables: Iterable<string>,
  baseIDs: (table: string) => Iterable<string>,
): BaseChange[] {
  const changes: BaseChange[] = [];
  rows.forEach((table, id, row) => changes.push({ table, id, row }));
  for (const table of tables)
    for (const id of baseIDs(table)) if (!rows.has(table, id)) changes.push({ table, id, row: null });
  return changes;
}

/** Why a mutation has left the outbox, as far as the disk tells; null where it was confirmed. */
export function refusalOn({ refused }: StoreState, { entry }: PendingMutation): Rejection | null {
  const isIt = ({ seed, ...name }: StoreState["refused"][number]): boolean =>
    seed === undefined ? keyOf(name) === keyOf(entry) : seed === entry.seed;
  return refused.find(isIt) ?? null;
}
