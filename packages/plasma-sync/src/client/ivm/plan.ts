// Owns: planQuery: how a select is executed on sources: in which order they are joined, where rows of the first come from,
// how each join is looked up, and at which stage each part of the condition is tested.
// Invariants:
//   1. Tuples begin with the rows of the queries around (`base` slots), then have one row per own source.
//   2. Access and links only narrow; the whole condition is tested, but for the equality that `link.isCovered` says the access
//      tests.
//   3. A part of `where` is tested as soon as its sources are there, but never before a right or full join: those show rows
//      that it would leave unmatched.

import { must } from "../../core/lib/assert.ts";
import type { ColumnNode, Expr, JoinKind, Operand, SelectNode } from "../../core/query/ast.ts";
import { isGrouped } from "../../core/query/ast.ts";
import { tableOfSource } from "../../core/query/derived-table.ts";
import { compileExpr, slotScope, type Slots } from "../../core/query/predicate.ts";
import { queryKey } from "../../core/query/query-key.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Value } from "../../core/schema/value.ts";
import { planAccess, type Access, type OuterEquality, type PlannedSource } from "./plan-access.ts";
import { lookupSpec } from "./row-order.ts";
import { conjunctsOf, freeColumns, namesIn, subqueriesOf } from "./source-names.ts";
import { keyColumnOf, type IndexSpec } from "./source.ts";

/** An equality of a join: rows match only where the column of an earlier slot equals the column of the joined row. */
export interface JoinLink {
  /** Among the query's own. */
  readonly slot: number;
  readonly column: string;
  readonly spec: IndexSpec;
  readonly joinedColumn: string;
  readonly joinedSpec: IndexSpec;
}

export interface JoinPlan {
  readonly kind: JoinKind;
  readonly on: (rows: Slots) => boolean;
  /** Null: every row has to be tried. */
  readonly link: JoinLink | null;
}

/** An equality between a row of this query and one of a query around: finds the places that an entry belongs to. */
export interface OuterLink {
  /** Among the query's own. */
  readonly slot: number;
  readonly column: string;
  readonly readOuter: (outer: Slots) => Value;
  readonly outer: ColumnNode;
  /** Whether the access finds only entries for which it is true. */
  readonly isCovered: boolean;
}

export interface QueryPlan {
  readonly query: SelectNode;
  readonly schema: AnySchema;
  /** Names of the sources of the queries around. */
  readonly outer: readonly string[];
  /** `outer`, then own ones in the order in which they are joined. */
  readonly names: readonly string[];
  readonly sources: readonly PlannedSource[];
  readonly access: Access;
  /** `joins[i]` adds own slot i + 1. */
  readonly joins: readonly JoinPlan[];
  /** By own slot: tested when the slot has been added; null passes all. */
  readonly filters: readonly (((rows: Slots) => boolean) | null)[];
  /** Parts of `where` with subqueries that depend on nothing around. */
  readonly subqueries: readonly Expr[];
  /** Parts of `where` that name sources around; tested where those are known. */
  readonly bound: ((rows: Slots) => boolean) | null;
  /** Those among them with subqueries. */
  readonly boundSubqueries: readonly Expr[];
  readonly link: OuterLink | null;
  /** Whether tuples can begin with a joined row that no other matches: with right and full joins. */
  readonly hasUnmatched: boolean;
  /** Whether tuples cannot be joined without the rows around: then nothing is known of changes but that there are some. */
  readonly isOpaque: boolean;
}

interface Step {
  readonly source: PlannedSource;
  readonly kind: JoinKind;
  readonly on: readonly Expr[];
}

