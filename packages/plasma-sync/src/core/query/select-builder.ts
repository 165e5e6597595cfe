// Owns: the select builder: typed, immutable (each call returns a new one), checked while it is built.

import { PlasmaError } from "../error.ts";
import { must } from "../lib/assert.ts";
import type { AnyColumn, Column } from "../schema/column.ts";
import { checkName } from "../schema/check-table.ts";
import type { AnyTable, InferRow, NameOf, TableMeta } from "../schema/table.ts";
import type { AnySchema } from "../schema/schema.ts";
import type { Aggregate, AnyAggregate } from "./aggregates.ts";
import type { ColumnNode, Expr, JoinKind, JoinNode, OrderNode, ResultRow, SelectNode, SourceNode } from "./ast.ts";
import { bindSelect, draftNode, type Draft } from "./bind-select.ts";
import { describe, tableOf } from "./check-query.ts";
import { columnNode } from "./column-node.ts";
import { derivedTable } from "./derived-table.ts";
import { asc, subqueryNode, termNode, type Subquery } from "./expressions.ts";
import type { LiveQuery } from "./live-query.ts";
import type { QueryEngine, QueryExplanation } from "./query-engine.ts";
import { selectWhere } from "./select-where.ts";

export type Projection = { readonly [key: string]: AnyColumn | AnyAggregate };
/** Selects by the key that their rows get in each row. */
export type Includes = { readonly [key: string]: AnySelect };
type SourceMap = { readonly [name: string]: object | null };

type Projected<C, S> =
  C extends Aggregate<infer D, infer N>
    ? D | (N extends false ? null : never)
    : C extends Column<infer D, infer N, boolean, infer T>
      ? D | (N extends false ? null : never) | (T extends keyof S ? Extract<S[T], null> : never)
      : never;
type Simplify<T> = { [K in keyof T]: T[K] } & {};
type Nullable<S> = { readonly [K in keyof S]: S[K] | null };
type Included<Q> =
  Q extends Select<infer P, infer S, infer J, infer I, infer One>
    ? One extends true
      ? SelectResult<P, S, J, I> | null
      : readonly SelectResult<P, S, J, I>[]
    : never;
type PlainResult<P, S extends SourceMap, Joined extends boolean> = P extends Projection
  ? { readonly [K in keyof P]: Projected<P[K], S> }
  : Joined extends true
    ? Simplify<S>
    : S[keyof S];
/** The rows that a select returns; see SelectNode. */
export type SelectResult<P, S extends SourceMap, Joined extends boolean, I> = keyof I extends never
  ? PlainResult<P, S, Joined>
  : Simplify<PlainResult<P, S, Joined> & { readonly [K in keyof I]: Included<I[K]> }>;
/** What awaiting a select gives: its rows, or after `one()` the first row or null. */
export type SelectAnswer<R, One extends boolean> = One extends true ? R | null : R[];

/** Where a select runs; null for one that is bound to no database. */
export interface SelectBinding {
  readonly schema: AnySchema;
  readonly engine: QueryEngine;
}

interface SelectState extends Draft {
  readonly binding: SelectBinding | null;
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
    const meta = tableOf(table, this.#binding?.schema ?? null);
    return this.#start(sourceOf(meta), meta);
  }

  /**
   * Rows come from another select, whose columns `colRef(alias, key)` names.
   *
   * @throws PlasmaError `query/subquery-rows` for a select with joined or nested rows.
   */
  fromSubquery<Q extends AnySelect, const Name extends string>(
    query: Q,
    alias: Name,
  ): Select<P, { readonly [K in Name]: RowOf<Q> }, false> {
    const node = query.ast;
    if (node.includes.length > 0 || (node.joins.length > 0 && node.projection === null))
      throw new PlasmaError("query/subquery-rows", { alias });
    checkName("alias", alias);
    const meta = derivedTable(alias, node, query.firstTable);
    return this.#start({ name: alias, table: "", query: node }, meta);
  }

  #start<S extends SourceMap>(from: SourceNode, meta: TableMeta): Select<P, S, false> {
    const projection = this.#projection;
    return new Select({
      binding: this.#binding,
      tables: [meta],
      after: null,
      node: {
        ...selectWhere(from.table, null),
        from,
        orderBy: [],
        projection:
          projection === null
            ? null
            : Object.entries(projection).map(([key, term]) => ({ key, column: termNode(term, `select({ ${key} })`) })),
      },
    });
  }
}

/** A select; awaiting it runs it. */
export class Select<
  P extends Projection | undefined,
  S extends SourceMap,
  Joined extends boolean,
  I = unknown,
  One extends boolean = false,
