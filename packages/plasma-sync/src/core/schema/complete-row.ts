// Owns: making whole, checked rows of what apps write: defaults, nulls, ids, the size bound.
// Invariants:
//   1. A row that leaves here has every column of its table, values of the right kind, -0 as 0, and fits the size bound.
//   2. An update that changes nothing returns the row it was given.

import { PlasmaError } from "../error.ts";
import { sameValue } from "../lib/deep-equal.ts";
import * as limits from "../limits.ts";
import { checkValue, stored } from "./check-value.ts";
import type { AnyColumn, ColumnDef } from "./column.ts";
import type { TableMeta } from "./table.ts";
import type { Row, Value } from "./value.ts";
import { rowSizeBytes, rowSizeBytesAtMost } from "./wire-row.ts";

type Input = { readonly [column: string]: unknown };

/** The row of an insert. Throws `data/*` or `limit/row`. */
export function completeInsert(meta: TableMeta, input: Input, newId: () => string): Row {
  refuseUnknown(meta, input);
  const row: { [column: string]: Value } = {};
  for (const column of meta.columns) {
    const { name } = column.def;
    const given = input[name];
    row[name] = given === undefined ? absent(column.def, newId) : checkValue(column, given);
  }
  return checkSize(meta, row);
}

/** The row after an update; columns that are undefined in the patch stay. Throws `data/*` or `limit/row`. */
export function mergeUpdate(meta: TableMeta, before: Row, patch: Input): Row {
  refuseUnknown(meta, patch);
  let row: { [column: string]: Value } | null = null;
  for (const [name, given] of Object.entries(patch)) {
    if (given === undefined) continue;
    if (name === "id") throw new PlasmaError("data/id-change", { table: meta.name });
    const current = before[name] ?? null;
    const value = checkValue(meta.columnsByName.get(name) as AnyColumn, given, current);
    if (!sameValue(value, current)) (row ??= { ...before })[name] = value;
  }
  return row === null ? before : checkSize(meta, row);
}

function absent(def: ColumnDef, newId: () => string): Value {
  if (def.kind === "id") return newId();
  if (def.default !== undefined) return stored(def, def.default.value);
  if (!def.notNull) return null;
  throw new PlasmaError("data/missing", { table: def.table, column: def.name });
}

function refuseUnknown(meta: TableMeta, input: Input): void {
  for (const column of Object.keys(input)) {
    if (!meta.columnsByName.has(column)) {
      throw new PlasmaError("data/unknown-column", { table: meta.name, column, known: [...meta.columnsByName.keys()] });
    }
  }
}

function checkSize(meta: TableMeta, row: Row): Row {
  if (rowSizeBytesAtMost(meta, row) <= limits.rowBytesMax) return row;
  const sizeBytes = rowSizeBytes(meta, row);
  if (sizeBytes > limits.rowBytesMax)
    throw new PlasmaError("limit/row", { table: meta.name, sizeBytes, sizeBytesMax: limits.rowBytesMax });
  return row;
}