/** Plans a select; `outer` names the sources of the queries around it. */
export function planQuery(query: SelectNode, schema: AnySchema, outer: readonly string[] = []): QueryPlan {
  const around = new Set(outer);
  const own = [query.from, ...query.joins.map(({ source }) => source)];
  for (const { name } of own) around.delete(name);
  const isBound = (expr: Expr): boolean => namesIn(expr).some((name) => around.has(name));
  const where = conjunctsOf(query.where);
  const { steps, moved } = arrange(query, where, { schema, isBound });
  const conjuncts = [...where, ...moved];
  const sources = steps.map(({ source }) => source);
  const names = [...outer, ...sources.map(({ name }) => name)];
  const free = conjuncts.filter((expr) => !isBound(expr) && subqueriesOf(expr).length === 0);
  const correlated = conjuncts.filter(isBound);
  const isOuterJoined = steps.some(({ kind }) => kind === "right" || kind === "full");
  const equal = correlated.map((expr) => equalityOf(expr, sources, around)).filter((link) => link !== null);
  const first = must(sources[0], "plan: a select has a source");
  const access: Access = isOuterJoined
    ? { type: "scan" }
    : planAccess({ query, where: free, first, equal: equal.filter(({ slot }) => slot === 0), names: outer });
  const covered = equal.find(({ slot, own: { column } }) => slot === 0 && access.covers?.includes(column));
  const found = covered ?? equal[0];
  const bound = correlated.filter((expr) => expr !== covered?.expr && subqueriesOf(expr).length === 0);
  const lastOuterJoin = steps.findLastIndex(({ kind }) => kind === "right" || kind === "full");
  return {
    query,
    schema,
    outer,
    names,
    sources,
    access,
    joins: steps.slice(1).map(({ kind, on }, i) => ({
      kind,
      on: compileTest(on, names),
      link: joinLinkOf(on, sources, i + 1),
    })),
    filters: sources.map((_, slot) => {
      const args = free.filter((expr) => Math.max(lastSlotOf(expr, sources), lastOuterJoin) === slot);
      return args.length === 0 ? null : compileTest(args, names);
    }),
    subqueries: conjuncts.filter((expr) => !isBound(expr) && subqueriesOf(expr).length > 0),
    bound: bound.length === 0 ? null : compileTest(bound, names),
    boundSubqueries: correlated.filter((expr) => subqueriesOf(expr).length > 0),
    link:
      found === undefined
        ? null
        : {
            slot: found.slot,
            column: found.own.column,
            outer: found.outer,
            readOuter: slotScope(outer).read(found.outer),
            isCovered: found === covered,
          },
    hasUnmatched: isOuterJoined,
    isOpaque: steps.some(({ on }) => on.some(isBound)),
  };
}

/** Whether a query's rows are the tuples that its relation finds: nothing is grouped, left out or cut off. */
export const isPlainRelation = (query: SelectNode): boolean =>
  !isGrouped(query) && query.after === null && query.offset === 0 && query.limit === null;

/** The query without what does not matter to whether it has a row. */
export const forExistence = (query: SelectNode): SelectNode =>
  isPlainRelation({ ...query, limit: null }) && query.limit !== 0 ? { ...query, limit: null, orderBy: [] } : query;

interface ArrangeScope {
  readonly schema: AnySchema;
  readonly isBound: (expr: Expr) => boolean;
}

/**
 * The order of the joins. Inner joins alone may come in any order: they begin where fewest rows are read. A right join that
 * comes first is a left join the other way round. `moved` are conditions of joins that `where` can test as well.
 */
function arrange(query: SelectNode, where: readonly Expr[], scope: ArrangeScope): { steps: Step[]; moved: Expr[] } {
  const plannedOf = ({ name, table, query: subquery }: SelectNode["from"]): PlannedSource => ({
    name,
    meta: tableOfSource({ name, table, ...(subquery && { query: subquery }) }, scope.schema),
    table: subquery === undefined ? table : derivedName(subquery),
    query: subquery ?? null,
  });
  const first = plannedOf(query.from);
  const joins = query.joins.map(({ kind, source, on }): Step => ({
    kind,
    source: plannedOf(source),
    on: conjunctsOf(on),
  }));
  const isInner = joins.every(({ kind }) => kind === "inner");
  const canMove = joins.every(({ kind }) => kind === "inner" || kind === "left");
  const moved = canMove ? joins.flatMap(({ kind, on }) => (kind === "inner" ? on.filter(scope.isBound) : [])) : [];
  const rest = joins.map((step) => ({ ...step, on: step.on.filter((expr) => !moved.includes(expr)) }));
  const head: Step = { source: first, kind: "inner", on: [] };
  if (isInner && rest.length > 0) return { steps: innerOrder([head, ...rest], [...where, ...moved]), moved };
  const [second, ...others] = rest;
  if (second?.kind !== "right") return { steps: [head, ...rest], moved };
  return {
    steps: [
      { source: second.source, kind: "inner", on: [] },
      { source: first, kind: "left", on: second.on },
      ...others,
    ],
    moved,
  };
}

