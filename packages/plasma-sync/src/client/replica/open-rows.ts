// Owns: openRows: what a replica begins with: the state on disk, and rows as far as they must be in memory at once.

import type { AnySchema } from "../../core/schema/schema.ts";
import type { RowChange } from "../ivm/source.ts";
import type { StoreState } from "../store/store.ts";
import type { ColdTables, ColdTablesDeps } from "./cold-tables.ts";

export interface OpenedRows {
  readonly state: StoreState;
  /** Null where all rows are in memory. */
  readonly cold: ColdTables | null;
}

/** Opens the disk: what its latest commits have changed is in the view then, all else lies there. */
export async function openRows(deps: ColdTablesDeps & { readonly schema: AnySchema }): Promise<OpenedRows> {
  const { store, runtime, schema } = deps;
  const known: RowChange[] = [];
  const state = await store.open((changes) => {
    for (const { table, id, row } of changes) known.push({ table, id, before: null, after: row });
  });
  const tables = [...schema.tablesByName.keys()].filter((table) => !store.cold.isEmpty(table));
  const cold = tables.length > 0 ? await cool(deps, tables) : null;
  if (cold !== "none") {
    runtime.commit(known);
    return { state, cold };
  }
  return { state: await store.load((table, rows) => runtime.fill(table, rows)), cold: null };
}

/** "none": the code for it did not come (a page that is older than what its server has now). */
async function cool(deps: ColdTablesDeps, tables: readonly string[]): Promise<ColdTables | "none"> {
  const module = await import("./cold-tables.ts").catch(() => null);
  if (module === null) return "none";
  const cold = new module.ColdTables(deps);
  cold.begin(tables);
  return cold;
}
