// Owns: finishing a query: every name and kind checked against the sources in scope, `colRef`s given their kinds, the order
// made total. What a builder has collected until then is a draft, because a subquery cannot know the query around it.
// Invariants:
//   1. A finished AST has passed every check here; executors make none.
//   2. Names are looked up from the inside out: a subquery's source hides one of the same name outside.

import { PlasmaError } from "../error.ts";
import { must } from "../lib/assert.ts";
import type { TableMeta } from "../schema/table.ts";
import { compareFamily, type Value } from "../schema/value.ts";
import { aggregateKind, checkAggregate } from "./aggregates.ts";
import { isGrouped, termKey, type AggregateNode, type ColumnNode, type Expr, type Operand } from "./ast.ts";
import type { OrderNode, SelectNode, Term } from "./ast.ts";
import { describe, refuseColumn } from "./check-query.ts";
import { isUnresolved } from "./column-node.ts";
import { checkComparison, nameOf, valueNode } from "./expressions.ts";

/** A query that is not finished. */
export interface Draft {
  readonly node: SelectNode;
  /** Of `from` and the joins, in that order. */
  readonly tables: readonly TableMeta[];
  /** The row given to `after`. */
  readonly after: { readonly [key: string]: unknown } | null;
}

/** What the names of an expression can mean. */
export interface Scope {
  readonly tables: readonly TableMeta[];
  /** Joined only later: their names mean nothing yet, and hide those outside. */
  readonly later?: readonly TableMeta[];
  readonly outer: Scope | null;
}

/** What an expression may hold. */
interface Rules {
  readonly scope: Scope;
  /** For the error: `"where"`. */
  readonly place: string;
  readonly hasAggregates?: boolean;
  readonly hasSubqueries?: boolean;
}

const drafts = new WeakMap<SelectNode, Draft>();

/** The node of a draft, for use inside another query's draft. */
export function draftNode(draft: Draft): SelectNode {
  drafts.set(draft.node, draft);
  return draft.node;
}

/** Finishes a query. Throws `query/*` for whatever is wrong with it. */
export function bindSelect({ node, tables, after }: Draft, outer: Scope | null): SelectNode {
  const scope: Scope = { tables, outer };
  const grouped = isGrouped(node);
  const projection =
    node.projection?.map(({ key, column }) => ({ key, column: bindTerm(column, { scope, place: key }) })) ?? null;
  const orderBy = node.orderBy.map(({ column, direction }) => ({
    column: bindTerm(column, { scope, place: "orderBy" }),
    direction,
  }));
  const bound: SelectNode = {
    ...node,
    joins: node.joins.map((join, i) => ({
      ...join,
      on: bindExpr(join.on, {
        scope: { tables: tables.slice(0, i + 2), later: tables.slice(i + 2), outer },
        place: '"on"',
      }),
    })),
    where: node.where === null ? null : bindExpr(node.where, { scope, place: '"where"', hasSubqueries: true }),
    groupBy: node.groupBy.map((column) => ordered(bindColumn(column, scope), "groupBy")),
    having: node.having === null ? null : bindExpr(node.having, { scope, place: '"having"', hasAggregates: true }),
    // Rows that have their ids differ anyway.
    distinct: node.distinct && projection !== null,
    projection,
    orderBy,
    includes: node.includes.map(({ key, query }) => ({ key, query: bindDraft(query, scope) })),
  };
  if (grouped) checkGroups(bound);
  if (bound.distinct) checkDistinct(bound);
  if (bound.includes.length > 0) checkIncludes(bound, tables);
  for (const { column } of orderBy) ordered(column, "orderBy");
  const total = totalOrder(bound, tables, grouped);
  return { ...bound, orderBy: total, after: after === null ? null : total.map(valueAfter(after, bound)) };
}

