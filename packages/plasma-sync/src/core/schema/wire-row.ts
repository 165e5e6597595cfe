// Owns: rows as they travel and as they are logged: JSON with bigint as text and bytes as base64 (logged: as hex).

import { PlasmaError } from "../error.ts";
import { fromBase64, toBase64 } from "../lib/base64.ts";
import { utf8SizeBytes } from "../lib/utf8.ts";
import type { WireRow } from "../protocol/pull.ts";
import { expectation } from "./check-value.ts";
import type { AnyColumn, ColumnDef } from "./column.ts";
import type { TableMeta } from "./table.ts";
import { isJsonKind, type Row, type Value } from "./value.ts";

/** The row as it travels. */
export function encodeRow(meta: TableMeta, row: Row): WireRow {
  const wire: { [column: string]: unknown } = {};
  for (const { def } of meta.columns) wire[def.name] = encodeValue(row[def.name] ?? null);
  return wire;
}

/** The row of the table. Columns that the table does not have are left out. Throws `protocol/field`. */
export function decodeRow(meta: TableMeta, wire: WireRow): Row {
  const row: { [column: string]: Value } = {};
  for (const column of meta.columns) row[column.def.name] = decodeValue(column, wire[column.def.name]);
  return row;
}

function encodeValue(value: Value): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Uint8Array ? toBase64(value) : value;
}

function decodeValue({ def }: AnyColumn, wire: unknown): Value {
  if (wire === null || wire === undefined) return absent(def);
  const value = def.kind === "bigint" ? parseBigint(wire) : def.kind === "blob" ? parseBytes(wire) : wire;
  // What an older schema or raw SQL has let in is shown as it is: a row that the server holds is never refused.
  if (value === null || expectation({ ...def, values: undefined, file: undefined }, value) !== null) throw misfit(def);
  return value as Value;
}

/** A server of an older schema leaves out columns that it does not know: they have their default. */
function absent(def: ColumnDef): Value {
  if (!def.notNull) return null;
  if (def.default !== undefined) return def.default.value as Value;
  throw misfit(def);
}

const misfit = (def: ColumnDef) =>
  new PlasmaError("protocol/field", { path: `${def.table}.${def.name}`, expected: `a value of kind ${def.kind}` });

function parseBigint(wire: unknown): bigint | null {
  return typeof wire === "string" && /^-?\d{1,19}$/.test(wire) ? BigInt(wire) : null;
}

const parseBytes = (wire: unknown): Uint8Array | null => (typeof wire === "string" ? fromBase64(wire) : null);

/** Bytes of the row in its logged JSON form, where bytes are hex and so count twice. */
export const rowSizeBytes = (meta: TableMeta, row: Row): number => sumOfSizes(meta, row, textSizeBytes);

/** No less than that, and found without a look at each character. */
export const rowSizeBytesAtMost = (meta: TableMeta, row: Row): number => sumOfSizes(meta, row, textSizeBytesAtMost);

function sumOfSizes(meta: TableMeta, row: Row, textSize: (text: string) => number): number {
  let bytes = 2;
  for (const { def } of meta.columns)
    bytes += def.name.length + 4 + valueSizeBytes(def, row[def.name] ?? null, textSize);
  return bytes;
}

function valueSizeBytes(def: ColumnDef, value: Value, textSize: (text: string) => number): number {
  if (value === null || typeof value === "boolean") return 5;
  if (value instanceof Uint8Array) return 2 * value.length + 2;
  if (typeof value === "string") return textSize(value);
  if (isJsonKind(def.kind)) return utf8SizeBytes(JSON.stringify(value));
  return String(value).length + 2;
}

// oxlint-disable-next-line no-control-regex -- control characters are what JSON escapes
const ESCAPED = /["\\\u0000-\u001f]/;
const textSizeBytes = (text: string): number =>
  ESCAPED.test(text) ? utf8SizeBytes(JSON.stringify(text)) : utf8SizeBytes(text) + 2;
/** JSON writes a control character as six. */
const textSizeBytesAtMost = (text: string): number => 6 * text.length + 2;
