// Owns: the functions that apps build conditions and orders from. Each checks its arguments when called.

import { PlasmaError } from "../error.ts";
import * as limits from "../limits.ts";
import { isStorableText, utf8SizeBytes } from "../lib/utf8.ts";
import type { AnyColumn, Column } from "../schema/column.ts";
import { compareFamily, type CompareFamily, type Value } from "../schema/value.ts";
import { isAggregate, type Aggregate, type AnyAggregate } from "./aggregates.ts";
import type { CompareOp, Expr, Operand, OrderNode, SelectNode, Term, ValueNode } from "./ast.ts";
import { describe } from "./check-query.ts";
import { columnNode, isUnresolved } from "./column-node.ts";

type ColumnOf<D> = Column<D, boolean, boolean, string>;
type TermOf<D> = ColumnOf<D> | Aggregate<D>;
type Comparand<D> = NoInfer<D> | null | TermOf<NoInfer<D>>;

/** A select inside another query; its rows are `R`. */
export interface Subquery<R> {
  /** Types only: never present at run time. */
  readonly _row?: R;
  /** The select as part of another: its columns may be those of the queries around it. */
  asSubquery(): SelectNode;
}

/** Equal. Comparison with null is never true: use `isNull`. */
export const eq = <D>(column: TermOf<D>, value: Comparand<D>): Expr => compare("eq", column, value);
/** Not equal. */
export const ne = <D>(column: TermOf<D>, value: Comparand<D>): Expr => compare("ne", column, value);
/** Greater than. */
export const gt = <D>(column: TermOf<D>, value: Comparand<D>): Expr => compare("gt", column, value);
/** Greater than or equal. */
export const gte = <D>(column: TermOf<D>, value: Comparand<D>): Expr => compare("gte", column, value);
/** Less than. */
export const lt = <D>(column: TermOf<D>, value: Comparand<D>): Expr => compare("lt", column, value);
/** Less than or equal. */
export const lte = <D>(column: TermOf<D>, value: Comparand<D>): Expr => compare("lte", column, value);

/** All of them; those that are undefined are left out, and none at all is true. */
export const and = (...args: readonly (Expr | undefined)[]): Expr => ({
  type: "and",
  args: args.filter((arg) => arg !== undefined),
});
/** Any of them; those that are undefined are left out, and none at all is false. */
export const or = (...args: readonly (Expr | undefined)[]): Expr => ({
  type: "or",
  args: args.filter((arg) => arg !== undefined),
});
/** The opposite; unknown stays unknown. */
export const not = (arg: Expr): Expr => ({ type: "not", arg });

type Choice<D> = readonly (NoInfer<D> | null)[] | Subquery<{ readonly [key: string]: NoInfer<D> | null }>;

/** One of the values, or of the values of a subquery that selects one column. */
export const inArray = <D>(column: TermOf<D>, values: Choice<D>): Expr => isIn(column, values, false);
/** None of the values. As in SQL, never true where one of them is null. */
export const notInArray = <D>(column: TermOf<D>, values: Choice<D>): Expr => isIn(column, values, true);
export const isNull = (column: AnyColumn | AnyAggregate): Expr => ({
  type: "isNull",
  operand: termNode(column, "isNull"),
  negated: false,
});
export const isNotNull = (column: AnyColumn | AnyAggregate): Expr => ({
  type: "isNull",
  operand: termNode(column, "isNotNull"),
  negated: true,
});

/**
 * The subquery has a row. Its conditions may name columns of the query around it.
 *
 * @example
 * const isMember = select().from(members).where(and(eq(members.listId, todos.listId), eq(members.userId, userID)));
 * db.select().from(todos).where(exists(isMember));
 */
export const exists = (query: Subquery<object>): Expr => ({
  type: "exists",
  query: subqueryNode(query),
  negated: false,
});
/** The subquery has no row. */
export const notExists = (query: Subquery<object>): Expr => ({
  type: "exists",
  query: subqueryNode(query),
  negated: true,
});

/** The node of a select inside another. Throws `query/no-from` for one that has no table yet. */
export function subqueryNode(query: Subquery<object>): SelectNode {
  // Plain JavaScript can hand over what `select()` alone gives.
  if (typeof (query as Partial<Subquery<object>> | null)?.asSubquery !== "function")
    throw new PlasmaError("query/no-from", {});
  return query.asSubquery();
}

/** Between low and high, both included. */
export const between = <D>(column: TermOf<D>, low: Comparand<D>, high: Comparand<D>): Expr => {
  const operand = comparable(column, "between");
  return {
    type: "between",
    operand,
    low: operandOf(low, operand, "between"),
    high: operandOf(high, operand, "between"),
  };
};

/**
 * Text that matches: `%` stands for any run, `_` for one character, `\` takes the next character as it is. ASCII letters
 * match in either case.
 *
 * @throws PlasmaError `query/like-pattern` for a pattern over 50 bytes.
 */
