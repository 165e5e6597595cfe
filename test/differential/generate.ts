// Owns: generated queries over the whole grammar, made by the public builder.

import {
  alias,
  and,
  asc,
  avg,
  colRef,
  count,
  countDistinct,
  desc,
  eq,
  gt,
  isNotNull,
  isNull,
  lte,
  max,
  min,
  not,
  select,
  sum,
  type Aggregate,
  type AnyColumn,
  type AnySelect,
  type Expr,
  type Projection,
} from "../../packages/plasma-sync/src/core/index.ts";
import { metaOf } from "../../packages/plasma-sync/src/core/schema/table.ts";
import { compareFamily } from "../../packages/plasma-sync/src/core/schema/value.ts";
import { columnsOf, drawCondition, drawLink, type ConditionScope, type Source } from "./conditions.ts";
import type { Draw } from "./draw.ts";
import type { World } from "./world.ts";

const JOINS = ["innerJoin", "leftJoin", "innerJoin", "leftJoin", "rightJoin", "fullJoin"] as const;

/** A query being made; `outer` are the sources of the queries around it. */
interface Making {
  readonly draw: Draw;
  readonly world: World;
  readonly outer: readonly Source[];
  /** How deep subqueries and includes may go still. */
  readonly depth: number;
  /** Gives each alias a number. */
  readonly names: { next: number };
}

/** A query, and the one without cursor where it can have one: its rows are what `after` takes. */
export function drawQuery(draw: Draw, world: World): AnySelect {
  const making: Making = { draw, world, outer: [], depth: 2, names: { next: 0 } };
  switch (draw.below(8)) {
    case 0:
      return drawDerived(making);
    case 1:
    case 2:
      return drawGrouped(making);
    case 3:
      return drawDistinct(making);
    default:
      return drawRows(making);
  }
}

function drawSource({ draw, world, names }: Making): Source {
  const table = draw.pick(world.tables);
  return alias(table, `${metaOf(table).name}${names.next++}`);
}

/** FROM and joins of one to three sources. */
function drawFrom(making: Making, projection?: (sources: readonly Source[]) => Projection, joinsMax = 2) {
  const { draw } = making;
  const first = drawSource(making);
  const sources = [first];
  const joins: (readonly [(typeof JOINS)[number], Source, Expr])[] = [];
  const joinCount = joinsMax === 0 ? 0 : draw.pick([0, 1, 1, joinsMax]);
  for (let i = 0; i < joinCount; i++) {
    const source = drawSource(making);
    const link = drawLink(draw, draw.pick(sources), source);
    const scope: ConditionScope = { draw, own: [...sources, source], outer: [] };
    const on = draw.once(4) ? and(link, drawCondition(scope, 0)) : draw.once(10) ? drawCondition(scope, 1) : link;
    joins.push([draw.pick(JOINS), source, on]);
    sources.push(source);
  }
  const start = projection === undefined ? select() : select(projection(sources));
  let query = start.from(first) as AnySelect;
  for (const [join, source, on] of joins) query = query[join](source, on);
  return { query, sources };
}

function drawWhere(making: Making, sources: readonly Source[]): Expr {
  const { draw, outer, depth } = making;
  const inner = { ...making, outer: [...outer, ...sources], depth: depth - 1 };
  const subquery = depth > 0 ? (family: string | null) => drawSubquery(inner, family) : undefined;
  return drawCondition({ draw, own: sources, outer: draw.once(2) ? outer : [], ...(subquery && { subquery }) }, depth);
}

