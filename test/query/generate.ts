// Owns: generated queries over the whole grammar, made by the public builder.

import {
  and,
  asc,
  avg,
  count,
  countDistinct,
  desc,
  max,
  min,
  select,
  sum,
  type AnySelect,
  type Expr,
} from "../../packages/plasma-sync/src/core/index.ts";
import { aggregateKind } from "../../packages/plasma-sync/src/core/query/aggregates.ts";
import { metaOf } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { CompareFamily } from "../../packages/plasma-sync/src/core/schema/value.ts";
import { drawCondition, drawLink, type ConditionScope } from "./conditions.ts";
import type { Draw } from "./draw.ts";
import {
  columnsOf,
  comparable,
  derivedSource,
  tableSource,
  type ColumnTerm,
  type Source,
  type Term,
} from "./sources.ts";
import { drawRow, type World } from "./world.ts";

const JOINS = ["innerJoin", "leftJoin", "leftJoin", "rightJoin", "fullJoin"] as const;

/** Where a query is being made. */
interface Place {
  readonly draw: Draw;
  readonly world: World;
  /** The sources of the queries around it. */
  readonly outer: readonly Source[];
  /** How deep subqueries and nested results may go still. */
  readonly depth: number;
  /** Inside a subquery of FROM: rows are told apart by columns that have an order, so json is not shown. */
  readonly isDerived: boolean;
  /** Taken in the whole query. */
  readonly names: Set<string>;
}

/** A FROM with its joins, before the projection. */
interface From {
  readonly start: (shown: ReadonlyMap<string, Term> | null) => AnySelect;
  readonly sources: readonly Source[];
}

interface Made {
  readonly query: AnySelect;
  /** By key; null for joined or nested rows. */
  readonly shown: ReadonlyMap<string, Term> | null;
}

type Shape = "rows" | "projected" | "grouped" | "distinct";
const ROOT_SHAPES: readonly Shape[] = ["rows", "rows", "rows", "rows", "projected", "grouped", "grouped", "distinct"];

/** A query without cursor. */
export function drawQuery(draw: Draw, world: World): AnySelect {
  const place: Place = { draw, world, outer: [], depth: 2, isDerived: false, names: new Set() };
  const shape = draw.pick(ROOT_SHAPES);
  const from = drawFrom(place, { joinsMax: 2, derivedOneIn: 5 });
  const where = draw.once(4) ? undefined : drawWhere(place, from.sources);
  const { query } = drawShape(place, { from, shape, where });
  return (shape === "rows" || shape === "projected") && draw.once(2) ? withIncludes(place, query, from.sources) : query;
}

const showing = (shown: ReadonlyMap<string, Term>): Record<string, never> =>
  Object.fromEntries([...shown].map(([key, { term }]) => [key, term as never]));

function drawFrom(place: Place, bounds: { readonly joinsMax: number; readonly derivedOneIn: number }): From {
  const { draw, depth } = place;
  const derived = depth > 0 && draw.once(bounds.derivedOneIn) ? drawDerived(place) : null;
  const sources = [derived?.source ?? drawTable(place, [])];
  for (let joins = draw.below(bounds.joinsMax + 1); joins > 0; joins--) sources.push(drawTable(place, sources));
  const outer = columnsOf(outerOf(place, sources));
  const joined = sources.slice(1).map((source, i) => {
    const before = sources.slice(0, i + 1);
    const scope: ConditionScope = { draw, own: columnsOf([...before, source]), outer };
    const link = drawLink(draw, draw.pick(before), source);
    const on = draw.once(5) ? and(link, drawCondition(scope, 0)) : draw.once(12) ? drawCondition(scope, 1) : link;
    return { join: draw.pick(JOINS), table: source.table as never, on };
  });
  const start = (shown: ReadonlyMap<string, Term> | null): AnySelect => {
    const empty = shown === null ? select() : select(showing(shown));
    const first = sources[0]!;
    let query = (
      derived === null ? empty.from(first.table!) : empty.fromSubquery(derived.query, first.name)
    ) as AnySelect;
    for (const { join, table, on } of joined) query = query[join](table, on) as AnySelect;
    return query;
  };
  return { start, sources };
}

/** By its own name where that is free, and seldom where only a query around has it. */
function drawTable({ draw, world, names }: Place, own: readonly Source[]): Source {
  const table = draw.pick(world.tables);
  const plain = metaOf(table).name;
  const isFree = !names.has(plain) || (!own.some(({ name }) => name === plain) && draw.once(8));
  const name = isFree ? plain : `${plain}${names.size}`;
  names.add(name);
  return tableSource(world, table, name);
}

