import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Row, Value } from "../schema/value.ts";
import type { ColumnNode, CompareOp, Expr, Operand } from "./ast.ts";
import { compileExpr, slotScope } from "./predicate.ts";

const COLUMNS = ["a", "b", "c"] as const;
const value = fc.option(fc.integer({ min: 0, max: 2 }), { freq: 3 });
const operand: fc.Arbitrary<Operand> = fc.oneof(
  fc.constantFrom(...COLUMNS).map((column): Operand => ({ type: "column", source: "t", column, kind: "int" })),
  value.map((v): Operand => ({ type: "value", value: v, kind: "int" })),
);
const op = fc.constantFrom<CompareOp>("eq", "ne", "gt", "gte", "lt", "lte");
const negated = fc.boolean();

const leaf: fc.Arbitrary<Expr> = fc.oneof(
  fc.record({ type: fc.constant("compare" as const), op, left: operand, right: operand }),
  fc.record({ type: fc.constant("isNull" as const), operand, negated }),
  fc.record({ type: fc.constant("between" as const), operand, low: operand, high: operand }),
  fc.record({
    type: fc.constant("in" as const),
    operand,
    values: fc.array(
      value.map((v) => ({ type: "value" as const, value: v, kind: "int" as const })),
      { maxLength: 3 },
    ),
    negated,
  }),
);
const { expr } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    leaf,
    fc.record({ type: fc.constantFrom("and" as const, "or" as const), args: fc.array(tie("expr"), { maxLength: 3 }) }),
    fc.record({ type: fc.constant("not" as const), arg: tie("expr") }),
  ),
}));
const row: fc.Arbitrary<Row> = fc.record({ a: value, b: value, c: value });

type Truth = boolean | null;
const test = (e: Expr, r: Row | null): Truth => compileExpr(e, slotScope(["t"]))([r]);
const not = (arg: Expr): Expr => ({ type: "not", arg });
const and = (...args: Expr[]): Expr => ({ type: "and", args });
const or = (...args: Expr[]): Expr => ({ type: "or", args });

/** The law for n-ary and: the least of its arguments with false < unknown < true. */
const rank = (t: Truth): number => (t === null ? 1 : t ? 2 : 0);

/** The meaning written out a second time, by SQL's tables. */
function meaning(e: Expr, r: Row): Truth {
  const read = (o: Operand): Value => (o.type === "value" ? o.value : (r[(o as ColumnNode).column] ?? null));
  switch (e.type) {
    case "and":
      return truthOf(Math.min(2, ...e.args.map((arg) => rank(meaning(arg, r)))));
    case "or":
      return truthOf(Math.max(0, ...e.args.map((arg) => rank(meaning(arg, r)))));
    case "not":
      return truthOf(2 - rank(meaning(e.arg, r)));
    case "compare":
      return compared(e.op, read(e.left), read(e.right));
    case "isNull":
      return (read(e.operand) === null) !== e.negated;
    case "between":
      return truthOf(
        Math.min(
          rank(compared("gte", read(e.operand), read(e.low))),
          rank(compared("lte", read(e.operand), read(e.high))),
        ),
      );
    case "in": {
      // `x in (…)` is `x = v1 or x = v2 …`
      const found = Math.max(0, ...e.values.map((v) => rank(compared("eq", read(e.operand), v.value))));
      return truthOf(e.negated ? 2 - found : found);
    }
    default:
      return null;
  }
}

const truthOf = (n: number): Truth => (n === 1 ? null : n === 2);

function compared(by: CompareOp, a: Value, b: Value): Truth {
  if (a === null || b === null) return null;
  const [x, y] = [a as number, b as number];
  return { eq: x === y, ne: x !== y, gt: x > y, gte: x >= y, lt: x < y, lte: x <= y }[by];
}

/** Holds a law for any row and any three conditions. */
function check(law: (r: Row, p: Expr, q: Expr, s: Expr) => void): void {
  fc.assert(fc.property(row, expr, expr, expr, law), { numRuns: 2000 });
}

describe("conditions are three-valued", () => {
  it("mean what SQL's truth tables say", () => {
    check((r, p) => {
      expect(test(p, r)).toBe(meaning(p, r));
    });
  });

  it("obey de Morgan, double negation, and the laws of and and or", () => {
    check((r, p, q, s) => {
      expect(test(not(and(p, q)), r)).toBe(test(or(not(p), not(q)), r));
      expect(test(not(or(p, q)), r)).toBe(test(and(not(p), not(q)), r));
      expect(test(not(not(p)), r)).toBe(test(p, r));
      expect(test(and(p, q), r)).toBe(test(and(q, p), r));
      expect(test(or(p, and(q, s)), r)).toBe(test(and(or(p, q), or(p, s)), r));
      expect(test(and(and(p, q), s), r)).toBe(test(and(p, q, s), r));
    });
  });

  it("know nothing on the empty side of an outer join", () => {
    const column = operand.filter((o) => o.type === "column");
    fc.assert(
      fc.property(op, column, operand, operand, (by, left, low, high) => {
        expect(test({ type: "compare", op: by, left, right: low }, null)).toBe(null);
        expect(test({ type: "between", operand: left, low, high }, null)).toBe(null);
      }),
    );
  });
});
