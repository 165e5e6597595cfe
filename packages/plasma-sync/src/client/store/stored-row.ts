// Owns: createRowFit: rows on disk as the app's schema sees them. They may have been written under another version of the
// schema, older or newer; until the replica has synced anew, this is what the app shows.
// Invariants:
//   1. What leaves here has exactly the columns of its table, each of its type: no query meets a hole.
//   2. A row that fits is handed through as it is, at a cost of one look at each column.

import type { ColumnDef } from "../../core/schema/column.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { isJsonKind, type ColumnKind, type Row, type Value } from "../../core/schema/value.ts";

/** Gives a stored row the table's columns: those that it lacks, or has as another type, are as in a new row. */
export function createRowFit({ columns }: TableMeta): (stored: Row) => Row {
  const checks = columns.map(({ def }) => valueCheck(def));
  const fits = (stored: Row): boolean => {
    let count = 0;
    for (const _ in stored) count += 1;
    return count === columns.length && columns.every(({ def }, i) => checks[i]?.(stored[def.name]));
  };
  return (stored) => {
    if (fits(stored)) return stored;
    const row: { [column: string]: Value } = {};
    columns.forEach(({ def }, i) => {
      const value = stored[def.name];
      row[def.name] = checks[i]?.(value) === true ? (value as Value) : absent(def);
    });
    return row;
  };
}

function valueCheck({ kind, notNull }: ColumnDef): (value: Value | undefined) => boolean {
  const type = isJsonKind(kind) ? null : typeof emptyOf(kind);
  return (value) => {
    if (value === null || value === undefined) return value === null && !notNull;
    return type === null || (kind === "blob" ? value instanceof Uint8Array : typeof value === type);
  };
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
