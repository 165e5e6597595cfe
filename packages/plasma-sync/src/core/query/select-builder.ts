// Owns: the select builder: typed, immutable (each call returns a new one), checked while it is built.

import { PlasmaError } from "../error.ts";
import { assert, must } from "../lib/assert.ts";
import type { AnyColumn, Column } from "../schema/column.ts";
import type { AnyTable, InferRow, NameOf, TableMeta } from "../schema/table.ts";
import type { AnySchema } from "../schema/schema.ts";
import type { ColumnNode, Expr, JoinNode, OrderNode, ResultRow, SelectNode, SourceNode } from "./ast.ts";
import { checkColumn, checkCondition, tableOf } from "./check-query.ts";
import { asc, columnNode } from "./expressions.ts";
import type { LiveQuery } from "./live-query.ts";
import type { QueryEngine } from "./query-engine.ts";

export type Projection = { readonly [key: string]: AnyColumn };
type SourceMap = { readonly [name: string]: object | null };

type Projected<C, S> =
  C extends Column<infer D, infer N, boolean, infer T>
    ? D | (N extends false ? null : never) | (T extends keyof S ? Extract<S[T], null> : never)
    : never;
type Simplify<T> = { [K in keyof T]: T[K] } & {};
/** The rows that a select returns; see SelectNode. */
export type SelectResult<P, S extends SourceMap, Joined extends boolean> = P extends Projection
  ? { readonly [K in keyof P]: Projected<P[K], S> }
  : Joined extends true
    ? Simplify<S>
    : S[keyof S];

/** Where a select runs; null for one that is bound to no database. */
export interface SelectBinding {
  readonly schema: AnySchema;
  readonly engine: QueryEngine;
}

interface SelectState {
  readonly binding: SelectBinding | null;
  readonly projection: Projection | null;
  readonly tables: readonly TableMeta[];
  readonly joins: readonly JoinNode[];
  readonly where: Expr | null;
  readonly orderBy: readonly OrderNode[];
  readonly limit: number | null;
  readonly offset: number;
}

/** A select that has no table yet. */
export class SelectStart<P extends Projection | undefined> {
  readonly #binding: SelectBinding | null;
  readonly #projection: Projection | null;

  constructor(binding: SelectBinding | null, projection: P) {
    this.#binding = binding;
    this.#projection = projection ?? null;
  }

