import { describe, expect, it } from "vitest";
import { bigint, blob, boolean, id, int, text } from "../schema/column.ts";
import { table } from "../schema/table.ts";
import type { Row } from "../schema/value.ts";
import type { Expr } from "./ast.ts";
import { and, between, eq, gt, inArray, isNotNull, isNull, like, lt, ne, not, notInArray, or } from "./expressions.ts";
import { compileExpr, compileFilter, slotScope } from "./predicate.ts";

const t = table("t", {
  id: id(),
  name: text().nullable(),
  rank: int().nullable(),
  big: bigint().nullable(),
  done: boolean().nullable(),
  bytes: blob().nullable(),
});
const empty: Row = { id: "1", name: null, rank: null, big: null, done: null, bytes: null };
const test = (expr: Expr, row: Row): boolean | null => compileExpr(expr, slotScope(["t"]))([{ ...empty, ...row }]);

describe("a condition", () => {
  it("without arguments is true for and, false for or", () => {
    expect(test(and(), {})).toBe(true);
    expect(test(or(), {})).toBe(false);
    expect(test(and(undefined, undefined), {})).toBe(true);
  });

  it("that compares with null is unknown, also when negated", () => {
    for (const expr of [eq(t.rank, null), ne(t.rank, null), not(eq(t.rank, null)), inArray(t.rank, [null])]) {
      expect(test(expr, { rank: 1 })).toBe(null);
    }
    expect(test(isNull(t.rank), {})).toBe(true);
    expect(test(isNotNull(t.rank), {})).toBe(false);
  });

  it("on a list treats null and the empty list as SQL does", () => {
    expect(test(inArray(t.rank, []), {})).toBe(false);
    expect(test(notInArray(t.rank, []), {})).toBe(true);
    expect(test(inArray(t.rank, [1, null]), { rank: 1 })).toBe(true);
    expect(test(inArray(t.rank, [1, null]), { rank: 2 })).toBe(null);
    expect(test(notInArray(t.rank, [1, null]), { rank: 2 })).toBe(null);
    expect(test(notInArray(t.rank, [1]), { rank: 2 })).toBe(true);
  });

  it("compares text by code point, bigints in full, bytes by content", () => {
    expect(test(lt(t.name, "\u{1f600}"), { name: "\u{fffd}" })).toBe(true);
    expect(test(eq(t.big, 9007199254740993n), { big: 9007199254740992n })).toBe(false);
    expect(test(eq(t.bytes, new Uint8Array([1, 2])), { bytes: new Uint8Array([1, 2]) })).toBe(true);
    expect(test(inArray(t.bytes, [new Uint8Array([1, 2])]), { bytes: new Uint8Array([1, 2]) })).toBe(true);
    expect(test(ne(t.bytes, new Uint8Array([1])), { bytes: new Uint8Array([1, 0]) })).toBe(true);
    expect(test(gt(t.done, false), { done: true })).toBe(true);
    expect(test(eq(t.rank, -0), { rank: 0 })).toBe(true);
  });

  it("includes both ends of between", () => {
    expect([1, 2, 3, 4].map((rank) => test(between(t.rank, 2, 3), { rank }))).toEqual([false, true, true, false]);
    expect(test(between(t.rank, 5, null), { rank: 1 })).toBe(false);
    expect(test(between(t.rank, 1, null), { rank: 5 })).toBe(null);
  });

  it("takes a column that an old row lacks for null", () => {
    expect(compileFilter(isNull(t.rank), "t")({ id: "1" })).toBe(true);
  });
});

describe("like", () => {
  const matches = (pattern: string, name: string) => test(like(t.name, pattern), { name });

  it("matches a run, one character, and an escaped wildcard", () => {
    expect(matches("%b%", "abc")).toBe(true);
    expect(matches("a_c", "abc")).toBe(true);
    expect(matches("a_c", "ac")).toBe(false);
    expect(matches("100\\%", "100%")).toBe(true);
    expect(matches("100\\%", "1000")).toBe(false);
    expect(matches("a\\_b", "a_b")).toBe(true);
    expect(matches("a\\_b", "axb")).toBe(false);
    expect(matches("", "")).toBe(true);
    expect(matches("%", "")).toBe(true);
    expect(matches("_", "")).toBe(false);
  });

  it("counts a code point beyond U+FFFF as one character", () => {
    expect(matches("_", "\u{1f600}")).toBe(true);
    expect(matches("__", "\u{1f600}")).toBe(false);
  });

  it("folds the case of ASCII letters only", () => {
    expect(matches("ABC", "aBc")).toBe(true);
    expect(matches("\\A", "a")).toBe(true);
    expect(matches("É", "é")).toBe(false);
    expect(matches("K", "\u{212a}")).toBe(false);
  });

  it("takes a lone escape at the end for itself", () => {
    expect(matches("a\\", "a\\")).toBe(true);
    expect(matches("a\\", "a")).toBe(false);
    expect(matches("a\\\\", "a\\")).toBe(true);
    expect(like(t.name, "a\\")).toEqual(like(t.name, "a\\\\"));
  });

  it("of null is unknown", () => expect(test(like(t.name, "%"), {})).toBe(null));
});
