// Owns: orders in which cold rows are asked for: how rows and keys compare in them, and which list of columns on disk serves one.

import { comparerOf } from "../../core/query/compare.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { compareFamily, type Row, type Value } from "../../core/schema/value.ts";
import type { IndexColumn } from "../ivm/source.ts";
import type { ColdOrder } from "./store.ts";
import { createRowFit } from "./stored-row.ts";

/** Values of the columns of an order, or of the first of them. */
export type ColdKey = readonly Value[];

/** Compares keys of these columns as far as the shorter goes. */
export function compareKeys(meta: TableMeta, columns: readonly IndexColumn[]): (a: ColdKey, b: ColdKey) => number {
  const compares = columns.map(({ column, direction }) => {
    const family = compareFamily(meta.columnsByName.get(column)?.def.kind ?? "id");
    return { compare: comparerOf(family ?? "text"), sign: direction === "asc" ? 1 : -1 };
  });
  return (a, b) => {
    const length = Math.min(a.length, b.length, compares.length);
    for (let i = 0; i < length; i++) {
      const [x = null, y = null] = [a[i], b[i]];
      const { compare, sign } = compares[i] as (typeof compares)[number];
      const order = x === y ? 0 : x === null ? -1 : y === null ? 1 : compare(x, y);
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

/** How the keys of an index lie on disk: by its columns, then by id. */
export const lyingOrder = (columns: readonly string[]): IndexColumn[] =>
  [...columns, "id"].map((column) => ({ column, direction: "asc" }));

/** A row's key under these columns. */
export const keyOfRow = (row: Row, columns: readonly { readonly column: string }[]): ColdKey =>
  columns.map(({ column }) => row[column] ?? null);

/** The lists of columns, without the id, by which a table's rows are kept in order on disk beside that of the id alone. */
export function storedIndexes(meta: TableMeta): (readonly string[])[] {
  const lists = [
    ...meta.indexes,
    // Whoever inserts a row looks whether its values are taken.
    ...meta.unique,
    ...meta.columns.filter(({ def }) => def.ref !== undefined).map(({ def }) => [def.name]),
  ].filter(([first]) => first !== undefined && first !== "id");
  const startsWith = (list: readonly string[], start: readonly string[]) => start.every((name, i) => list[i] === name);
  return lists.filter(
    (list, i) => !lists.some((other, j) => startsWith(other, list) && (other.length > list.length || j < i)),
  );
}

/** The list of `storedIndexes` that serves an order, `[]` for that of the id alone; null for none. */
export function servingIndex(meta: TableMeta, { columns }: ColdOrder): readonly string[] | null {
  const names = columns.slice(0, -1).map(({ column }) => column);
  if (names.length === 0) return [];
  return storedIndexes(meta).find((list) => names.every((name, i) => list[i] === name)) ?? null;
}

/** What decides how a table's indexes look: one that was made of another text is worthless. */
export function signatureOf(meta: TableMeta): string {
  // Rows that lack a column have what stands for it in their keys.
  const empty = createRowFit(meta)({});
  const columns = meta.columns.map(({ def: { name, kind, notNull } }) => [name, kind, notNull, String(empty[name])]);
  return JSON.stringify([storedIndexes(meta), columns]);
}