  /** The table that rows come from. */
  from<T extends AnyTable>(table: T): Select<P, { readonly [K in NameOf<T>]: InferRow<T> }, false> {
    const tables = [tableOf(table, this.#binding?.schema ?? null)];
    return new Select({
      binding: this.#binding,
      projection: this.#projection,
      tables,
      joins: [],
      where: null,
      orderBy: [],
      limit: null,
      offset: 0,
    });
  }
}

/** A select; awaiting it runs it. */
export class Select<
  P extends Projection | undefined,
  S extends SourceMap,
  Joined extends boolean,
> implements PromiseLike<SelectResult<P, S, Joined>[]> {
  readonly #state: SelectState;
  #ast: SelectNode | null = null;

  constructor(state: SelectState) {
    this.#state = state;
  }

  /** Rows of both tables where `on` is true. `on` may be left out where exactly one ref links the tables. */
  innerJoin<T extends AnyTable>(table: T, on?: Expr): Select<P, S & { readonly [K in NameOf<T>]: InferRow<T> }, true> {
    return this.#join("inner", table, on);
  }

  /** As `innerJoin`, and rows without a match, with null for the joined table. */
  leftJoin<T extends AnyTable>(
    table: T,
    on?: Expr,
  ): Select<P, S & { readonly [K in NameOf<T>]: InferRow<T> | null }, true> {
    return this.#join("left", table, on);
  }

  /** Only rows for which the condition is true. Called again, both must be. Undefined adds nothing. */
  where(condition: Expr | undefined): Select<P, S, Joined> {
    if (condition === undefined) return this;
    // Null stands for no condition inside; from plain JavaScript it is a mistake.
    if ((condition as Expr | null) === null) throw new PlasmaError("query/condition", { got: "null" });
    const { where } = this.#state;
    return this.#with({ where: where === null ? condition : { type: "and", args: [where, condition] } });
  }

  /** The order of the rows; ties fall back to the primary keys. */
  orderBy(...orders: readonly (OrderNode | AnyColumn)[]): Select<P, S, Joined> {
    const nodes = orders.map((order) => (isOrder(order) ? order : asc(order)));
    return this.#with({ orderBy: [...this.#state.orderBy, ...nodes] });
  }

  /** At most so many rows. */
  limit(count: number): Select<P, S, Joined> {
    return this.#with({ limit: wholeNumber("limit", count) });
  }

  /** Leaves out so many rows at the beginning. */
  offset(count: number): Select<P, S, Joined> {
    return this.#with({ offset: wholeNumber("offset", count) });
  }

  /** The query as plain data. Throws when a column belongs to a table that is not in the query. */
  get ast(): SelectNode {
    return (this.#ast ??= finish(this.#state));
  }

  /** A live query of this select. Throws `query/unbound` or `query/unsupported` where nothing can be live. */
  live(): LiveQuery<SelectResult<P, S, Joined>> {
    const { engine } = this.#bound();
    if (engine.live === undefined)
      throw new PlasmaError("query/unsupported", { what: "live() inside a mutator or on the server" });
    return engine.live(this.ast) as LiveQuery<never>;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a select is what runs it
  then<A = SelectResult<P, S, Joined>[], B = never>(
    onfulfilled?: ((rows: SelectResult<P, S, Joined>[]) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#run().then(onfulfilled as (rows: readonly ResultRow[]) => A | PromiseLike<A>, onrejected);
  }

  async #run(): Promise<readonly ResultRow[]> {
    return this.#bound().engine.select(this.ast);
  }

  #bound(): SelectBinding {
    if (this.#state.binding === null) throw new PlasmaError("query/unbound", {});
    return this.#state.binding;
  }

  #with(more: Partial<SelectState>): Select<P, S, Joined> {
    return new Select({ ...this.#state, ...more });
  }

  #join<S2 extends SourceMap>(kind: JoinNode["kind"], table: AnyTable, on: Expr | undefined): Select<P, S2, true> {
    const { binding, tables, joins } = this.#state;
    const meta = tableOf(table, binding?.schema ?? null);
    if (tables.some(({ name }) => name === meta.name))
      throw new PlasmaError("query/duplicate-source", { table: meta.name });
    const join: JoinNode = { kind, source: sourceOf(meta), on: on ?? linkOf(meta, tables) };
    return new Select({ ...this.#state, tables: [...tables, meta], joins: [...joins, join] });
  }
}

/** A select that is bound to no database: for subqueries. */
export function select(): SelectStart<undefined>;
export function select<const P extends Projection>(projection: P): SelectStart<P>;
export function select(projection?: Projection): SelectStart<Projection | undefined> {
  return new SelectStart(null, projection);
}

const sourceOf = (meta: TableMeta): SourceNode => ({ name: meta.name, table: meta.source });

const isOrder = (order: OrderNode | AnyColumn): order is OrderNode =>
  (order as OrderNode | undefined)?.direction !== undefined;

function wholeNumber(what: string, count: number): number {
  if (!Number.isSafeInteger(count) || count < 0) throw new PlasmaError("query/limit", { what, got: String(count) });
  return count;
}

/** The condition of a join without `on`: the one ref between the joined table and those before it. */
function linkOf(joined: TableMeta, tables: readonly TableMeta[]): Expr {
  const links: [AnyColumn, TableMeta][] = tables.flatMap((other) => [
    ...refsTo(other, joined),
    ...refsTo(joined, other),
  ]);
  const link = links[0];
  if (link === undefined || links.length > 1)
    throw new PlasmaError("query/join-on", { table: joined.name, found: links.length });
  const [child, parent] = link;
  const parentID = must(parent.columnsByName.get("id"), "select: every table has an id");
  return { type: "compare", op: "eq", left: columnNode(child, "join"), right: columnNode(parentID, "join") };
}

const refsTo = (parent: TableMeta, child: TableMeta): [AnyColumn, TableMeta][] =>
  child.columns.filter(({ def }) => def.ref?.column().def.table === parent.source).map((column) => [column, parent]);

/** The finished AST: columns checked against the sources, the order made total. */
function finish(state: SelectState): SelectNode {
  const { tables, joins, where, orderBy, limit, offset, projection } = state;
  const [from] = tables;
  assert(from !== undefined, "select: a select has a table");
  joins.forEach((join, i) => checkCondition(join.on, tables.slice(0, i + 2)));
  if (where !== null) checkCondition(where, tables);
  for (const { column } of orderBy) checkColumn(column, tables);
  return {
    type: "select",
    from: sourceOf(from),
    joins,
    where,
    orderBy: totalOrder(orderBy, tables),
    limit,
    offset,
    projection:
      projection === null ? null : Object.entries(projection).map(([key, column]) => projected(key, column, tables)),
  };
}

function projected(key: string, column: AnyColumn, tables: readonly TableMeta[]): { key: string; column: ColumnNode } {
  const node = columnNode(column, `select({ ${key} })`);
  checkColumn(node, tables);
  return { key, column: node };
}

function totalOrder(orderBy: readonly OrderNode[], tables: readonly TableMeta[]): OrderNode[] {
  const has = (name: string) => orderBy.some(({ column }) => column.source === name && column.column === "id");
  const keys = tables
    .filter(({ name }) => !has(name))
    .map(({ name }): OrderNode => {
      return { column: { type: "column", source: name, column: "id", kind: "id" }, direction: "asc" };
    });
  return [...orderBy, ...keys];
}
