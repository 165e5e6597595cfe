// Owns: one value's form in SQL per column kind: stored, bound, inside a JSON parameter, read back.
// Invariants:
//   1. A bigint travels as text both ways: D1 hands integers back as doubles.
//   2. What is bound and what comes out of a JSON parameter are the same SQL value, bit for bit.

import { must } from "../../core/lib/assert.ts";
import { fromHex, toHex } from "../../core/lib/hex.ts";
import { isJsonKind, type ColumnKind, type Value } from "../../core/schema/value.ts";
import type { SqlParam } from "../database/sql-executor.ts";

export type SqlType = "TEXT" | "INTEGER" | "REAL" | "BLOB";
/** A value inside a JSON parameter. */
export type JsonCell = string | number | null;

/** The type of a column on SQLite. */
export function sqlType(kind: ColumnKind): SqlType {
  if (kind === "int" || kind === "timestamp" || kind === "bigint" || kind === "boolean") return "INTEGER";
  if (kind === "real") return "REAL";
  return kind === "blob" ? "BLOB" : "TEXT";
}

/** The type of a column on Postgres. */
export function postgresType(kind: ColumnKind): string {
  if (kind === "int" || kind === "timestamp" || kind === "bigint") return "bigint";
  if (kind === "boolean") return "boolean";
  if (kind === "real") return "float8";
  if (kind === "blob") return "bytea";
  return isJsonKind(kind) ? "jsonb" : "text";
}

/** The type as which a column is created on Postgres: text compares by code point whatever the database's collation is. */
export function postgresColumnType(kind: ColumnKind): string {
  const type = postgresType(kind);
  return type === "text" ? 'text COLLATE "C"' : type;
}

/** The value as it is bound to a parameter; its SQL value is `boundSql`. */
export function toParam(kind: ColumnKind, value: Value): SqlParam {
  if (value === null || value instanceof Uint8Array) return value;
  if (isJsonKind(kind)) return JSON.stringify(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "bigint" ? String(value) : (value as string | number);
}

/** The value as it stands in a JSON parameter; its SQL value is `cellSql`. */
export function toCell(kind: ColumnKind, value: Value): JsonCell {
  return value instanceof Uint8Array ? toHex(value) : (toParam(kind, value) as JsonCell);
}

/** On Postgres: the value to store, from the placeholder that `toParam` is bound to. */
export const postgresBoundSql = (kind: ColumnKind, placeholder: string): string =>
  `${placeholder}::${postgresType(kind)}`;

/** On Postgres: the value to store, from the text of the cell that `toCell` made. */
export const postgresCellSql = (kind: ColumnKind, cell: string): string =>
  kind === "blob" ? `decode(${cell}, 'hex')` : `(${cell})::${postgresType(kind)}`;

/** The value to store, from the placeholder that `toParam` is bound to. */
export const boundSql = (kind: ColumnKind, placeholder: string): string =>
  kind === "bigint" ? `CAST(${placeholder} AS INTEGER)` : placeholder;

/** The value to store, from the cell that `toCell` made. */
export function cellSql(kind: ColumnKind, cell: string): string {
  if (kind === "bigint") return `CAST(${cell} AS INTEGER)`;
  // JSON writes 5.0 as 5, and whole doubles beyond 2^53 would come back as integers that no double holds.
  if (kind === "real") return `CAST(${cell} AS REAL)`;
  return kind === "blob" ? `unhex(${cell})` : cell;
}

/** How a column is selected, so that `fromSql` can read it. */
export const readSql = (kind: ColumnKind, column: string): string =>
  kind === "bigint" ? `CAST(${column} AS TEXT)` : column;

/** The value of a selected column. D1 hands blobs back as arrays of numbers, Postgres 64-bit integers as text. */
export function fromSql(kind: ColumnKind, raw: unknown): Value {
  if (raw === null || raw === undefined) return null;
  switch (kind) {
    case "int":
    case "timestamp":
    case "real":
      return typeof raw === "string" ? Number(raw) : (raw as number);
    case "boolean":
      return raw !== 0 && raw !== false;
    case "bigint":
      return BigInt(raw as string);
    case "blob":
      return raw instanceof Uint8Array ? raw : Uint8Array.from(must(raw as number[], "sql value: a blob is bytes"));
    default:
      return isJsonKind(kind) ? (JSON.parse(raw as string) as Value) : (raw as Value);
  }
}

/** The value of a cell of a JSON array that a statement has made. */
export function fromCell(kind: ColumnKind, cell: unknown): Value {
  if (cell === null || isJsonKind(kind)) return cell as Value;
  return fromSql(kind, kind === "blob" ? must(fromHex(cell as string), "sql value: a blob is hex digits") : cell);
}