export function like(column: ColumnOf<string>, pattern: string): Expr {
  const operand = comparable(column, "like");
  if (familyOf(operand) !== "text" && !isUnresolved(operand))
    throw new PlasmaError("query/kinds", { left: nameOf(operand), right: "a text pattern", op: "like" });
  if (!expected.text.holds(pattern)) throw misfit(operand, pattern);
  const complete = completePattern(pattern);
  const bytes = utf8SizeBytes(complete);
  if (bytes > limits.likePatternBytesMax)
    throw new PlasmaError("query/like-pattern", { bytes, bytesMax: limits.likePatternBytesMax });
  return { type: "like", operand, pattern: complete };
}

/** A lone `\` at the end stands for itself. It is doubled, because engines differ on an escape of nothing. */
function completePattern(pattern: string): string {
  const trailing = /\\*$/.exec(pattern)?.[0].length ?? 0;
  return trailing % 2 === 0 ? pattern : `${pattern}\\`;
}

/** Smallest first, null before all. */
export const asc = (column: AnyColumn | AnyAggregate): OrderNode => ({ column: ordered(column), direction: "asc" });
/** Largest first, null after all. */
export const desc = (column: AnyColumn | AnyAggregate): OrderNode => ({ column: ordered(column), direction: "desc" });

/** The AST node of a column or aggregate. `where` names the place, for the error. */
export const termNode = (term: AnyColumn | AnyAggregate, where: string): Term =>
  isAggregate(term) ? term.node : columnNode(term, where);

function compare(op: CompareOp, term: AnyColumn | AnyAggregate, value: unknown): Expr {
  const left = comparable(term, op);
  return { type: "compare", op, left, right: operandOf(value, left, op) };
}

function isIn(term: AnyColumn | AnyAggregate, values: readonly unknown[] | Subquery<object>, negated: boolean): Expr {
  const operand = comparable(term, negated ? "notInArray" : "inArray");
  if (Array.isArray(values))
    return { type: "in", operand, values: values.map((value) => valueNode(value, operand)), negated };
  const subquery = values as Subquery<object> | null | undefined;
  if (typeof subquery?.asSubquery !== "function") throw misfit(operand, values, "an array or a select");
  return { type: "inQuery", operand, query: subquery.asSubquery(), negated };
}

const familyOf = (node: Operand): CompareFamily | null => compareFamily(node.kind);

function comparable(term: AnyColumn | AnyAggregate, op: string): Term {
  const node = termNode(term, op);
  if (familyOf(node) === null && !isUnresolved(node))
    throw new PlasmaError("query/kinds", { left: nameOf(node), right: "anything", op });
  return node;
}

function ordered(term: AnyColumn | AnyAggregate): Term {
  const node = termNode(term, "orderBy");
  if (node.type === "column" && familyOf(node) === null && !isUnresolved(node))
    throw new PlasmaError("query/order", { table: node.source, column: node.column, kind: node.kind });
  return node;
}

/** What errors call an operand. */
export const nameOf = (node: Operand): string =>
  node.type === "value"
    ? "a value"
    : node.type === "column"
      ? `"${node.source}.${node.column}" (${node.kind})`
      : `${node.fn}() (${node.kind})`;

function operandOf(value: unknown, left: Term, op: string): Operand {
  if (!(typeof value === "object" && value !== null && ("def" in value || isAggregate(value))))
    return valueNode(value, left);
  const right = termNode(value as AnyColumn | AnyAggregate, op);
  checkComparison(op, left, right);
  return right;
}

/** Refuses operands of different kinds, as far as their kinds are known. Throws `query/kinds`. */
export function checkComparison(op: string, left: Operand, right: Operand): void {
  if (isUnresolved(left) || isUnresolved(right)) return;
  if (familyOf(left) !== familyOf(right) || familyOf(left) === null)
    throw new PlasmaError("query/kinds", { left: nameOf(left), right: nameOf(right), op });
}

const expected: Record<CompareFamily, { readonly text: string; readonly holds: (value: unknown) => boolean }> = {
  text: {
    text: "a well-formed text without U+0000",
    holds: (value) => typeof value === "string" && isStorableText(value),
  },
  number: { text: "a finite number", holds: (value) => typeof value === "number" && Number.isFinite(value) },
  bigint: {
    text: "a bigint of 64 bits",
    holds: (value) => typeof value === "bigint" && BigInt.asIntN(64, value) === value,
  },
  boolean: { text: "true or false", holds: (value) => typeof value === "boolean" },
  blob: { text: "a Uint8Array", holds: (value) => value instanceof Uint8Array },
};

/** A literal that is compared with `term`. Throws `query/value`. */
export function valueNode(value: unknown, term: Term): ValueNode {
  const family = familyOf(term);
  if (value !== null && family !== null && !expected[family].holds(value)) throw misfit(term, value);
  return { type: "value", value: (Object.is(value, -0) ? 0 : value) as Value, kind: term.kind };
}

function misfit(term: Term, value: unknown, takes = expected[familyOf(term) ?? "text"].text): PlasmaError {
  const column = term.type === "column" ? term : term.column;
  return new PlasmaError("query/value", {
    table: column?.source ?? "",
    column: column?.column ?? "count()",
    expected: takes,
    got: describe(value),
  });
}
