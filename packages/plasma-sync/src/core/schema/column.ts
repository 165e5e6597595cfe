// Owns: column definitions and the functions that make them.
// Invariants:
//   1. A Column never changes: modifiers return a new one.
//   2. Types are phantom (`_`): nothing of them exists at run time.

import type { FilePolicy } from "./file-policy.ts";
import type { ColumnKind, JsonValue } from "./value.ts";

export type OnDelete = "noAction" | "cascade" | "setNull" | "restrict";

/** Everything that is known of a column at run time. `table` and `name` are "" until `table()` binds it. */
export interface ColumnDef {
  readonly kind: ColumnKind;
  readonly table: string;
  readonly name: string;
  readonly notNull: boolean;
  readonly unique: boolean;
  readonly encrypted: false | "rest" | "e2e";
  /** `undefined` when there is none; CRDT columns count as having one (their empty state). */
  readonly default: { readonly value: unknown } | undefined;
  readonly values: readonly string[] | undefined;
  readonly ref: { readonly column: () => AnyColumn; readonly onDelete: OnDelete } | undefined;
  readonly file: FilePolicy | undefined;
}

/** A column of a table; made by `text()`, `int()` and so on, bound by `table()`. */
export class Column<
  TData,
  TNotNull extends boolean = boolean,
  THasDefault extends boolean = boolean,
  TTable extends string = string,
> {
  /** Types only: never present at run time. */
  declare readonly _: {
    readonly data: TData;
    readonly notNull: TNotNull;
    readonly hasDefault: THasDefault;
    readonly table: TTable;
  };
  readonly def: ColumnDef;

  constructor(def: ColumnDef) {
    this.def = def;
  }

  /** Allows null; an absent insert value becomes null. */
  nullable(): Column<TData, false, THasDefault, TTable> {
    return new Column({ ...this.def, notNull: false });
  }
  /** The value of an insert that gives none. */
  default(value: TData): Column<TData, TNotNull, true, TTable> {
    return new Column({ ...this.def, default: { value } });
  }
  /** No two rows have the same value (nulls aside). Checked by mutators on both sides. */
  unique(): Column<TData, TNotNull, THasDefault, TTable> {
    return new Column({ ...this.def, unique: true });
  }
  /** Encrypts the column at rest on the device; with `e2e`, everywhere but in the client's view. */
  encrypted(options: { readonly e2e?: boolean } = {}): Column<TData, TNotNull, THasDefault, TTable> {
    return new Column({ ...this.def, encrypted: options.e2e === true ? "e2e" : "rest" });
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- any column whatsoever, as a constraint
export type AnyColumn = Column<any, boolean, boolean, string>;

const plain = {
  table: "",
  name: "",
  notNull: true,
  unique: false,
  encrypted: false,
  default: undefined,
  values: undefined,
  ref: undefined,
  file: undefined,
} as const;
/** Makes a column of the kind, not null, without anything else but `more`. */
export const column = <TData, THasDefault extends boolean = false>(kind: ColumnKind, more: Partial<ColumnDef> = {}) =>
  new Column<TData, true, THasDefault>({ ...plain, kind, ...more });

/** The primary key, always named `id`. Absent in an insert, it is made by `newId()`. */
export const id = (): Column<string, true, true> => column<string, true>("id");
/** Text, ordered by Unicode code point. With `enum`, only those values. */
export function text<const E extends readonly [string, ...string[]]>(options: {
  readonly enum: E;
}): Column<E[number], true, false>;
// Without type argument an overload of its own: where a record of columns is expected, an open T would become any.
export function text(): Column<string, true, false>;
export function text<T extends string>(): Column<T, true, false>;
export function text(options?: { readonly enum: readonly string[] }): Column<string, true, false> {
  return column<string>("text", { values: options?.enum });
}
/** A safe integer. */
export const int = (): Column<number, true, false> => column<number>("int");
/** A finite double. */
export const real = (): Column<number, true, false> => column<number>("real");
/** Milliseconds since the epoch. */
export const timestamp = (): Column<number, true, false> => column<number>("timestamp");
/** A signed 64-bit integer as bigint. */
export const bigint = (): Column<bigint, true, false> => column<bigint>("bigint");
export const boolean = (): Column<boolean, true, false> => column<boolean>("boolean");
/** Small bytes, kept in the row. */
export const blob = (): Column<Uint8Array, true, false> => column<Uint8Array>("blob");
/** Any JSON value. */
export function json(): Column<JsonValue, true, false>;
export function json<T>(): Column<T, true, false>;
export function json(): Column<unknown, true, false> {
  return column("json");
}
/** The id of a row of another table. `onDelete` says what happens to this row when that one is deleted. */
export const ref = (
  target: () => AnyColumn,
  options: { readonly onDelete?: OnDelete } = {},
): Column<string, true, false> =>
  column<string>("ref", { ref: { column: target, onDelete: options.onDelete ?? "noAction" } });

const crdt = <TState>(kind: ColumnKind, empty: unknown) => column<TState, true>(kind, { default: { value: empty } });
/** Grow-only counter: client → count. */
export const crdtCounter = (): Column<CrdtCounterState, true, true> => crdt("crdtCounter", {});
/** Counter that goes both ways. */
export const crdtPnCounter = (): Column<CrdtPnCounterState, true, true> => crdt("crdtPnCounter", { p: {}, n: {} });
/** Last-writer-wins value. */
export function crdtLwwRegister(): Column<CrdtLwwState<JsonValue>, true, true>;
export function crdtLwwRegister<T>(): Column<CrdtLwwState<T>, true, true>;
export function crdtLwwRegister(): Column<CrdtLwwState<unknown>, true, true> {
  return crdt("crdtLwwRegister", {});
}
/** Set whose adds win over concurrent removes. */
export function crdtOrSet(): Column<CrdtOrSetState<JsonValue>, true, true>;
export function crdtOrSet<T>(): Column<CrdtOrSetState<T>, true, true>;
export function crdtOrSet(): Column<CrdtOrSetState<unknown>, true, true> {
  return crdt("crdtOrSet", { adds: {}, removes: {} });
}

export type CrdtCounterState = { readonly [clientID: string]: number };
export type CrdtPnCounterState = { readonly p: CrdtCounterState; readonly n: CrdtCounterState };
export type CrdtLwwState<T> = { readonly value?: T; readonly at?: number; readonly by?: string };
export type CrdtOrSetState<T> = {
  readonly adds: { readonly [tag: string]: T };
  readonly removes: { readonly [tag: string]: true };
};
