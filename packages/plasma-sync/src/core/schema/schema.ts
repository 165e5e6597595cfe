// Owns: `defineSchema` and the schema's run-time form, which client and server walk.

import { checkSchema } from "./check-schema.ts";
import { metaOf, type AnyTable, type TableMeta } from "./table.ts";

/** One `ref` of the schema: rows of `child` hold, in `column`, ids of rows of `parent`. */
export interface Reference {
  readonly child: string;
  readonly column: string;
  readonly parent: string;
  readonly onDelete: "noAction" | "cascade" | "setNull" | "restrict";
}

export interface Schema<T extends { readonly [name: string]: AnyTable } = { readonly [name: string]: AnyTable }> {
  readonly tables: T;
  readonly tablesByName: ReadonlyMap<string, TableMeta>;
  /** Every ref, by the table that it points at. */
  readonly referencesByParent: ReadonlyMap<string, readonly Reference[]>;
}

export type AnySchema = Schema;

/**
 * Gathers tables into the schema that client and server share. Keys equal table names.
 *
 * @throws PlasmaError `schema/*` for a wrong key, a duplicate name, a ref to a table outside the schema.
 * @example
 * const schema = defineSchema({ users, todos });
 */
export function defineSchema<const T extends { readonly [name: string]: AnyTable }>(tables: T): Schema<T> {
  checkSchema(tables);
  const tablesByName = new Map(Object.values(tables).map((t) => [metaOf(t).name, metaOf(t)]));
  const referencesByParent = new Map<string, Reference[]>();
  for (const meta of tablesByName.values()) {
    for (const { def } of meta.columns) {
      if (def.ref === undefined) continue;
      const parent = def.ref.column().def.table;
      const list = referencesByParent.get(parent) ?? [];
      list.push({ child: meta.name, column: def.name, parent, onDelete: def.ref.onDelete });
      referencesByParent.set(parent, list);
    }
  }
  return Object.freeze({ tables, tablesByName, referencesByParent });
}
