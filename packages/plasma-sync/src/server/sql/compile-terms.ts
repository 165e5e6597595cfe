// Owns: what names stand for in SQL: the sources of a select and of those around it, columns, aggregates.
// Invariant: the alias of a source is unique in the whole statement, so a name that a subquery hides stays reachable.

import { must } from "../../core/lib/assert.ts";
import type { AggregateNode, ColumnNode, Term } from "../../core/query/ast.ts";
import type { ColumnKind } from "../../core/schema/value.ts";
import type { Dialect } from "./dialect.ts";

export interface SqlColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly sql: string;
  readonly isNullable: boolean;
}

export interface SqlSource {
  /** As the query calls it. */
  readonly name: string;
  /** FROM has it so. */
  readonly text: string;
  readonly columns: readonly SqlColumn[];
  readonly columnsByName: ReadonlyMap<string, SqlColumn>;
  /** Null exactly where a row of this source is missing. */
  readonly presence: string;
  /** Whether an outer join can miss its row. */
  readonly isOptional: boolean;
}

/** The sources that a query sees: its own, and those of the queries around it. */
export interface Names {
  readonly sources: readonly SqlSource[];
  readonly outer: Names | null;
}

/** The SQL of a term. */
export function termSql(term: Term, names: Names, dialect: Dialect): string {
  return term.type === "column" ? columnOf(term, names).sql : aggregateSql(term, names, dialect);
}

export function isNullable(term: Term, names: Names): boolean {
  if (term.type === "aggregate") return term.fn !== "count" && term.fn !== "countDistinct";
  return columnOf(term, names).isNullable;
}

const ownColumn = ({ source, column }: ColumnNode, names: Names): SqlColumn | undefined => {
  const found = names.sources.find(({ name }) => name === source);
  return found && must(found.columnsByName.get(column), "sql: the builder refuses unknown columns");
};

const columnOf = (node: ColumnNode, names: Names): SqlColumn =>
  ownColumn(node, names) ?? columnOf(node, must(names.outer, "sql: the builder refuses columns of other sources"));

function aggregateSql({ fn, column }: AggregateNode, names: Names, dialect: Dialect): string {
  if (column === null) return "count(*)";
  let { sql } = columnOf(column, names);
  // An aggregate belongs to the innermost query of whose columns it speaks: it has to speak of one of this.
  if (ownColumn(column, names) === undefined)
    sql = `CASE WHEN ${must(names.sources[0], "sql: a select has a source").presence} IS NULL THEN ${sql} ELSE ${sql} END`;
  if (fn === "count") return `count(${sql})`;
  return fn === "countDistinct" ? `count(DISTINCT ${sql})` : dialect.aggregate(fn, column.kind, sql);
}
