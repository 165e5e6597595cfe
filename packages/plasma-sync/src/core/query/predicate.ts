// Owns: conditions as functions: an Expr compiled once to a closure over rows, three-valued (null is unknown).

import { compareFamily, type Row, type Value } from "../schema/value.ts";
import { assert, must } from "../lib/assert.ts";
import type { CompareOp, Expr, Operand } from "./ast.ts";
import { comparerOf } from "./compare.ts";
import { compileLike } from "./like.ts";

/** Rows of the query's sources, by slot; null on the empty side of an outer join. */
export type Slots = readonly (Row | null)[];
type Test = (rows: Slots) => boolean | null;
type Read = (rows: Slots) => Value;

/** Compiles a condition; slot i holds a row of `sources[i]`. */
export function compileExpr(expr: Expr, sources: readonly string[]): Test {
  switch (expr.type) {
    case "and":
      return compileAnd(expr.args.map((arg) => compileExpr(arg, sources)));
    case "or":
      return compileOr(expr.args.map((arg) => compileExpr(arg, sources)));
    case "not": {
      const test = compileExpr(expr.arg, sources);
      return (rows) => negate(test(rows));
    }
    case "compare":
      return compileCompare(expr, sources);
    case "in":
      return compileIn(expr, sources);
    case "isNull": {
      const read = compileOperand(expr.operand, sources);
      return (rows) => (read(rows) === null) !== expr.negated;
    }
    case "like": {
      const read = compileOperand(expr.operand, sources);
      const matches = compileLike(expr.pattern);
      return (rows) => {
        const value = read(rows);
        return value === null ? null : matches(value as string);
      };
    }
    default:
      return compileAnd([
        compileCompare({ op: "gte", left: expr.operand, right: expr.low }, sources),
        compileCompare({ op: "lte", left: expr.operand, right: expr.high }, sources),
      ]);
  }
}

/** Compiles a condition over one source: whether it is true of a row. */
export function compileFilter(expr: Expr | null, source: string): (row: Row) => boolean {
  if (expr === null) return () => true;
  const test = compileExpr(expr, [source]);
  return (row) => test([row]) === true;
}

const negate = (value: boolean | null): boolean | null => (value === null ? null : !value);

function compileAnd(tests: readonly Test[]): Test {
  return (rows) => {
    let result: boolean | null = true;
    for (const test of tests) {
      const value = test(rows);
      if (value === false) return false;
      if (value === null) result = null;
    }
    return result;
  };
}

function compileOr(tests: readonly Test[]): Test {
  return (rows) => {
    let result: boolean | null = false;
    for (const test of tests) {
      const value = test(rows);
      if (value === true) return true;
      if (value === null) result = null;
    }
    return result;
  };
}

const holds: Record<CompareOp, (order: number) => boolean> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};

function compileCompare(
  { op, left, right }: { op: CompareOp; left: Operand; right: Operand },
  sources: readonly string[],
): Test {
  const readLeft = compileOperand(left, sources);
  const readRight = compileOperand(right, sources);
  const family = must(compareFamily(left.kind), "predicate: the builder refuses kinds without order");
  if ((op === "eq" || op === "ne") && family !== "blob") return compileSame(readLeft, readRight, op === "eq");
  const compare = comparerOf(family);
  const test = holds[op];
  return (rows) => {
    const a = readLeft(rows);
    const b = readRight(rows);
    return a === null || b === null ? null : test(compare(a, b));
  };
}

/** Equality of values that JavaScript itself compares: the most frequent test, so without a comparer. */
function compileSame(readLeft: Read, readRight: Read, wanted: boolean): Test {
  return (rows) => {
    const a = readLeft(rows);
    const b = readRight(rows);
    return a === null || b === null ? null : (a === b) === wanted;
  };
}

function compileIn(expr: Extract<Expr, { type: "in" }>, sources: readonly string[]): Test {
  const read = compileOperand(expr.operand, sources);
  const values = expr.values.map(({ value }) => value);
  const isBlob = compareFamily(expr.operand.kind) === "blob";
  const hasNull = values.includes(null);
  const set = new Set<unknown>(isBlob ? values.map((value) => keyOfBytes(value)) : values);
  set.delete(null);
  return (rows) => {
    if (values.length === 0) return expr.negated;
    const value = read(rows);
    if (value === null) return null;
    if (set.has(isBlob ? keyOfBytes(value) : value)) return !expr.negated;
    return hasNull ? null : expr.negated;
  };
}

const keyOfBytes = (value: Value): string | null => (value === null ? null : (value as Uint8Array).join());

function compileOperand(operand: Operand, sources: readonly string[]): Read {
  if (operand.type === "value") return () => operand.value;
  const slot = sources.indexOf(operand.source);
  assert(slot >= 0, "predicate: the builder refuses columns of other sources");
  const { column } = operand;
  return (rows) => {
    const row = rows[slot];
    // A column that the row lacks was added to the schema after the row was stored.
    return row === null || row === undefined ? null : (row[column] ?? null);
  };
}