function drawSubquery(making: Making, family: string | null): AnySelect {
  const { draw, outer } = making;
  let column: AnyColumn | null = null;
  // Only tables that have a column of the family, where it is one column that the subquery is for.
  const fitting = family === null ? making : { ...making, world: worldWith(making, family) };
  const projection = (sources: readonly Source[]): Projection => {
    column = draw.pick(columnsOf(sources, family ?? undefined));
    return { v: column };
  };
  const { query: start, sources } = drawFrom(fitting, family === null ? undefined : projection, draw.below(2));
  const conditions: Expr[] = [];
  if (family === null ? !draw.once(5) : draw.once(3))
    conditions.push(drawLink(draw, draw.pick(outer), sources[0] as Source));
  if (draw.once(2)) conditions.push(drawWhere(making, sources));
  const query = start.where(conditions.length > 0 ? and(...conditions) : undefined);
  if (column === null) return draw.once(8) ? query.limit(draw.below(3)).offset(draw.below(2)) : query;
  switch (draw.below(10)) {
    case 9:
      return query.groupBy(column).having(draw.once(2) ? gt(count(), 1) : undefined);
    case 8:
      return query.distinct();
    case 7:
    case 6:
      return query.orderBy(column).limit(1 + draw.below(3));
    default:
      return query;
  }
}

/** The world with only those tables that have a column of the family. */
const worldWith = ({ world }: Making, family: string): World => ({
  ...world,
  tables: world.tables.filter((t) => metaOf(t).columns.some(({ def }) => compareFamily(def.kind) === family)),
});

function drawRows(making: Making): AnySelect {
  const { draw } = making;
  const isProjected = draw.once(5);
  const { query: start, sources } = drawFrom(
    making,
    isProjected
      ? (all) =>
          Object.fromEntries(draw.list(1 + draw.below(3), () => draw.pick(columnsOf(all))).map((c, i) => [`p${i}`, c]))
      : undefined,
  );
  let query = start;
  if (draw.once(2)) query = query.where(drawWhere(making, sources));
  query = drawOrder(making, query, sources);
  if (draw.once(2)) query = query.include({ kids: drawChild(making, sources) });
  if (draw.once(5)) query = query.include({ other: drawChild(making, sources) });
  return query;
}

function drawOrder({ draw }: Making, query: AnySelect, sources: readonly Source[]): AnySelect {
  let ordered = query;
  const count = draw.below(3);
  for (let i = 0; i < count; i++)
    ordered = ordered.orderBy(
      (draw.once(2) ? asc : desc)(draw.pick(columnsOf(draw.once(3) ? sources : sources.slice(0, 1)))),
    );
  if (draw.once(3)) ordered = ordered.limit(2 + draw.below(6));
  return draw.once(8) ? ordered.offset(draw.below(3)) : ordered;
}

/** A select inside `include`: correlated by an equality most of the time. */
function drawChild(making: Making, parents: readonly Source[]): AnySelect {
  const { draw, outer, depth } = making;
  const inner: Making = { ...making, outer: [...outer, ...parents], depth: depth - 1 };
  const isGrouped = draw.once(3);
  const { query: start, sources } = drawFrom(
    inner,
    isGrouped ? (all) => ({ n: drawAggregate(draw, all), top: drawAggregate(draw, all) }) : undefined,
    draw.below(2),
  );
  const conditions: Expr[] = draw.once(8) ? [] : [drawLink(draw, draw.pick(inner.outer), sources[0] as Source)];
  if (draw.once(4)) conditions.push(drawWhere(inner, sources));
  let query = start.where(conditions.length > 0 ? and(...conditions) : undefined);
  if (!isGrouped) query = drawOrder(inner, query, sources);
  if (draw.once(4)) query = query.one();
  if (!isGrouped && inner.depth > 0 && draw.once(3)) query = query.include({ deep: drawChild(inner, sources) });
  return query;
}