/** Begins at the first source that an id or the like pins, else at the first of all, and follows the joins' equalities. */
function innerOrder(steps: readonly Step[], where: readonly Expr[]): Step[] {
  const own = steps.map(({ source }) => source.name);
  const start = steps.findIndex(({ source }) => isPinned(source, where, own));
  if (start <= 0) return [...steps];
  const pool = steps.flatMap(({ on }) => on);
  const left = [...steps];
  const order = left.splice(start, 1);
  while (left.length > 0) {
    const names = order.map(({ source }) => source.name);
    const isLinked = ({ source: { name } }: Step): boolean =>
      pool
        .map(namesIn)
        .some((used) => used.includes(name) && used.every((other) => other === name || names.includes(other)));
    const next = Math.max(0, left.findIndex(isLinked));
    order.push(...left.splice(next, 1));
  }
  const names = order.map(({ source }) => source.name);
  const lastOf = (expr: Expr): number => Math.max(0, ...namesIn(expr).map((name) => names.indexOf(name)));
  return order.map(({ source }, slot) => ({
    source,
    kind: "inner",
    on: pool.filter((expr) => Math.max(1, lastOf(expr)) === slot),
  }));
}

/** Whether `where` names the row: its id or a unique column equals a value, or a column of a query around. */
function isPinned({ name, meta }: PlannedSource, where: readonly Expr[], own: readonly string[]): boolean {
  const unique = ["id", ...meta.unique.flatMap((columns) => (columns.length === 1 ? columns : []))];
  const isKey = (node: Operand): boolean =>
    node.type === "column" && node.source === name && unique.includes(node.column);
  const isKnown = (node: Operand): boolean =>
    node.type === "value" || (node.type === "column" && !own.includes(node.source));
  return where.some((expr) => {
    if (expr.type === "in") return !expr.negated && isKey(expr.operand);
    if (expr.type !== "compare" || expr.op !== "eq") return false;
    return (isKey(expr.left) && isKnown(expr.right)) || (isKey(expr.right) && isKnown(expr.left));
  });
}

/** How states call the result of a subquery: equal for equal subqueries. */
export const derivedName = (query: SelectNode): string => `(${queryKey(query)})`;

/** A complex subquery that depends on nothing around, as a plain select over its result. */
export function simplified(query: SelectNode): SelectNode {
  const isSimple = isPlainRelation(query) || freeColumns(query).length > 0 || query.projection === null;
  if (isSimple) return query;
  const name = "";
  const projection = must(query.projection, "plan: tested above").map(({ key, column }) => ({
    key,
    column: { type: "column", source: name, column: key, kind: column.kind } as const,
  }));
  return {
    type: "select",
    from: { name, table: "", query },
    joins: [],
    where: null,
    groupBy: [],
    having: null,
    distinct: false,
    orderBy: [],
    after: null,
    limit: null,
    offset: 0,
    projection,
    includes: [],
    one: false,
  };
}

export function compileTest(conjuncts: readonly Expr[], names: readonly string[]): (rows: Slots) => boolean {
  const [only] = conjuncts;
  const expr: Expr = only !== undefined && conjuncts.length === 1 ? only : { type: "and", args: conjuncts };
  const test = compileExpr(expr, slotScope(names));
  return (rows) => test(rows) === true;
}

/** The last own slot that an expression reads; 0 when it reads none. */
const lastSlotOf = (expr: Expr, sources: readonly PlannedSource[]): number =>
  Math.max(0, ...namesIn(expr).map((name) => sources.findIndex((source) => source.name === name)));

/** The expression as an equality of an own column with one of a query around; bytes are no keys. */
function equalityOf(expr: Expr, sources: readonly PlannedSource[], around: ReadonlySet<string>): OuterEquality | null {
  if (expr.type !== "compare" || expr.op !== "eq") return null;
  const { left, right } = expr;
  if (left.type !== "column" || right.type !== "column" || left.kind === "blob") return null;
  const [own, outer] = around.has(right.source) ? [left, right] : [right, left];
  const slot = sources.findIndex(({ name }) => name === own.source);
  return slot < 0 || !around.has(outer.source) ? null : { expr, slot, own, outer };
}

/** The first equality of `on` between the joined slot and an earlier one. */
function joinLinkOf(on: readonly Expr[], sources: readonly PlannedSource[], joined: number): JoinLink | null {
  const slotOf = ({ source }: ColumnNode): number => sources.findIndex(({ name }) => name === source);
  const specOf = (slot: number, column: string): IndexSpec =>
    lookupSpec(column, keyColumnOf(must(sources[slot], "plan: slots are of sources").meta));
  for (const expr of on) {
    if (expr.type !== "compare" || expr.op !== "eq") continue;
    if (expr.left.type !== "column" || expr.right.type !== "column") continue;
    const [own, other] = slotOf(expr.left) === joined ? [expr.left, expr.right] : [expr.right, expr.left];
    const slot = slotOf(other);
    if (slotOf(own) !== joined || slot < 0 || slot >= joined) continue;
    return {
      slot,
      column: other.column,
      spec: specOf(slot, other.column),
      joinedColumn: own.column,
      joinedSpec: specOf(joined, own.column),
    };
  }
  return null;
}
