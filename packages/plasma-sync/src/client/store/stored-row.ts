// Owns: fitStoredRow: a row on disk as the app's schema sees it. It may have been written under another version of the
// schema, older or newer; until the replica has synced anew, this is what the app shows.
// Invariants:
//   1. What leaves here has exactly the columns of its table, each of its type: no query meets a hole.
//   2. A row that fits is handed through as it is.

import type { ColumnDef } from "../../core/schema/column.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { isJsonKind, type ColumnKind, type Row, type Value } from "../../core/schema/value.ts";

/** The row with the table's columns: those that it lacks, or has as another type, are as in a new row. */
export function fitStoredRow({ columns }: TableMeta, stored: Row): Row {
  if (Object.keys(stored).length === columns.length && columns.every(({ def }) => isValueOf(def, stored[def.name])))
    return stored;
  const row: { [column: string]: Value } = {};
  for (const { def } of columns) {
    const value = stored[def.name];
    row[def.name] = isValueOf(def, value) ? value : absent(def);
  }
  return row;
}

function isValueOf({ kind, notNull }: ColumnDef, value: Value | undefined): value is Value {
  if (value === undefined || value === null) return value === null && !notNull;
  if (isJsonKind(kind)) return true;
  return kind === "blob" ? value instanceof Uint8Array : typeof value === typeof emptyOf(kind);
}

function absent({ kind, notNull, default: given, values }: ColumnDef): Value {
  if (given !== undefined) return given.value as Value;
  return notNull ? (values?.[0] ?? emptyOf(kind)) : null;
}

function emptyOf(kind: ColumnKind): Value {
  if (kind === "int" || kind === "real" || kind === "timestamp") return 0;
  if (kind === "bigint") return 0n;
  if (kind === "boolean") return false;
  if (kind === "blob") return new Uint8Array();
  return isJsonKind(kind) ? {} : "";
}