/** Checks a condition and gives its `colRef`s their kinds. */
export function bindExpr(expr: Expr, rules: Rules): Expr {
  const operand = (node: Operand): Operand => bindOperand(node, rules);
  switch ((expr as Expr | null | undefined)?.type) {
    case "and":
    case "or":
      return {
        ...expr,
        args: (expr as Extract<Expr, { args: unknown }>).args.map((arg) => bindExpr(arg, rules)),
      } as Expr;
    case "not":
      return { type: "not", arg: bindExpr((expr as Extract<Expr, { arg: unknown }>).arg, rules) };
    case "compare": {
      const node = expr as Extract<Expr, { type: "compare" }>;
      const [left, right] = bindPair(node.op, operand(node.left), operand(node.right));
      return { ...node, left, right };
    }
    case "between": {
      const node = expr as Extract<Expr, { type: "between" }>;
      const [of, low] = bindPair("between", operand(node.operand), operand(node.low));
      return { ...node, operand: of, low, high: bindPair("between", of, operand(node.high))[1] };
    }
    case "in": {
      const node = expr as Extract<Expr, { type: "in" }>;
      const of = operand(node.operand);
      const values = node.values.map((value) => bindPair("inArray", of, value)[1] as typeof value);
      return { ...node, operand: of, values };
    }
    case "isNull":
      return {
        ...(expr as Extract<Expr, { type: "isNull" }>),
        operand: operand((expr as { operand: Operand }).operand),
      };
    case "like": {
      const node = expr as Extract<Expr, { type: "like" }>;
      const of = operand(node.operand);
      if (compareFamily(of.kind) !== "text") refuseKinds("like", of, "a text pattern");
      return { ...node, operand: of };
    }
    case "exists":
    case "inQuery":
      return bindSubquery(expr as Extract<Expr, { query: unknown }>, rules);
    default:
      throw new PlasmaError("query/condition", { got: describe(expr) });
  }
}

function bindSubquery(expr: Extract<Expr, { readonly query: SelectNode }>, rules: Rules): Expr {
  if (rules.hasSubqueries !== true)
    throw new PlasmaError("query/unsupported", { what: `A subquery in ${rules.place}` });
  const query = bindDraft(expr.query, rules.scope);
  if (expr.type === "exists") return { ...expr, query };
  const operand = bindOperand(expr.operand, rules);
  const terms = query.projection ?? [];
  const [term] = terms;
  if (term === undefined || terms.length > 1 || query.includes.length > 0)
    throw new PlasmaError("query/in-subquery", { columns: terms.map(({ key }) => key) });
  bindPair(expr.negated ? "notInArray" : "inArray", operand, term.column);
  return { ...expr, operand, query };
}

const bindDraft = (node: SelectNode, outer: Scope): SelectNode =>
  bindSelect(must(drafts.get(node), "bind select: a subquery comes from a builder"), outer);

function bindOperand(node: Operand, rules: Rules): Operand {
  if (node.type === "value") return node;
  if (node.type === "aggregate" && rules.hasAggregates !== true)
    throw new PlasmaError("query/aggregate", { fn: node.fn, place: rules.place });
  return bindTerm(node, rules);
}

function bindTerm(term: Term, { scope }: Rules): Term {
  return term.type === "column" ? bindColumn(term, scope) : bindAggregate(term, scope);
}

function bindAggregate(node: AggregateNode, scope: Scope): AggregateNode {
  if (node.column === null) return node;
  const column = bindColumn(node.column, scope);
  const bound: AggregateNode = { ...node, column, kind: aggregateKind(node.fn, column.kind) };
  checkAggregate(bound);
  return bound;
}

/** Finds the column from the inside out. Throws `query/not-in-from` or `query/unknown-column`. */
function bindColumn(node: ColumnNode, scope: Scope): ColumnNode {
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const meta = at.tables.find(({ name }) => name === node.source);
    if (at.later?.some(({ name }) => name === node.source) === true) break;
    if (meta === undefined) continue;
    const column = meta.columnsByName.get(node.column) ?? refuseColumn(node.column, meta);
    return isUnresolved(node) ? { ...node, kind: column.def.kind } : node;
  }
  const known = scope.tables.map(({ name }) => name);
  throw new PlasmaError("query/not-in-from", { table: node.source, column: node.column, known });
}

/** Two operands that compare; a value takes the kind of the other, which a `colRef` has only now. */
function bindPair(op: string, one: Operand, other: Operand): [Operand, Operand] {
  const [left, right] = [withKindOf(one, other), withKindOf(other, one)];
  checkComparison(op, left, right);
  return [left, right];
}

const withKindOf = (node: Operand, other: Operand): Operand =>
  node.type === "value" && isUnresolved(node) && other.type !== "value" ? valueNode(node.value, other) : node;

function refuseKinds(op: string, left: Operand, right: string): never {
  throw new PlasmaError("query/kinds", { left: nameOf(left), right, op });
}

function ordered<T extends Term>(term: T, op: string): T {
  if (compareFamily(term.kind) !== null) return term;
  if (op !== "orderBy" || term.type === "aggregate") refuseKinds(op, term, "anything");
  throw new PlasmaError("query/order", { table: term.source, column: term.column, kind: term.kind });
}

