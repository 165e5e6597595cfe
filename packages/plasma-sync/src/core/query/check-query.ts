// Owns: the checks that all builders share: tables of the schema, names of columns, what errors call a wrong value.

import { PlasmaError } from "../error.ts";
import { TABLE_META, type AnyTable, type TableMeta } from "../schema/table.ts";
import type { AnySchema } from "../schema/schema.ts";

/** The metadata of a table that the schema has; any table where no schema is bound. Throws `query/unknown-table`. */
export function tableOf(table: AnyTable, schema: AnySchema | null): TableMeta {
  // Plain JavaScript can hand over anything.
  const meta = (table as AnyTable | null | undefined)?.[TABLE_META];
  if (meta !== undefined && (schema === null || schema.tablesByName.has(meta.source))) return meta;
  const known = schema === null ? [] : [...schema.tablesByName.keys()];
  throw new PlasmaError("query/unknown-table", { table: meta?.source ?? describe(table), known });
}

/** Checks the names of what is inserted or set. Throws `query/unknown-column`. */
export function checkNames(record: { readonly [column: string]: unknown }, meta: TableMeta): void {
  for (const column of Object.keys(record)) if (!meta.columnsByName.has(column)) refuseColumn(column, meta);
}

/** Throws `query/unknown-column`. */
export function refuseColumn(column: string, { name, columnsByName }: TableMeta): never {
  throw new PlasmaError("query/unknown-column", { table: name, column, known: [...columnsByName.keys()] });
}

/** The kind of a value that is not what was expected, never the value. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
