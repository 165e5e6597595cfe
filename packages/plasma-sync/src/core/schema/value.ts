// Owns: what a value and a row are in JavaScript, and the kinds of columns.

/** What is stored of a file: its bytes live elsewhere, addressed by `hash` (SHA-256, 64 lower-case hex digits). */
export interface FileRef {
  readonly hash: string;
  readonly size: number;
  readonly mime: string;
  readonly name?: string;
  /** The bytes themselves when they are under the column's `inlineThreshold`, as base64. */
  readonly inline?: string;
}

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A column's value as JavaScript sees it. `JsonValue` covers json, file and CRDT columns. */
export type Value = null | string | number | bigint | boolean | Uint8Array | JsonValue;

/** One row: every column of its table, nulls explicit. Rows are never changed in place: identity means equality. */
export type Row = { readonly [column: string]: Value };

export type ColumnKind =
  | "id"
  | "text"
  | "int"
  | "real"
  | "timestamp"
  | "bigint"
  | "boolean"
  | "blob"
  | "json"
  | "file"
  | "ref"
  | "crdtCounter"
  | "crdtPnCounter"
  | "crdtLwwRegister"
  | "crdtOrSet";

export type CrdtKind = "crdtCounter" | "crdtPnCounter" | "crdtLwwRegister" | "crdtOrSet";

/** Kinds whose value is JSON text in SQL. */
export const isJsonKind = (kind: ColumnKind): boolean => kind === "json" || kind === "file" || kind.startsWith("crdt");

/** Families of kinds that compare with each other; kinds outside a family (json, file, CRDT) have no order and only `isNull`. */
export type CompareFamily = "text" | "number" | "bigint" | "boolean" | "blob";

/** The family in which values of `kind` compare, or null where they have no order. */
export function compareFamily(kind: ColumnKind): CompareFamily | null {
  switch (kind) {
    case "id":
    case "text":
    case "ref":
      return "text";
    case "int":
    case "real":
    case "timestamp":
      return "number";
    case "bigint":
      return "bigint";
    case "boolean":
      return "boolean";
    case "blob":
      return "blob";
    default:
      return null;
  }
}
