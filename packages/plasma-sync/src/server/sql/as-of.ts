// Owns: a table as it was at a version of the change log: a CTE of the table's name that a select then reads in its place.
//
//   "todos" as of v = rows that no entry after v names  ∪  the image before the first entry after v of each row that one names
//
// Invariants:
//   1. Exact for every version at or above the bound of compaction, whatever the moment at which the statement runs.
//   2. It costs what the log holds of the table after the version; rows that have not changed are found by their indexes.
//   3. A column that an image lacks is younger than the image and has its default, as in `parseImage`.

import type { AnyColumn } from "../../core/schema/column.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Value } from "../../core/schema/value.ts";
import type { Dialect } from "./dialect.ts";
import type { SqlParams } from "./sql-params.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** A version of the log, and for one table only a part of its rows then: those that are still the same, or the others. */
export interface AsOf {
  readonly version: number;
  readonly only?: { readonly table: string; readonly rows: "unchanged" | "changed" };
  /** The select is about few rows: what its subqueries ask is looked up for each, not indexed for the statement. */
  readonly isAboutFew?: boolean;
}

export interface AsOfScope {
  readonly asOf: AsOf;
  readonly dialect: Dialect;
  readonly params: SqlParams;
}

/** The CTE that puts the table as of the version in its place. */
export function asOfSql(meta: TableMeta, { asOf, dialect, params }: AsOfScope): string {
  const { version, only, isAboutFew = false } = asOf;
  const names = meta.columns.map(({ def }) => quoteName(def.name)).join(", ");
  const table = quoteName(meta.name);
  // The number is Plasma's own: bound for each table, it would count against the engine's bound of values.
  const later = `table_name = ${quoteText(meta.name)} AND row_version > ${version}`;
  const cell = (column: AnyColumn) => {
    const value = cellOf(column, dialect, params);
    return isAboutFew ? dialect.likeColumn(column.def.kind, value) : value;
  };
  const unchanged = () =>
    `SELECT ${names} FROM ${dialect.stored(table)} ` +
    `WHERE "id" NOT IN (SELECT row_id FROM _plasma_changes WHERE ${later})`;
  const changed = () => `SELECT ${meta.columns.map(cell).join(", ")} FROM (${dialect.undone(later)}) AS undone`;
  const part = only?.table === meta.name ? only.rows : null;
  const rows = part === null ? `${unchanged()} UNION ALL ${changed()}` : part === "unchanged" ? unchanged() : changed();
  return `${table}(${names}) AS NOT MATERIALIZED (${rows})`;
}

function cellOf({ def }: AnyColumn, dialect: Dialect, params: SqlParams): string {
  // A plain column, which planners know more of.
  if (def.kind === "id") return "row_id";
  const key = quoteText(def.name);
  const cell = dialect.imageCell(def.kind, "image", key);
  const value = def.default?.value as Value | undefined;
  if (value === undefined || value === null) return cell;
  return `CASE WHEN ${dialect.isAbsent("image", key)} THEN ${dialect.value(params, def.kind, value)} ELSE ${cell} END`;
}
