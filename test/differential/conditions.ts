// Owns: generated conditions over the sources of a query, made by the public functions.

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
  type AnyColumn,
  type AnySelect,
  type AnyTable,
  type Expr,
  type Value,
} from "../../packages/plasma-sync/src/core/index.ts";
import { metaOf } from "../../packages/plasma-sync/src/core/schema/table.ts";
import { compareFamily } from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { Draw } from "./draw.ts";
import { idsOf, drawValue } from "./world.ts";

/** A table under the name that it has in a query. */
export type Source = AnyTable;

export interface ConditionScope {
  readonly draw: Draw;
  readonly own: readonly Source[];
  /** Of the queries around. */
  readonly outer: readonly Source[];
  /** Makes a subquery, of one column where `family` says which; absent where none may stand. */
  readonly subquery?: (family: string | null) => AnySelect;
}

const familyOf = (column: AnyColumn): string | null => compareFamily(column.def.kind);

export const columnsOf = (sources: readonly Source[], family?: string): AnyColumn[] =>
  sources.flatMap((source) => metaOf(source).columns).filter((c) => family === undefined || familyOf(c) === family);

/** A value to compare the column with: mostly one that rows have. */
function valueFor(draw: Draw, { def }: AnyColumn): Value {
  if (draw.once(12)) return null;
  if (def.kind === "id") return draw.pick(idsOf(metaTable(def.table)));
  return drawValue(draw, { ...def, notNull: true });
}

/** Aliases are the table's name and a number. */
const metaTable = (name: string): string => name.slice(0, 1);

const compares = [eq, eq, ne, gt, gte, lt, lte] as const;

/** A condition that is true of a good share of rows: what is selective stands beside `or` and `not` as often. */
export function drawCondition(scope: ConditionScope, depth: number): Expr {
  const { draw, own, outer, subquery } = scope;
  const column = draw.pick(columnsOf(own));
  const again = (): Expr => drawCondition(scope, depth - 1);
  const shapes = depth > 0 ? 14 : 8;
  switch (draw.below(shapes)) {
    case 0:
    case 1:
      return draw.pick(compares)(column, operandFor(draw, column, [...own, ...outer]) as never);
    case 2:
      return (draw.once(3) ? notInArray : inArray)(
        column,
        draw.list(draw.below(5), () => valueFor(draw, column)) as never,
      );
    case 3:
      return (draw.once(2) ? isNull : isNotNull)(column);
    case 4:
      return ne(column, valueFor(draw, column) as never);
    case 5: {
      const pattern = draw.pick(["%", "a%", "_%", "%b", "_", "A_"]);
      return like(draw.pick(columnsOf(own, "text")) as never, pattern);
    }
    case 6:
      return between(column, valueFor(draw, column) as never, operandFor(draw, column, own) as never);
    case 7:
      return or(gte(column, valueFor(draw, column) as never), isNull(column));
    case 8:
      return and(again(), again());
    case 9:
      return or(again(), again(), again());
    case 10:
      return not(again());
    case 11:
      return subquery === undefined ? again() : (draw.once(3) ? notExists : exists)(subquery(null));
    case 12: {
      if (subquery === undefined) return again();
      return (draw.once(3) ? notInArray : inArray)(column, subquery(familyOf(column)) as never);
    }
    default:
      return or(again(), again());
  }
}

function operandFor(draw: Draw, column: AnyColumn, sources: readonly Source[]): AnyColumn | Value {
  const family = familyOf(column);
  return draw.once(3) && family !== null ? draw.pick(columnsOf(sources, family)) : valueFor(draw, column);
}

/** An equality that joins two sources: by a ref where there is one. */
export function drawLink(draw: Draw, left: Source, right: Source): Expr {
  const [a, b] = [metaOf(left), metaOf(right)];
  const refs = [...refsBetween(left, right), ...refsBetween(right, left)];
  if (refs.length > 0 && !draw.once(6)) return draw.pick(refs);
  const ids = [a, b].map((meta) => meta.columnsByName.get("id") as AnyColumn) as [AnyColumn, AnyColumn];
  if (a.source === b.source && draw.once(2)) return eq(ids[0], ids[1]);
  const pairs = a.columns.flatMap((one) =>
    b.columns.filter((other) => familyOf(other) === familyOf(one)).map((other) => eq(one, other)),
  );
  return draw.pick(pairs);
}

const refsBetween = (child: Source, parent: Source): Expr[] =>
  metaOf(child)
    .columns.filter(({ def }) => def.ref?.column().def.table === metaOf(parent).source)
    .map((column) => eq(column, metaOf(parent).columnsByName.get("id") as AnyColumn));
