// Owns: the image of a row in the change log: one JSON object with every column.
// Format: bigint as decimal text, blob as upper-case hex, boolean as 0/1 (SQLite) or true/false (Postgres), json, file and
// CRDT nested, the rest as itself.

import { fromHex } from "../../core/lib/hex.ts";
import { must } from "../../core/lib/assert.ts";
import * as limits from "../../core/limits.ts";
import type { ColumnDef } from "../../core/schema/column.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { isJsonKind, type Row, type Value } from "../../core/schema/value.ts";
import type { DialectName } from "../database/sql-executor.ts";
import { quoteName, quoteText } from "../sql/sql-text.ts";

/** SQL that makes the image, as text, of the row that `row` names (`NEW`, `OLD`, an alias). */
export const imageSql = (dialect: DialectName, meta: TableMeta, row: string): string =>
  dialect === "sqlite" ? sqliteImage(meta, row) : postgresImage(meta, row);

function sqliteImage(meta: TableMeta, row: string): string {
  const pieces: string[] = [];
  for (let start = 0; start < meta.columns.length; start += limits.sqlJsonObjectColumnsMax) {
    const columns = meta.columns.slice(start, start + limits.sqlJsonObjectColumnsMax);
    pieces.push(`json_object(${columns.map(({ def }) => `${quoteText(def.name)}, ${cellOf(def, row)}`).join(", ")})`);
  }
  return pieces.length === 1 ? (pieces[0] as string) : mergedSql(pieces);
}

/** Of a record, not by json_build_object, which takes 100 arguments. No column has the alias's name, so it is the record. */
function postgresImage(meta: TableMeta, row: string): string {
  const cells = meta.columns.map(({ def }) => {
    const name = quoteName(def.name);
    if (def.kind === "bigint") return `${row}.${name}::text AS ${name}`;
    return def.kind === "blob" ? `upper(encode(${row}.${name}, 'hex')) AS ${name}` : `${row}.${name} AS ${name}`;
  });
  return `(SELECT row_to_json(_plasma_image)::text FROM (SELECT ${cells.join(", ")}) AS _plasma_image)`;
}

function cellOf(def: ColumnDef, row: string): string {
  const column = `${row}.${quoteName(def.name)}`;
  if (def.kind === "bigint") return `CAST(${column} AS TEXT)`;
  if (def.kind === "blob") return `iif(${column} IS NULL, NULL, hex(${column}))`;
  return isJsonKind(def.kind) ? `json(${column})` : column;
}

/** One object of several, by their text: json_patch would drop nulls. */
function mergedSql(pieces: readonly string[]): string {
  const inner = pieces.map((piece, i) => `${piece} AS p${i}`).join(", ");
  const bodies = pieces.map((_, i) => `substr(p${i}, 2, length(p${i}) - 2)`).join(" || ',' || ");
  return `(SELECT '{' || ${bodies} || '}' FROM (SELECT ${inner}))`;
}

/** The row of an image that the log holds. A column that the image lacks is younger than it and has its default. */
export function parseImage(meta: TableMeta, json: string): Row {
  const image = JSON.parse(json) as { readonly [column: string]: unknown };
  const row: { [column: string]: Value } = {};
  for (const { def } of meta.columns) row[def.name] = valueOf(def, image[def.name]);
  return row;
}

function valueOf(def: ColumnDef, cell: unknown): Value {
  if (cell === undefined) return def.default === undefined ? null : (def.default.value as Value);
  if (cell === null) return null;
  if (def.kind === "boolean") return cell !== 0 && cell !== false;
  if (def.kind === "bigint") return BigInt(cell as string);
  return def.kind === "blob" ? must(fromHex(cell as string), "log image: a blob is hex digits") : (cell as Value);
}