function drawGrouped(making: Making): AnySelect {
  const { draw } = making;
  let keys: AnyColumn[] = [];
  const aggregates: Aggregate<unknown>[] = [];
  const { query: start, sources } = drawFrom(making, (all) => {
    keys = draw.list(draw.below(3), () => draw.pick(columnsOf(all)));
    aggregates.push(...draw.list(1 + draw.below(3), () => drawAggregate(draw, all)));
    const named = [...keys, ...aggregates].map((term, i) => [`g${i}`, term] as const);
    return Object.fromEntries(named);
  });
  let query = start.groupBy(...keys);
  if (draw.once(2)) query = query.where(drawWhere(making, sources));
  if (draw.once(3)) query = query.having(draw.once(2) ? gt(count(), draw.below(2)) : lte(count(), 3));
  if (draw.once(2)) query = query.orderBy((draw.once(2) ? asc : desc)(draw.pick([...keys, ...aggregates])));
  if (draw.once(5)) query = query.distinct();
  if (draw.once(3)) query = query.limit(1 + draw.below(4)).offset(draw.below(2));
  return query;
}

/** Bigints at the edges of 64 bits, and largest safe integers, are never summed: that is beyond what SPEC promises. */
function drawAggregate(draw: Draw, sources: readonly Source[]): Aggregate<unknown> {
  const column = draw.pick(columnsOf(sources));
  const summable = columnsOf(sources).filter(({ def }) => def.kind === "int" || def.kind === "real");
  switch (draw.below(6)) {
    case 0:
      return count();
    case 1:
      return count(column);
    case 2:
      return countDistinct(column);
    case 3:
      return min(column);
    case 4:
      return max(column);
    default:
      return summable.length === 0 ? count() : (draw.once(2) ? sum : avg)(draw.pick(summable) as never);
  }
}

function drawDistinct(making: Making): AnySelect {
  const { draw } = making;
  let shown: AnyColumn[] = [];
  const { query: start, sources } = drawFrom(making, (all) => {
    shown = draw.list(1 + draw.below(2), () => draw.pick(columnsOf(all)));
    return Object.fromEntries(shown.map((column, i) => [`d${i}`, column]));
  });
  let query = start.distinct();
  if (draw.once(2)) query = query.where(drawWhere(making, sources));
  if (draw.once(2)) query = query.orderBy((draw.once(2) ? asc : desc)(draw.pick(shown)));
  return draw.once(3) ? query.limit(1 + draw.below(3)) : query;
}

/** FROM a subquery. */
function drawDerived(making: Making): AnySelect {
  const { draw } = making;
  let keys: AnyColumn[] = [];
  const isGrouped = draw.once(2);
  const { query: start, sources } = drawFrom(
    making,
    (all) => {
      keys = [draw.pick(columnsOf(all))];
      return { k: keys[0] as AnyColumn, n: isGrouped ? drawAggregate(draw, all) : draw.pick(columnsOf(all)) };
    },
    1,
  );
  let inner = isGrouped ? start.groupBy(...keys) : start;
  if (draw.once(2)) inner = inner.where(drawWhere(making, sources));
  if (draw.once(3)) inner = inner.limit(2 + draw.below(3));
  if (draw.once(5)) inner = inner.distinct();
  let query = (draw.once(3) ? select({ k: colRef("t", "k") }) : select()).fromSubquery(inner, "t") as AnySelect;
  const joined = drawSource(making);
  const [key] = keys as [AnyColumn];
  const fitting = columnsOf([joined], compareFamily(key.def.kind) ?? "");
  const isJoined = fitting.length > 0 && draw.once(3);
  if (isJoined) query = query[draw.pick(JOINS)](joined, eqOf(colRef("t", "k"), draw.pick(fitting)));
  if (draw.once(2)) query = query.where(draw.once(2) ? isNotNull(colRef("t", "n")) : not(isNull(colRef("t", "k"))));
  if (draw.once(2)) query = query.orderBy((draw.once(2) ? asc : desc)(colRef("t", "k")));
  if (isJoined && draw.once(2)) query = query.include({ kids: drawChild({ ...making, depth: 1 }, [joined]) });
  return draw.once(3) ? query.limit(1 + draw.below(4)) : query;
}

const eqOf = (left: AnyColumn, right: AnyColumn): Expr => eq(left, right);
