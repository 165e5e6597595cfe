// Owns: index specs and the order of a table's rows under them.

import { must } from "../../core/lib/assert.ts";
import { comparerOf } from "../../core/query/compare.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { compareFamily, type Row, type Value } from "../../core/schema/value.ts";
import { KEY, type IndexColumn, type IndexSpec } from "./source.ts";

export interface RowOrder {
  readonly compare: (a: Row, b: Row) => number;
  /** Places a row relative to the rows whose first columns equal `prefix`. */
  readonly place: (row: Row, prefix: readonly Value[]) => number;
}

/** The index over `columns`: the key is appended where it is missing, and columns after it are left out: they decide nothing. */
export function indexSpec(columns: readonly IndexColumn[], key = "id"): IndexSpec {
  const at = columns.findIndex(({ column }) => column === key);
  const total: readonly IndexColumn[] =
    at >= 0 ? columns.slice(0, at + 1) : [...columns, { column: key, direction: "asc" }];
  return { key: total.map(({ column, direction }) => `${column} ${direction}`).join(), columns: total };
}

/** An index for looking rows up by one column. */
export const lookupSpec = (column: string, key = "id"): IndexSpec => indexSpec([{ column, direction: "asc" }], key);

/** The order of an index of this table. */
export function createRowOrder(meta: TableMeta, spec: IndexSpec): RowOrder {
  const keys = spec.columns.map(({ column, direction }) => {
    if (column === KEY) return { column, compare: comparerOf("text"), sign: 1 };
    const { kind } = must(meta.columnsByName.get(column), "row order: queries name known columns").def;
    const family = must(compareFamily(kind), "row order: the builder refuses kinds without order");
    return { column, compare: comparerOf(family), sign: direction === "asc" ? 1 : -1 };
  });
  const compareKey = ({ compare, sign }: (typeof keys)[number], a: Value, b: Value): number => {
    if (a === b) return 0;
    return (a === null ? -1 : b === null ? 1 : compare(a, b)) * sign;
  };
  return {
    compare(a, b) {
      if (a === b) return 0;
      for (const key of keys) {
        const order = compareKey(key, a[key.column] ?? null, b[key.column] ?? null);
        if (order !== 0) return order;
      }
      return 0;
    },
    place(row, prefix) {
      for (let i = 0; i < prefix.length; i++) {
        const key = must(keys[i], "row order: a prefix is no longer than its index");
        const order = compareKey(key, row[key.column] ?? null, prefix[i] ?? null);
        if (order !== 0) return order;
      }
      return 0;
    },
  };
}