function drawDerived(place: Place): { source: Source; query: AnySelect } {
  const { draw, names } = place;
  const inner: Place = { ...place, outer: [], depth: place.depth - 1, isDerived: true };
  const from = drawFrom(inner, { joinsMax: 1, derivedOneIn: 8 });
  const shapes: readonly Shape[] = [
    "projected",
    "grouped",
    "distinct",
    ...(from.sources.length > 1 ? [] : ["rows" as const]),
  ];
  const where = draw.once(2) ? drawWhere(inner, from.sources) : undefined;
  const { query, shown } = drawShape(inner, { from, shape: draw.pick(shapes), where });
  const name = `s${names.size}`;
  names.add(name);
  return { source: derivedSource(name, shown!), query };
}

const outerOf = ({ outer }: Place, own: readonly Source[]): Source[] =>
  outer.filter(({ name }) => !own.some((source) => source.name === name));

function drawWhere(place: Place, sources: readonly Source[]): Expr {
  const { draw, depth } = place;
  const outer = outerOf(place, sources);
  const inner: Place = { ...place, outer: [...outer, ...sources], depth: depth - 1 };
  const subquery = (family: CompareFamily | null) => drawSubquery(inner, family);
  const own = columnsOf(sources);
  return drawCondition({ draw, own, outer: columnsOf(outer), ...(depth > 0 && { subquery }) }, depth);
}

interface Parts {
  readonly from: From;
  readonly shape: Shape;
  readonly where: Expr | undefined;
}

function drawShape(place: Place, { from, shape, where }: Parts): Made {
  if (shape === "grouped") return drawGrouped(place, from, where);
  if (shape === "distinct") return drawDistinct(place, from, where);
  return drawRowsOf(place, { from, shape, where });
}

function drawRowsOf(place: Place, { from, shape, where }: Parts): Made {
  const { sources } = from;
  const own = place.isDerived ? comparable(columnsOf(sources)) : columnsOf(sources);
  const shown = shape === "rows" ? null : drawShown(place, own);
  const query = windowed(place, from.start(shown).where(where), columnsOf(sources));
  if (shown !== null || sources.length > 1) return { query: withCursor(place, query, from, shape), shown };
  const all = comparable(sources[0]!.columns).map((term) => [nameOf(term), term] as const);
  return { query: withCursor(place, query, from, shape), shown: new Map(all) };
}

const nameOf = ({ term }: ColumnTerm): string => term.def.name;

/** One to three columns; seldom one of a query around among them. */
function drawShown(place: Place, own: readonly ColumnTerm[]): Map<string, Term> {
  const { draw, outer } = place;
  const terms = draw.list(1 + draw.below(3), () =>
    outer.length > 0 && draw.once(10) ? draw.pick(comparable(columnsOf(outer))) : draw.pick(own),
  );
  return new Map(terms.map((term, i) => [`p${i}`, term]));
}

/** Inside other queries a cursor is a row that may be there or not. */
function withCursor({ draw, world, outer }: Place, query: AnySelect, from: From, shape: Shape): AnySelect {
  const table = from.sources[0]!.table;
  if (shape !== "rows" || from.sources.length > 1 || table === null || outer.length === 0 || !draw.once(8))
    return query;
  const { source } = metaOf(table);
  const meta = world.schema.tablesByName.get(source)!;
  const row = drawRow(draw, world, meta, draw.pick(world.idsByTable.get(source) ?? []));
  // The order may name columns of the queries around, which a row does not have.
  return query
    .asSubquery()
    .orderBy.every(({ column }) => column.type === "column" && column.source === metaOf(table).name)
    ? query.after(row)
    : query;
}

/** Order, offset and limit. */
function windowed({ draw }: Place, query: AnySelect, terms: readonly Term[]): AnySelect {
  let made = query;
  const orderable = comparable(terms);
  for (let orders = draw.below(3); orders > 0; orders--)
    made = made.orderBy((draw.once(2) ? asc : desc)(draw.pick(orderable).term));
  if (draw.once(2)) made = made.limit(draw.pick([1, 2, 3, 4, 5, 8]));
  if (draw.once(4)) made = made.offset(1 + draw.below(2));
  return draw.once(40) ? made.limit(0) : made;
}

function drawGrouped(place: Place, from: From, where: Expr | undefined): Made {
  const { draw } = place;
  const own = columnsOf(from.sources);
  const keys = draw.list(draw.pick([0, 1, 1, 1, 2]), () => draw.pick(comparable(own)));
  const aggregates = draw.list(draw.pick([1, 1, 2, 3]), () => drawAggregate(draw, own));
  const shownKeys = draw.once(8) ? keys.slice(1) : keys;
  const terms: readonly Term[] = [...shownKeys, ...aggregates];
  const shown = new Map(terms.map((term, i) => [`g${i}`, term]));
  let query = from
    .start(shown)
    .where(where)
    .groupBy(...keys.map(({ term }) => term));
  if (draw.once(3)) {
    const tested = [...keys, ...aggregates, drawAggregate(draw, own)];
    query = query.having(drawCondition({ draw, own: tested, outer: [] }, draw.below(2)));
  }
  if (!draw.once(6)) return { query: windowed(place, query, [...terms, ...keys]), shown };
  return { query: windowed(place, query.distinct(), terms), shown };
}