>
  implements PromiseLike<SelectAnswer<SelectResult<P, S, Joined, I>, One>>, Subquery<SelectResult<P, S, Joined, I>>
{
  declare readonly _row?: SelectResult<P, S, Joined, I>;
  readonly #state: SelectState;
  #ast: SelectNode | null = null;
  #draft: SelectNode | null = null;

  constructor(state: SelectState) {
    this.#state = state;
  }

  /** Rows of both tables where `on` is true. `on` may be left out where exactly one ref links the tables. */
  innerJoin<T extends AnyTable>(
    table: T,
    on?: Expr,
  ): Select<P, S & { readonly [K in NameOf<T>]: InferRow<T> }, true, I, One> {
    return this.#join("inner", table, on);
  }

  /** As `innerJoin`, and rows without a match, with null for the joined table. */
  leftJoin<T extends AnyTable>(
    table: T,
    on?: Expr,
  ): Select<P, S & { readonly [K in NameOf<T>]: InferRow<T> | null }, true, I, One> {
    return this.#join("left", table, on);
  }

  /** As `innerJoin`, and rows of the joined table without a match, with null for the tables before it. */
  rightJoin<T extends AnyTable>(
    table: T,
    on?: Expr,
  ): Select<P, Nullable<S> & { readonly [K in NameOf<T>]: InferRow<T> }, true, I, One> {
    return this.#join("right", table, on);
  }

  /** As `innerJoin`, and rows of either side without a match, with null for the other. */
  fullJoin<T extends AnyTable>(
    table: T,
    on?: Expr,
  ): Select<P, Nullable<S> & { readonly [K in NameOf<T>]: InferRow<T> | null }, true, I, One> {
    return this.#join("full", table, on);
  }

  /** Only rows for which the condition is true. Called again, both must be. Undefined adds nothing. */
  where(condition: Expr | undefined): Select<P, S, Joined, I, One> {
    return this.#with({ where: both(this.#state.node.where, condition) });
  }

  /** One row for each combination of values of these columns; the projection shows them and aggregates. */
  groupBy(...columns: readonly AnyColumn[]): Select<P, S, Joined, I, One> {
    const nodes = columns.map((column) => columnNode(column, "groupBy"));
    return this.#with({ groupBy: [...this.#state.node.groupBy, ...nodes] });
  }

  /** Only groups for which the condition is true: `having(gt(count(), 3))`. */
  having(condition: Expr | undefined): Select<P, S, Joined, I, One> {
    return this.#with({ having: both(this.#state.node.having, condition) });
  }

  /** Rows that show the same are one row. */
  distinct(): Select<P, S, Joined, I, One> {
    return this.#with({ distinct: true });
  }

  /** The order of the rows; ties fall back to the primary keys. */
  orderBy(...orders: readonly (OrderNode | AnyColumn | AnyAggregate)[]): Select<P, S, Joined, I, One> {
    const nodes = orders.map((order) => (isOrder(order) ? order : asc(order)));
    return this.#with({ orderBy: [...this.#state.node.orderBy, ...nodes] });
  }

  /** Only rows that come after this one in the query's order: a row of this query, there still or not. */
  after(row: SelectResult<P, S, Joined, unknown>): Select<P, S, Joined, I, One> {
    // From plain JavaScript anything can come.
    if (typeof row !== "object" || (row as object | null) === null)
      throw new PlasmaError("query/after", { column: describe(row) });
    return new Select({ ...this.#state, after: row as ResultRow });
  }

  /** At most so many rows. */
  limit(count: number): Select<P, S, Joined, I, One> {
    return this.#with({ limit: wholeNumber("limit", count) });
  }

  /** Leaves out so many rows at the beginning. */
  offset(count: number): Select<P, S, Joined, I, One> {
    return this.#with({ offset: wholeNumber("offset", count) });
  }

  /** The first row or null, instead of a list. A live query still delivers a list, of one row or none. */
  one(): Select<P, S, Joined, I, true> {
    return this.#with({ limit: Math.min(1, this.#state.node.limit ?? 1), one: true });
  }

  /**
   * Gives each row the rows of other selects, whose conditions name columns of this query; with order and limit for each row.
   *
   * @example
   * db.select().from(issues).include({
   *   comments: db.select().from(comments).where(eq(comments.issueId, issues.id)).orderBy(desc(comments.at)).limit(3),
   *   author: db.select().from(users).where(eq(users.id, issues.authorId)).one(),
   * });
   */
  include<const N extends Includes>(selects: N): Select<P, S, Joined, I & N, One> {
    const { includes } = this.#state.node;
    const added = Object.entries(selects).map(([key, select]) => ({ key, query: subqueryNode(select) }));
    for (const { key } of added)
      if (includes.some((other) => other.key === key)) throw new PlasmaError("query/include-key", { key });
    return this.#with({ includes: [...includes, ...added] });
  }

  /** The query as plain data. Throws when a column belongs to a table that is not in the query. */
  get ast(): SelectNode {
    return (this.#ast ??= bindSelect(this.#state, null));
  }

  asSubquery(): SelectNode {
    return (this.#draft ??= draftNode(this.#state));
  }

  /** The table of `from`. */
  get firstTable(): TableMeta {
    return must(this.#state.tables[0], "select: a select has a table");
  }

  /** A live query of this select. Throws `query/unbound` or `query/unsupported` where nothing can be live. */
  live(): LiveQuery<SelectResult<P, S, Joined, I>> {
    const { engine } = this.#bound();
    if (engine.live === undefined)
      throw new PlasmaError("query/unsupported", { what: "live() inside a mutator or on the server" });
    return engine.live(this.ast) as LiveQuery<never>;
  }

  /**
   * Says where this select's rows come from and how many are touched to get them, on the device as it is now. Throws
   * `query/unbound` or `query/unsupported` where nothing can say.
   *
   * @example
   * console.log(client.db.select().from(todos).where(eq(todos.ownerId, me)).explain().steps.join("\n"));
   */
  explain(): QueryExplanation {
    const { engine } = this.#bound();
    if (engine.explain === undefined)
      throw new PlasmaError("query/unsupported", { what: "explain() inside a mutator or on the server" });
    return engine.explain(this.ast);
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a select is what runs it
  then<A = SelectAnswer<SelectResult<P, S, Joined, I>, One>, B = never>(
    onfulfilled?: ((answer: SelectAnswer<SelectResult<P, S, Joined, I>, One>) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#run().then(onfulfilled as (answer: unknown) => A | PromiseLike<A>, onrejected);
  }

  async #run(): Promise<unknown> {
    const rows = await this.#bound().engine.select(this.ast);
    return this.#state.node.one ? (rows[0] ?? null) : rows;
  }

  #bound(): SelectBinding {
    if (this.#state.binding === null) throw new PlasmaError("query/unbound", {});
    return this.#state.binding;
  }

  #with<O extends boolean, I2 = I>(more: Partial<SelectNode>): Select<P, S, Joined, I2, O> {
    return new Select({ ...this.#state, node: { ...this.#state.node, ...more } });
  }

  #join<S2 extends SourceMap>(kind: JoinKind, table: AnyTable, on: Expr | undefined): Select<P, S2, true, I, One> {
    const { binding, tables, node } = this.#state;
    const meta = tableOf(table, binding?.schema ?? null);
    if (tables.some(({ name }) => name === meta.name))
      throw new PlasmaError("query/duplicate-source", { table: meta.name });
    const join: JoinNode = { kind, source: sourceOf(meta), on: on ?? linkOf(meta, tables) };
    return new Select({ ...this.#state, tables: [...tables, meta], node: { ...node, joins: [...node.joins, join] } });
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- any select whatsoever, as a constraint
export type AnySelect = Select<any, any, any, any, any>;
type RowOf<Q> =
  Q extends Select<infer P, infer S, infer J, infer I, boolean>
    ? // Not `& object`: editors show this type.
      SelectResult<P, S, J, I> extends infer R extends object
      ? R
      : never
    : never;

/** A select that is bound to no database: for subqueries. */
export function select(): SelectStart<undefined>;
export function select<const P extends Projection>(projection: P): SelectStart<P>;
export function select(projection?: Projection): SelectStart<Projection | undefined> {
  return new SelectStart(null, projection);
}

const sourceOf = (meta: TableMeta): SourceNode => ({ name: meta.name, table: meta.source });

const isOrder = (order: OrderNode | AnyColumn | AnyAggregate): order is OrderNode =>
  (order as OrderNode | undefined)?.direction !== undefined;

function both(one: Expr | null, other: Expr | undefined): Expr | null {
  if (other === undefined) return one;
  // Null stands for no condition inside; from plain JavaScript it is a mistake.
  if ((other as Expr | null)?.type === undefined) throw new PlasmaError("query/condition", { got: describe(other) });
  return one === null ? other : { type: "and", args: [one, other] };
}

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
  return { type: "compare", op: "eq", left: nodeOf(child), right: nodeOf(parentID) };
}

const nodeOf = (column: AnyColumn): ColumnNode => columnNode(column, "join");

const refsTo = (parent: TableMeta, child: TableMeta): [AnyColumn, TableMeta][] =>
  child.columns.filter(({ def }) => def.ref?.column().def.table === parent.source).map((column) => [column, parent]);
