// Owns: generated conditions over the terms of a query, made by the public functions.

import {
  and,
  between,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  like,
  lt,
  lte,
  ne,
  not,
  notExists,
  notInArray,
  or,
  type AnySelect,
  type Expr,
  type Value,
} from "../../packages/plasma-sync/src/core/index.ts";
import { isAggregate } from "../../packages/plasma-sync/src/core/query/aggregates.ts";
import type { CompareFamily } from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { Draw } from "./draw.ts";
import { comparable, familyOf, type Source, type Term } from "./sources.ts";

export interface ConditionScope {
  readonly draw: Draw;
  readonly own: readonly Term[];
  /** Of the queries around. */
  readonly outer: readonly Term[];
  /** Makes a subquery; of one column of the family, where one is given and there is one. Absent where none may stand. */
  readonly subquery?: (family: CompareFamily | null) => AnySelect | null;
}

type Compare = (term: never, value: never) => Expr;
const COMPARES: readonly Compare[] = [eq, eq, ne, gt, gte, lt, lte];
const PATTERNS = ["%", "a%", "_%", "%b", "_", "A_", "%\u{1F600}", "\\a%", "", "%0"];

const valueFor = (draw: Draw, term: Term): Value => (draw.once(15) ? null : term.drawValue(draw));

/** Mostly a value. */
function operandFor(draw: Draw, term: Term, others: readonly Term[]): never {
  const alike = comparable(others, familyOf(term));
  return (draw.once(3) && alike.length > 0 ? draw.pick(alike).term : valueFor(draw, term)) as never;
}

/** A condition. What is selective stands beside `or`, `not` and negations as often, so that a good share of rows passes. */
export function drawCondition(scope: ConditionScope, depth: number): Expr {
  const { draw, subquery } = scope;
  const again = (): Expr => drawCondition(scope, depth - 1);
  if (depth > 0 && draw.once(2)) {
    switch (draw.below(subquery === undefined ? 5 : 9)) {
      case 0:
        return and(again(), again());
      case 1:
        return or(again(), again(), again());
      case 2:
        return not(again());
      case 3:
        return not(and(again(), again()));
      case 4:
        return or(again(), again());
      case 5:
      case 6:
        return drawExists(scope);
      default:
        return drawInSubquery(scope);
    }
  }
  return drawLeaf(scope);
}

function drawExists({ draw, subquery }: ConditionScope): Expr {
  const query = subquery?.(null) ?? null;
  if (query === null) return and();
  return (draw.once(3) ? notExists : exists)(query);
}

function drawInSubquery(scope: ConditionScope): Expr {
  const { draw, own, subquery } = scope;
  const term = draw.pick(comparable(own));
  const query = subquery?.(familyOf(term)) ?? null;
  if (query === null) return drawExists(scope);
  return (draw.once(3) ? notInArray : inArray)(term.term as never, query as never);
}

function drawLeaf({ draw, own, outer }: ConditionScope): Expr {
  const of = draw.pick(comparable(own));
  const term = of.term as never;
  switch (draw.below(9)) {
    case 0:
    case 1:
      return draw.pick(COMPARES)(term, operandFor(draw, of, [...own, ...outer]));
    case 2:
      return inArray(term, draw.list(draw.below(6), () => valueFor(draw, of)) as never);
    case 3:
      return notInArray(term, draw.list(draw.below(3), () => valueFor(draw, of)) as never);
    case 4:
      return (draw.once(2) ? isNull : isNotNull)(draw.pick(own).term);
    case 5: {
      const texts = comparable(own, "text").filter((one) => !isAggregate(one.term));
      if (texts.length === 0) return isNotNull(term);
      return like(draw.pick(texts).term as never, draw.pick(PATTERNS));
    }
    case 6:
      return between(term, operandFor(draw, of, own), operandFor(draw, of, own));
    case 7:
      return or(gte(term, valueFor(draw, of) as never), isNull(term));
    default:
      return ne(term, valueFor(draw, of) as never);
  }
}

/** An equality of two sources: by ids where both have those of one table. */
export function drawLink(draw: Draw, left: Source, right: Source): Expr {
  const pairs = comparable(left.columns).flatMap((one) =>
    comparable(right.columns, familyOf(one)).map((other) => [one, other] as const),
  );
  const links = pairs.filter(([one, other]) => one.idsOf !== null && one.idsOf === other.idsOf);
  const refs = links.filter(([one, other]) => one.isID !== other.isID);
  const chosen = refs.length > 0 && !draw.once(5) ? refs : links.length > 0 && draw.once(2) ? links : pairs;
  // Without columns of one kind all pairs of rows meet.
  if (chosen.length === 0) return and();
  const [one, other] = draw.pick(chosen);
  return draw.once(2) ? eq(one.term, other.term) : eq(other.term, one.term);
}