/** Values that are not small are never summed: that is beyond what SPEC promises. */
function drawAggregate(draw: Draw, own: readonly ColumnTerm[]): Term {
  const of = draw.pick(comparable(own));
  const summable = own.filter(({ isSmall }) => isSmall);
  const small: Omit<Term, "term"> = {
    kind: "int",
    isSmall: true,
    idsOf: null,
    isID: false,
    drawValue: (d) => d.below(5),
  };
  switch (draw.below(8)) {
    case 0:
      return { ...small, term: count() };
    case 1:
      return { ...small, term: count(draw.pick(own).term) };
    case 2:
      return { ...small, term: countDistinct(of.term) };
    case 3:
      return { ...of, isID: false, term: min(of.term as never) };
    case 4:
      return { ...of, isID: false, term: max(of.term as never) };
    default: {
      if (summable.length === 0) return { ...small, term: count() };
      const summed = draw.pick(summable);
      return draw.once(2) ? sumOf(summed) : avgOf(summed);
    }
  }
}

const sumOf = (of: ColumnTerm): Term => ({
  ...of,
  kind: aggregateKind("sum", of.kind),
  idsOf: null,
  term: sum(of.term as never),
});

/** Means are compared with whole numbers, but not summed: engines may round them in their own way. */
const avgOf = (of: ColumnTerm): Term => ({
  ...of,
  kind: "real",
  isSmall: false,
  idsOf: null,
  term: avg(of.term as never),
  drawValue: (draw) => draw.below(4) - 1,
});

function drawDistinct(place: Place, from: From, where: Expr | undefined): Made {
  const { draw } = place;
  const own = comparable(columnsOf(from.sources));
  // Without ids rows are more often the same.
  const values = own.filter(({ isID }) => !isID);
  const shown = drawShown(place, draw.once(2) || values.length === 0 ? own : values);
  const query = from.start(shown).where(where).distinct();
  return { query: windowed(place, query, [...shown.values()]), shown };
}

/** A subquery of `where`: of one column of the family, or of anything; null where no table has the family. */
function drawSubquery(place: Place, family: CompareFamily | null): AnySelect | null {
  const { draw, outer } = place;
  const from = drawFrom(place, { joinsMax: 1, derivedOneIn: 6 });
  const [first] = from.sources;
  const links = draw.once(family === null ? 8 : 2) ? [] : [drawLink(draw, draw.pick(outer), first!)];
  const where = and(...links, draw.once(2) ? drawWhere(place, from.sources) : undefined);
  if (family === null) {
    const shape = draw.pick(["rows", "rows", "projected", "grouped", "distinct"] as const);
    return drawShape(place, { from, shape, where }).query;
  }
  const fitting = comparable(columnsOf(from.sources), family);
  return fitting.length === 0 ? null : drawList(place, from, { where, of: draw.pick(fitting) });
}

/** A subquery that shows one column: plain, distinct, in groups, or an aggregate of it. */
function drawList(place: Place, from: From, { where, of }: { where: Expr; of: ColumnTerm }): AnySelect {
  const { draw } = place;
  const only = (term: Term) => from.start(new Map([["v", term]])).where(where);
  switch (draw.below(6)) {
    case 0:
      return only(of).distinct();
    case 1: {
      const tested = [of, drawAggregate(draw, columnsOf(from.sources))];
      return only(of)
        .groupBy(of.term)
        .having(drawCondition({ draw, own: tested, outer: [] }, 0));
    }
    case 2:
      return only({ ...of, term: (draw.once(2) ? max : min)(of.term as never) });
    case 3:
      return windowed(place, only(of), columnsOf(from.sources));
    default:
      return only(of);
  }
}

function withIncludes(place: Place, query: AnySelect, sources: readonly Source[]): AnySelect {
  const included = query.include({ kids: drawChild(place, sources) }) as AnySelect;
  return place.draw.once(4) ? included.include({ others: drawChild(place, sources) }) : included;
}

/** A select inside `include`: correlated by an equality most of the time. */
function drawChild(place: Place, parents: readonly Source[]): AnySelect {
  const { draw, depth } = place;
  const inner: Place = { ...place, outer: [...outerOf(place, parents), ...parents], depth: depth - 1 };
  const from = drawFrom(inner, { joinsMax: draw.below(2), derivedOneIn: 6 });
  const shape = draw.pick(["rows", "rows", "rows", "projected", "grouped", "distinct"] as const);
  const links = draw.once(8) ? [] : [drawLink(draw, draw.pick(draw.once(4) ? inner.outer : parents), from.sources[0]!)];
  const where = and(...links, draw.once(3) ? drawWhere(inner, from.sources) : undefined);
  let { query } = drawShape(inner, { from, shape, where });
  if (draw.once(4)) query = query.one();
  const canNest = inner.depth > 0 && (shape === "rows" || shape === "projected");
  return canNest && draw.once(2) ? withIncludes(inner, query, from.sources) : query;
}