/** Every column outside an aggregate is one of the group's. */
function checkGroups({ groupBy, having, orderBy, projection }: SelectNode): void {
  if (projection === null) throw new PlasmaError("query/group-projection", {});
  const keys = new Set(groupBy.map(termKey));
  const check = (term: Term, place: string): void => {
    if (term.type === "column" && !keys.has(termKey(term)))
      throw new PlasmaError("query/group", { table: term.source, column: term.column, place, groupBy: [...keys] });
  };
  for (const { key, column } of projection) check(column, `select({ ${key} })`);
  for (const { column } of orderBy) check(column, "orderBy");
  if (having !== null) for (const term of termsOf(having)) check(term, "having");
}

function checkDistinct({ orderBy, projection }: SelectNode): void {
  const keys = new Set((projection ?? []).map(({ column }) => termKey(ordered(column, "distinct"))));
  for (const { column } of orderBy)
    if (!keys.has(termKey(column))) throw new PlasmaError("query/distinct-order", { column: termKey(column) });
}

function checkIncludes(query: SelectNode, tables: readonly TableMeta[]): void {
  if (query.distinct || isGrouped(query))
    throw new PlasmaError("query/unsupported", { what: "include with groups, aggregates or distinct" });
  const own =
    query.projection?.map(({ key }) => key) ??
    (tables.length > 1
      ? tables.map(({ name }) => name)
      : [...must(tables[0], "bind select: a select has a table").columnsByName.keys()]);
  for (const { key } of query.includes) if (own.includes(key)) throw new PlasmaError("query/include-key", { key });
}

/** The terms that a condition reads, subqueries aside. */
export function termsOf(expr: Expr): Term[] {
  switch (expr.type) {
    case "and":
    case "or":
      return expr.args.flatMap(termsOf);
    case "not":
      return termsOf(expr.arg);
    case "compare":
      return [expr.left, expr.right].filter(isTerm);
    case "between":
      return [expr.operand, expr.low, expr.high].filter(isTerm);
    case "exists":
      return [];
    default:
      return [expr.operand].filter(isTerm);
  }
}

export function hasSubquery(expr: Expr): boolean {
  if (expr.type === "and" || expr.type === "or") return expr.args.some(hasSubquery);
  return expr.type === "not" ? hasSubquery(expr.arg) : expr.type === "exists" || expr.type === "inQuery";
}

const isTerm = (operand: Operand): operand is Term => operand.type !== "value";

/** Grouped and distinct rows are told apart by what they show, others by the ids of their sources. */
function totalOrder(query: SelectNode, tables: readonly TableMeta[], grouped: boolean): OrderNode[] {
  const rest: Term[] =
    grouped || query.distinct
      ? (query.projection ?? []).map(({ column }) => column)
      : tables.flatMap((meta) => keyOf(meta));
  const known = new Set(query.orderBy.map(({ column }) => termKey(column)));
  const added = rest.filter((term) => {
    if (compareFamily(term.kind) === null || known.has(termKey(term))) return false;
    known.add(termKey(term));
    return true;
  });
  return [...query.orderBy, ...added.map((column): OrderNode => ({ column, direction: "asc" }))];
}

/** The columns that tell a source's rows apart: the id; of a subquery all. */
const keyOf = (meta: TableMeta): ColumnNode[] =>
  meta.columns
    .filter(({ def }) => def.kind === "id" || meta.isDerived)
    .map(({ def }) => ({ type: "column", source: meta.name, column: def.name, kind: def.kind }));

/** Reads a cursor's value for one term of the order out of a result row. */
function valueAfter(row: { readonly [key: string]: unknown }, query: SelectNode): (order: OrderNode) => Value {
  return ({ column }) => {
    const value = resultValue(row, query, column);
    const name = termKey(column);
    if (value === undefined) throw new PlasmaError("query/after", { column: name });
    return valueNode(value, column).value;
  };
}

function resultValue(row: { readonly [key: string]: unknown }, query: SelectNode, term: Term): unknown {
  if (query.projection !== null) {
    const key = query.projection.find(({ column }) => termKey(column) === termKey(term))?.key;
    return key === undefined ? undefined : row[key];
  }
  if (term.type === "aggregate") return undefined;
  if (query.joins.length === 0) return row[term.column];
  const source = row[term.source] as { readonly [column: string]: unknown } | null | undefined;
  return source === null ? null : source?.[term.column];
}
