// Owns: conditions as functions: an Expr compiled once to a closure over rows, three-valued (null is unknown).

import { compareFamily, type Row, type Value } from "../schema/value.ts";
import { assert, must } from "../lib/assert.ts";
import type { CompareOp, Expr, Operand, SelectNode, Term } from "./ast.ts";
import { comparerOf } from "./compare.ts";
import { compileLike } from "./like.ts";

/** Rows of the query's sources, by slot; null on the empty side of an outer join. */
export type Slots = readonly (Row | null)[];
export type Test<T> = (of: T) => boolean | null;
export type Read<T> = (of: T) => Value;

/** What the names of a condition stand for in a tuple or group `T`. */
export interface ExprScope<T> {
  readonly read: (term: Term) => Read<T>;
  /** Whether a subquery has a row. Absent where no subquery can stand. */
  readonly exists?: (query: SelectNode) => (of: T) => boolean;
  /** Whether the operand's value is among those of a subquery, three-valued. */
  readonly contains?: (query: SelectNode, operand: Operand) => (of: T, value: Value) => boolean | null;
}

/** Compiles a condition. */
export function compileExpr<T>(expr: Expr, scope: ExprScope<T>): Test<T> {
  switch (expr.type) {
    case "and":
      return compileAnd(expr.args.map((arg) => compileExpr(arg, scope)));
    case "or":
      return compileOr(expr.args.map((arg) => compileExpr(arg, scope)));
    case "not": {
      const test = compileExpr(expr.arg, scope);
      return (of) => negate(test(of));
    }
    case "compare":
      return compileCompare(expr, scope);
    case "in":
      return compileIn(expr, scope);
    case "isNull": {
      const read = compileOperand(expr.operand, scope);
      return (of) => (read(of) === null) !== expr.negated;
    }
    case "like": {
      const read = compileOperand(expr.operand, scope);
      const matches = compileLike(expr.pattern);
      return (of) => {
        const value = read(of);
        return value === null ? null : matches(value as string);
      };
    }
    case "between":
      return compileAnd([
        compileCompare({ op: "gte", left: expr.operand, right: expr.low }, scope),
        compileCompare({ op: "lte", left: expr.operand, right: expr.high }, scope),
      ]);
    case "exists": {
      const exists = must(scope.exists, NO_SUBQUERY)(expr.query);
      return (of) => exists(of) !== expr.negated;
    }
    case "inQuery": {
      const read = compileOperand(expr.operand, scope);
      const contains = must(scope.contains, NO_SUBQUERY)(expr.query, expr.operand);
      return (of) => {
        const result = contains(of, read(of));
        return expr.negated ? negate(result) : result;
      };
    }
  }
}

const NO_SUBQUERY = "predicate: the builder refuses subqueries here";

/** Reads columns of sources: slot i holds a row of `sources[i]`; the last of a name hides those before it. */
export function slotScope(sources: readonly string[]): { readonly read: (term: Term) => Read<Slots> } {
  return {
    read: (term) => {
      assert(term.type === "column", "predicate: the builder refuses aggregates outside groups");
      const slot = sources.lastIndexOf(term.source);
      assert(slot >= 0, "predicate: the builder refuses columns of other sources");
      const { column } = term;
      // A column that the row lacks was added to the schema after the row was stored.
      return (rows) => rows[slot]?.[column] ?? null;
    },
  };
}

/** Compiles a condition over one source: whether it is true of a row. */
export function compileFilter(expr: Expr | null, source: string): (row: Row) => boolean {
  if (expr === null) return () => true;
  const test = compileExpr(expr, slotScope([source]));
  return (row) => test([row]) === true;
}

const negate = (value: boolean | null): boolean | null => (value === null ? null : !value);

function compileAnd<T>(tests: readonly Test<T>[]): Test<T> {
  return (of) => {
    let result: boolean | null = true;
    for (const test of tests) {
      const value = test(of);
      if (value === false) return false;
      if (value === null) result = null;
    }
    return result;
  };
}

function compileOr<T>(tests: readonly Test<T>[]): Test<T> {
  return (of) => {
    let result: boolean | null = false;
    for (const test of tests) {
      const value = test(of);
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

function compileCompare<T>(
  { op, left, right }: { op: CompareOp; left: Operand; right: Operand },
  scope: ExprScope<T>,
): Test<T> {
  const readLeft = compileOperand(left, scope);
  const readRight = compileOperand(right, scope);
  const family = must(compareFamily(left.kind), "predicate: the builder refuses kinds without order");
  if ((op === "eq" || op === "ne") && family !== "blob") return compileSame(readLeft, readRight, op === "eq");
  const compare = comparerOf(family);
  const test = holds[op];
  return (of) => {
    const a = readLeft(of);
    const b = readRight(of);
    return a === null || b === null ? null : test(compare(a, b));
  };
}

/** Equality of values that JavaScript itself compares: the most frequent test, so without a comparer. */
function compileSame<T>(readLeft: Read<T>, readRight: Read<T>, wanted: boolean): Test<T> {
  return (of) => {
    const a = readLeft(of);
    const b = readRight(of);
    return a === null || b === null ? null : (a === b) === wanted;
  };
}

function compileIn<T>(expr: Extract<Expr, { type: "in" }>, scope: ExprScope<T>): Test<T> {
  const read = compileOperand(expr.operand, scope);
  const has = membership(
    expr.values.map(({ value }) => value),
    expr.operand,
  );
  return (of) => {
    const result = has(read(of));
    return expr.negated ? negate(result) : result;
  };
}

/** Whether a value is in a list as SQL has it: in none, nothing is; beside a null, what is not found is unknown. */
export function membership(values: readonly Value[], { kind }: Operand): (value: Value) => boolean | null {
  const isBlob = compareFamily(kind) === "blob";
  const hasNull = values.includes(null);
  const set = new Set<unknown>(isBlob ? values.map(keyOfBytes) : values);
  return (value) => {
    if (values.length === 0) return false;
    if (value === null) return null;
    return set.has(isBlob ? keyOfBytes(value) : value) ? true : hasNull ? null : false;
  };
}

const keyOfBytes = (value: Value): string | null => (value === null ? null : (value as Uint8Array).join());

function compileOperand<T>(operand: Operand, scope: ExprScope<T>): Read<T> {
  if (operand.type !== "value") return scope.read(operand);
  const { value } = operand;
  return () => value;
}
