// Owns: boundedSelect: a compiled select that stops when its rows have come to a number of bytes, so that neither the
// database hands over, nor a process holds, more than that and one row.

import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { ResultRow } from "../../core/query/ast.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "../database/sql-executor.ts";
import type { CompiledSelect } from "./compile-select.ts";
import { withPlaceholders } from "./placeholders.ts";

export interface BoundedSelect extends SqlStatement {
  readonly decode: (rows: readonly SqlRow[]) => {
    readonly rows: readonly ResultRow[];
    /** Whether rows may have been left out for their size. */
    readonly isCut: boolean;
  };
}

/** Columns that the statement adds. */
const ADDED = 2;

/**
 * `orderBy` is the place of the column, without nulls and repeats, by which the select orders ascending. Tables with nearly
 * as many columns as a result may have are bounded by their number of rows alone.
 */
export function boundedSelect(
  select: CompiledSelect,
  dialect: SqlExecutor["dialect"],
  { orderBy, bytesMax }: { readonly orderBy: number; readonly bytesMax: number },
): BoundedSelect {
  const { columns, params, decode } = select;
  if (orderBy >= columns.length || columns.length + ADDED > limits.sqlResultColumnsMax)
    return { text: select.text, params, decode: (rows) => ({ rows: decode(rows), isCut: false }) };
  const key = must(columns[orderBy], "bounded select: it is ordered by one of its columns");
  const size = columns.map((column) => `coalesce(octet_length(${asText(column, dialect)}), 0)`).join(" + ");
  const bound = withPlaceholders(dialect, `?${params.length + 1}`);
  return {
    // A row is left out when those before it have come to the bound: so there is always one.
    text:
      `SELECT * FROM (SELECT *, sum(row_bytes) OVER (ORDER BY ${key}) AS bytes FROM ` +
      `(SELECT *, ${size} AS row_bytes FROM (${select.text}) AS page) AS sized) AS summed ` +
      `WHERE bytes - row_bytes < ${bound} ORDER BY ${key}`,
    params: [...params, bytesMax],
    decode: (rows) => ({ rows: decode(rows), isCut: Number(rows.at(-1)?.["bytes"] ?? 0) >= bytesMax }),
  };
}

const asText = (column: string, dialect: SqlExecutor["dialect"]): string =>
  dialect === "sqlite" ? column : `${column}::text`;
