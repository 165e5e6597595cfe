// Owns: what a generated query can name: the columns of its sources and its aggregates, as terms that know their values.

import { alias, colRef, type AnyColumn, type AnyTable, type Value } from "../../packages/plasma-sync/src/core/index.ts";
import type { AnyAggregate } from "../../packages/plasma-sync/src/core/query/aggregates.ts";
import { metaOf } from "../../packages/plasma-sync/src/core/schema/table.ts";
import {
  compareFamily,
  type ColumnKind,
  type CompareFamily,
} from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { Draw } from "./draw.ts";
import { drawValue, isSmall, type World } from "./world.ts";

export interface Term {
  readonly term: AnyColumn | AnyAggregate;
  readonly kind: ColumnKind;
  /** May be summed: within SPEC's bound, and exact in every order. */
  readonly isSmall: boolean;
  /** The table whose ids it holds. */
  readonly idsOf: string | null;
  readonly isID: boolean;
  /** One that rows may have; not null. */
  readonly drawValue: (draw: Draw) => Value;
}

/** A column of a source: no aggregate. */
export interface ColumnTerm extends Term {
  readonly term: AnyColumn;
}

export interface Source {
  readonly name: string;
  /** Null for a subquery. */
  readonly table: AnyTable | null;
  readonly columns: readonly ColumnTerm[];
}

export const familyOf = ({ kind }: Term): CompareFamily | null => compareFamily(kind);

/** Terms that compare, with `family` only those of it. */
export const comparable = <T extends Term>(terms: readonly T[], family?: CompareFamily | null): T[] =>
  terms.filter((term) => familyOf(term) !== null && (family === undefined || familyOf(term) === family));

export const columnsOf = (sources: readonly Source[]): ColumnTerm[] => sources.flatMap(({ columns }) => columns);

/** A table of the world under a name. */
export function tableSource(world: World, table: AnyTable, name: string): Source {
  const meta = metaOf(table);
  const named = name === meta.name ? table : (alias(table as never, name) as AnyTable);
  const columns = metaOf(named).columns.map((column, i): ColumnTerm => {
    const def = meta.columns[i]!.def;
    return {
      term: column,
      kind: def.kind,
      isSmall: isSmall(def.name),
      idsOf: def.kind === "id" ? def.table : (def.ref?.column().def.table ?? null),
      isID: def.kind === "id",
      drawValue: (draw) => drawValue(draw, world, def),
    };
  });
  return { name, table: named, columns };
}

/** A subquery under a name: what it shows, by key. */
export const derivedSource = (name: string, shown: ReadonlyMap<string, Term>): Source => ({
  name,
  table: null,
  columns: [...shown].map(([key, term]) => ({ ...term, isID: false, term: colRef(name, key) })),
});
