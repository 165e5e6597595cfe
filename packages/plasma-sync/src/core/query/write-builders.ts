// Owns: the builders of insert, update and delete. Awaiting one runs it; names are checked when it is built.

import { PlasmaError } from "../error.ts";
import { checkValue } from "../schema/check-value.ts";
import type { AnyColumn } from "../schema/column.ts";
import type { AnyTable, InferInsert, InferUpdate, TableMeta } from "../schema/table.ts";
import type { ConflictNode, Expr, WriteNode } from "./ast.ts";
import { bindExpr } from "./bind-select.ts";
import { checkNames, tableOf } from "./check-query.ts";
import { checkIncrement, isIncrement, type Increment } from "./increment.ts";
import type { SelectBinding } from "./select-builder.ts";

type Input = { readonly [column: string]: unknown };

/** What an update sets: values, or amounts to add. */
export type UpdateSet<T extends AnyTable> = {
  readonly [K in keyof InferUpdate<T>]:
    | InferUpdate<T>[K]
    | (Extract<InferUpdate<T>[K], number | bigint> extends never
        ? never
        : Increment<Extract<InferUpdate<T>[K], number | bigint>>);
};

/** A write that awaiting runs, once. */
abstract class Write implements PromiseLike<void> {
  readonly #binding: SelectBinding;
  #run: Promise<void> | null = null;

  constructor(binding: SelectBinding) {
    this.#binding = binding;
  }

  /** The statement as plain data. */
  abstract get ast(): WriteNode;

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a write is what runs it
  then<A = void, B = never>(
    onfulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#run ??= (async () => this.#binding.engine.write(this.ast))();
    return this.#run.then(onfulfilled, onrejected);
  }
}

/** An insert that has no rows yet. */
export class InsertStart<T extends AnyTable> {
  readonly #binding: SelectBinding;
  readonly #table: TableMeta;

  constructor(binding: SelectBinding, table: T) {
    this.#binding = binding;
    this.#table = writable(table, binding);
  }

  /** One row, or several that are inserted whole or not at all. */
  values(rows: InferInsert<T> | readonly InferInsert<T>[]): Insert<T> {
    const list = (Array.isArray(rows) ? rows : [rows]) as readonly Input[];
    return new Insert(
      this.#binding,
      this.#table,
      list.map((row) => checkedCopy(row, this.#table)),
    );
  }
}

export class Insert<T extends AnyTable> extends Write {
  readonly ast: WriteNode;
  readonly #binding: SelectBinding;
  readonly #table: TableMeta;
  readonly #rows: readonly Input[];

  constructor(
    binding: SelectBinding,
    table: TableMeta,
    rows: readonly Input[],
    onConflict: ConflictNode | null = null,
  ) {
    super(binding);
    this.#binding = binding;
    this.#table = table;
    this.#rows = rows;
    this.ast = { type: "insert", table: table.name, rows, onConflict };
  }

  /** Leaves rows whose id is taken as they are, instead of refusing the statement. */
  onConflictDoNothing(): Insert<T> {
    return this.#with({ do: "nothing" });
  }

  /** Updates rows whose id is taken. */
  onConflictDoUpdate({ set }: { readonly set: UpdateSet<T> }): Insert<T> {
    return this.#with({ do: "update", set: checkedSet(set, this.#table) });
  }

  #with(conflict: ConflictNode): Insert<T> {
    return new Insert(this.#binding, this.#table, this.#rows, conflict);
  }
}

/** An update that does not say yet what it sets. */
export class UpdateStart<T extends AnyTable> {
  readonly #binding: SelectBinding;
  readonly #table: TableMeta;

  constructor(binding: SelectBinding, table: T) {
    this.#binding = binding;
    this.#table = writable(table, binding);
  }

  /** The columns to set; those that are undefined stay as they are. */
  set(patch: UpdateSet<T>): Filtered {
    const set = checkedSet(patch, this.#table);
    return new Filtered(this.#binding, this.#table, (where) => ({
      type: "update",
      table: this.#table.name,
      set,
      where,
    }));
  }
}

/** An update or delete; it needs `where` or `all`. */
export class Filtered extends Write {
  readonly #binding: SelectBinding;
  readonly #table: TableMeta;
  readonly #make: (where: Expr | null) => WriteNode;
  readonly #where: Expr | null;
  readonly #every: boolean;

  constructor(
    binding: SelectBinding,
    table: TableMeta,
    make: (where: Expr | null) => WriteNode,
    condition: { readonly where: Expr | null; readonly every: boolean } = { where: null, every: false },
  ) {
    super(binding);
    this.#binding = binding;
    this.#table = table;
    this.#make = make;
    this.#where = condition.where;
    this.#every = condition.every;
  }

  /** Only rows for which the condition is true. Called again, both must be. */
  where(condition: Expr): Filtered {
    const scope = { tables: [this.#table], outer: null };
    const bound = bindExpr(condition, { scope, place: '"where"', hasSubqueries: true });
    const where: Expr = this.#where === null ? bound : { type: "and", args: [this.#where, bound] };
    return new Filtered(this.#binding, this.#table, this.#make, { where, every: this.#every });
  }

  /** Says that every row is meant. */
  all(): Filtered {
    return new Filtered(this.#binding, this.#table, this.#make, { where: this.#where, every: true });
  }

  /** Throws `query/where-required` when neither `where` nor `all` was called. */
  get ast(): WriteNode {
    const node = this.#make(this.#where);
    if (this.#where === null && !this.#every) {
      throw new PlasmaError("query/where-required", { statement: node.type, table: this.#table.name });
    }
    return node;
  }
}

/** A delete of rows of `table`. */
export function deleteFrom(binding: SelectBinding, table: AnyTable): Filtered {
  const meta = writable(table, binding);
  return new Filtered(binding, meta, (where) => ({ type: "delete", table: meta.name, where }));
}

function writable(table: AnyTable, binding: SelectBinding): TableMeta {
  const meta = tableOf(table, binding.schema);
  if (meta.name !== meta.source)
    throw new PlasmaError("query/unsupported", { what: `Writing to the alias "${meta.name}"` });
  return meta;
}

function checkedSet(patch: Input, meta: TableMeta): Input {
  const set = checkedCopy(patch, meta, (column, value) => {
    if (!isIncrement(value)) return checkValue(column, value);
    checkIncrement(column, value);
    return value;
  });
  if ("id" in set) throw new PlasmaError("data/id-change", { table: meta.name });
  return set;
}

/** A copy whose names and values are checked, so that later changes of the app's object do not reach the statement. */
function checkedCopy(
  record: Input,
  meta: TableMeta,
  check: (column: AnyColumn, value: unknown) => unknown = checkValue,
): Input {
  checkNames(record, meta);
  const copy: { [column: string]: unknown } = {};
  for (const [name, value] of Object.entries(record)) {
    const column = meta.columnsByName.get(name);
    if (column !== undefined && value !== undefined) copy[name] = check(column, value);
  }
  return copy;
}
