// Owns: `table()`, what a table is at run time (TABLE_META), and the row types derived from its columns.

import { checkColumns, checkIndexes } from "./check-table.ts";
import { PlasmaError } from "../error.ts";
import type { Expr } from "../query/ast.ts";
import { Column, type AnyColumn } from "./column.ts";
import type { Row } from "./value.ts";

/** Where a table keeps what is not a column. */
export const TABLE_META: unique symbol = Symbol.for("plasma-sync.table");

export type ColumnRecord = { readonly [name: string]: AnyColumn };

type Simplify<T> = { [K in keyof T]: T[K] } & {};
type DataOf<C> = C extends Column<infer D, infer N, boolean, string> ? (N extends false ? D | null : D) : never;
type OptionalKeys<C> = {
  [K in keyof C]: C[K] extends Column<infer _D, infer N, infer H, string>
    ? N extends true
      ? H extends true
        ? K
        : never
      : K
    : never;
}[keyof C];

export type RowOf<C extends ColumnRecord> = { readonly [K in keyof C]: DataOf<C[K]> };
export type InsertOf<C extends ColumnRecord> = Simplify<
  { readonly [K in Exclude<keyof C, OptionalKeys<C>>]: DataOf<C[K]> } & {
    readonly [K in OptionalKeys<C>]?: DataOf<C[K]> | undefined;
  }
>;
export type UpdateOf<C extends ColumnRecord> = Simplify<{
  readonly [K in Exclude<keyof C, "id">]?: DataOf<C[K]> | undefined;
}>;

/** Who may see and change a table's rows; asked on the server only. */
export interface TableAuth<C extends ColumnRecord, Ctx> {
  /** Whether `ctx`'s person sees the row. Without it, and without `readWhere`, everybody does. */
  readonly read?: (ctx: Ctx, row: RowOf<C>) => boolean;
  /**
   * The same as a condition, which may look into other tables (`exists(select().from(members)…)`). It runs in the database,
   * and a change in a table that it names moves rows in and out. Use it instead of `read`, not beside it.
   */
  readonly readWhere?: (ctx: Ctx) => Expr;
  /** Whether `ctx`'s person may write: asked for the row before and after. Without it everybody may. */
  readonly write?: (ctx: Ctx, row: RowOf<C>) => boolean;
}

export interface RowConflict<C extends ColumnRecord, Ctx> {
  /** The row as the mutation's maker had pulled it; null if they did not see it then, or it cannot be known any more. */
  readonly base: RowOf<C> | null;
  /** The row as it is now. */
  readonly current: RowOf<C>;
  /** `current` with the columns that the mutator set. */
  readonly incoming: RowOf<C>;
  readonly ctx: Ctx;
}

export interface TableOptions<C extends ColumnRecord, Name extends string, Ctx> {
  readonly auth?: TableAuth<C, Ctx>;
  /** Lists of columns that queries order by or look up by. */
  readonly indexes?: (table: BoundColumns<Name, C>) => readonly (readonly AnyColumn[])[];
  /** Lists of columns whose combined values no two rows share (a null makes a row unlike every other). */
  readonly unique?: (table: BoundColumns<Name, C>) => readonly (readonly AnyColumn[])[];
  /**
   * Decides what becomes of an update whose row a client of another replica has changed since its maker last pulled; runs on
   * the server, and its result must pass `auth.write`. Without it the last write wins, for each column that a mutator set.
   */
  readonly resolveConflict?: (conflict: RowConflict<C, Ctx>) => RowOf<C>;
  /**
   * Local-only: the table stays on the device. Mutators write it once, at the call; no refusal or re-sync undoes that. On the
   * server it is empty. A mutation that writes nothing else is not sent. Guide: docs/guides/offline.md.
   */
  readonly changeLogSuppressed?: boolean;
}

export type BoundColumns<Name extends string, C extends ColumnRecord> = {
  readonly [K in keyof C]: C[K] extends Column<infer D, infer N, infer H, string> ? Column<D, N, H, Name> : never;
};

/* oxlint-disable typescript/no-explicit-any -- rules of any table, called with its own rows */
interface TableRules {
  readonly read?: (ctx: any, row: Row) => boolean;
  readonly readWhere?: (ctx: any) => Expr;
  readonly write?: (ctx: any, row: Row) => boolean;
}
/* oxlint-enable typescript/no-explicit-any */

