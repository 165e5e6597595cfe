// Owns: the order in which tables and their rows are read by pages: by name, then by id.

import { compareText } from "../../core/query/compare.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";

/** Rows up to and with `after` were read; "" is before all, as ids are never empty. */
export interface TablePlace {
  readonly table: string;
  readonly after: string;
}

/** Tables that sync, in their order. */
export const syncedTables = (schema: AnySchema): readonly TableMeta[] =>
  [...schema.tablesByName.values()]
    .filter((meta) => !meta.changeLogSuppressed)
    .sort((a, b) => compareText(a.name, b.name));
