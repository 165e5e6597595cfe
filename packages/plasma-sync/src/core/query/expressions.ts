// Owns: the functions that apps build conditions and orders from. Each checks its arguments when called.

import { PlasmaError } from "../error.ts";
import * as limits from "../limits.ts";
import { isStorableText, utf8SizeBytes } from "../lib/utf8.ts";
import type { AnyColumn, Column } from "../schema/column.ts";
import { compareFamily, type CompareFamily, type Value } from "../schema/value.ts";
import { describe } from "./check-query.ts";
import type { ColumnNode, CompareOp, Expr, Operand, OrderNode, ValueNode } from "./ast.ts";

type ColumnOf<D> = Column<D, boolean, boolean, string>;
type Comparand<D> = NoInfer<D> | null | ColumnOf<NoInfer<D>>;

/** Equal. Comparison with null is never true: use `isNull`. */
export const eq = <D>(column: ColumnOf<D>, value: Comparand<D>): Expr => compare("eq", column, value);
/** Not equal. */
export const ne = <D>(column: ColumnOf<D>, value: Comparand<D>): Expr => compare("ne", column, value);
/** Greater than. */
export const gt = <D>(column: ColumnOf<D>, value: Comparand<D>): Expr => compare("gt", column, value);
/** Greater than or equal. */
export const gte = <D>(column: ColumnOf<D>, value: Comparand<D>): Expr => compare("gte", column, value);
/** Less than. */
export const lt = <D>(column: ColumnOf<D>, value: Comparand<D>): Expr => compare("lt", column, value);
/** Less than or equal. */
export const lte = <D>(column: ColumnOf<D>, value: Comparand<D>): Expr => compare("lte", column, value);

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

/** One of the values. */
export const inArray = <D>(column: ColumnOf<D>, values: readonly (NoInfer<D> | null)[]): Expr =>
  isIn(column, values, false);
/** None of the values. */
export const notInArray = <D>(column: ColumnOf<D>, values: readonly (NoInfer<D> | null)[]): Expr =>
  isIn(column, values, true);
export const isNull = (column: AnyColumn): Expr => ({
  type: "isNull",
  operand: columnNode(column, "isNull"),
  negated: false,
});
export const isNotNull = (column: AnyColumn): Expr => ({
  type: "isNull",
  operand: columnNode(column, "isNotNull"),
  negated: true,
});

/** Between low and high, both included. */
export const between = <D>(column: ColumnOf<D>, low: Comparand<D>, high: Comparand<D>): Expr => {
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
  if (familyOf(operand) !== "text")
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
export const asc = (column: AnyColumn): OrderNode => ({ column: ordered(column), direction: "asc" });
/** Largest first, null after all. */
export const desc = (column: AnyColumn): OrderNode => ({ column: ordered(column), direction: "desc" });

/** The AST node of a bound column. `where` names the place, for the error. */
export function columnNode(column: AnyColumn, where: string): ColumnNode {
  const def = (column as AnyColumn | undefined)?.def;
  if (def === undefined || def.table === "") throw new PlasmaError("schema/unbound-column", { where });
  return { type: "column", source: def.table, column: def.name, kind: def.kind };
}

function compare(op: CompareOp, column: AnyColumn, value: unknown): Expr {
  const left = comparable(column, op);
  return { type: "compare", op, left, right: operandOf(value, left, op) };
}

function isIn(column: AnyColumn, values: readonly unknown[], negated: boolean): Expr {
  const operand = comparable(column, negated ? "notInArray" : "inArray");
  if (!Array.isArray(values)) throw misfit(operand, values, "an array");
  return { type: "in", operand, values: values.map((value) => valueNode(value, operand)), negated };
}

const familyOf = (node: Operand): CompareFamily | null => compareFamily(node.kind);

function comparable(column: AnyColumn, op: string): ColumnNode {
  const node = columnNode(column, op);
  if (familyOf(node) === null) throw new PlasmaError("query/kinds", { left: nameOf(node), right: "anything", op });
  return node;
}

function ordered(column: AnyColumn): ColumnNode {
  const node = columnNode(column, "orderBy");
  if (familyOf(node) === null)
    throw new PlasmaError("query/order", { table: node.source, column: node.column, kind: node.kind });
  return node;
}

const nameOf = (node: ColumnNode): string => `"${node.source}.${node.column}" (${node.kind})`;

function operandOf(value: unknown, left: ColumnNode, op: string): Operand {
  if (!(typeof value === "object" && value !== null && "def" in value)) return valueNode(value, left);
  const right = columnNode(value as AnyColumn, op);
  if (familyOf(right) !== familyOf(left))
    throw new PlasmaError("query/kinds", { left: nameOf(left), right: nameOf(right), op });
  return right;
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

function valueNode(value: unknown, column: ColumnNode): ValueNode {
  if (value !== null && !expected[familyOf(column) ?? "text"].holds(value)) throw misfit(column, value);
  return { type: "value", value: (Object.is(value, -0) ? 0 : value) as Value, kind: column.kind };
}

function misfit(column: ColumnNode, value: unknown, takes = expected[familyOf(column) ?? "text"].text): PlasmaError {
  return new PlasmaError("query/value", {
    table: column.source,
    column: column.column,
    expected: takes,
    got: describe(value),
  });
}