/** Everything that is known of a table at run time. */
export interface TableMeta {
  readonly name: string;
  /** The table's own name; differs from `name` for an alias. Queries name sources by `name`, storage by `source`. */
  readonly source: string;
  /** Bound columns in definition order. */
  readonly columns: readonly AnyColumn[];
  readonly columnsByName: ReadonlyMap<string, AnyColumn>;
  readonly auth: TableRules;
  // oxlint-disable-next-line typescript/no-explicit-any -- of any table, called with its own rows
  readonly resolveConflict: ((conflict: any) => unknown) | undefined;
  /** Names of columns, from the table option. */
  readonly indexes: readonly (readonly string[])[];
  /** Names of columns: `.unique()` columns and the table option, in that order. */
  readonly unique: readonly (readonly string[])[];
  readonly changeLogSuppressed: boolean;
  /** Whether rows are the results of a subquery, which have no id. */
  readonly isDerived: boolean;
}

export type Table<Name extends string, C extends ColumnRecord> = BoundColumns<Name, C> & {
  readonly [TABLE_META]: TableMeta & { readonly $: { readonly name: Name; readonly columns: C } };
};
export type AnyTable = { readonly [TABLE_META]: TableMeta };

type ColumnsOfTable<T> = T extends {
  readonly [TABLE_META]: { readonly $: { readonly columns: infer C extends ColumnRecord } };
}
  ? C
  : never;
export type NameOf<T> = T extends { readonly [TABLE_META]: { readonly $: { readonly name: infer N extends string } } }
  ? N
  : never;

/** A row of the table as selected. */
export type InferRow<T extends AnyTable> = Simplify<RowOf<ColumnsOfTable<T>>>;
/** What an insert into the table takes. */
export type InferInsert<T extends AnyTable> = InsertOf<ColumnsOfTable<T>>;
/** What an update of the table may set. */
export type InferUpdate<T extends AnyTable> = UpdateOf<ColumnsOfTable<T>>;

/**
 * Defines a table: its columns by name, and who may see and change its rows.
 *
 * @throws PlasmaError `schema/*` for a bad name, a missing id column, a default of the wrong type, a bad index, two read rules.
 * @example
 * const todos = table("todos", { id: id(), title: text(), done: boolean().default(false) });
 */
// oxlint-disable-next-line typescript/no-explicit-any -- without annotation a rule's ctx is the app's own business
export function table<const Name extends string, C extends ColumnRecord, Ctx = any>(
  name: Name,
  columns: C,
  options: TableOptions<C, Name, Ctx> = {},
): Table<Name, C> {
  const bound = new Map<string, AnyColumn>();
  checkColumns(name, columns);
  if (options.auth?.read !== undefined && options.auth.readWhere !== undefined)
    throw new PlasmaError("schema/read-rules", { table: name });
  for (const [columnName, column] of Object.entries(columns)) {
    bound.set(columnName, new Column({ ...column.def, table: name, name: columnName }));
  }
  return describe(name, bound, options as unknown as TableOptions<ColumnRecord, string, unknown>) as Table<Name, C>;
}

function describe(
  name: string,
  columnsByName: Map<string, AnyColumn>,
  options: TableOptions<ColumnRecord, string, unknown>,
): AnyTable {
  const columns = [...columnsByName.values()];
  const record = Object.fromEntries(columnsByName);
  const namesOf = (lists: readonly (readonly AnyColumn[])[]) => {
    checkIndexes(name, lists);
    return lists.map((list) => list.map((column) => column.def.name));
  };
  const meta: TableMeta = {
    name,
    source: name,
    columns,
    columnsByName,
    auth: options.auth ?? {},
    resolveConflict: options.resolveConflict,
    indexes: namesOf(options.indexes?.(record) ?? []),
    unique: [
      ...columns.filter((c) => c.def.unique).map((c) => [c.def.name]),
      ...namesOf(options.unique?.(record) ?? []),
    ],
    changeLogSuppressed: options.changeLogSuppressed === true,
    isDerived: false,
  };
  return Object.freeze(Object.assign(record, { [TABLE_META]: meta }));
}

/** The table's metadata. */
export const metaOf = (t: AnyTable): TableMeta => t[TABLE_META];
