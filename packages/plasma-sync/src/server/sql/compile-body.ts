// Owns: everything of a select from FROM on, for both dialects: sources, joins, conditions, groups, order, bounds.
// Invariants:
//   1. What `distinct` leaves out is left out by GROUP BY, so that an order may speak of columns as they are stored.
//   2. Derived sources name their columns k0, k1, …: whatever keys the app chose.

import { must } from "../../core/lib/assert.ts";
import { isGrouped, termKey, type ColumnNode, type JoinNode, type SelectNode } from "../../core/query/ast.ts";
import type { SourceNode, Term } from "../../core/query/ast.ts";
import { tableOfSource } from "../../core/query/derived-table.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import { afterCondition } from "./after-condition.ts";
import { chain, compileExpr, type ExprScope } from "./compile-expr.ts";
import { isNullable, termSql, type Names, type SqlColumn, type SqlSource } from "./compile-terms.ts";
import type { Dialect } from "./dialect.ts";
import type { SqlParams } from "./sql-params.ts";
import { FALSE, quoteName } from "./sql-text.ts";

/** What all selects of one statement share. */
export interface Statement {
  readonly schema: AnySchema;
  readonly dialect: Dialect;
  readonly params: SqlParams;
  /** Of each source: t0, t1, … over the whole statement. */
  readonly newAlias: () => string;
}

export interface Body {
  /** The select that the text stands for: the one given, or one that means the same. */
  readonly query: SelectNode;
  readonly names: Names;
  /** `FROM …` and so on; what stands before it may name columns of `names`. */
  readonly text: string;
}

/** Whether the order of the rows matters: always, only for a limit or offset, or not at all. */
type Order = "always" | "window" | "never";

/** Compiles a select inside another, whose names it may use. */
export function compileBody(
  given: SelectNode,
  statement: Statement,
  place: { outer: Names | null; order: Order },
): Body {
  const query = withoutDistinctGroups(given);
  const sources = sourcesOf(query, statement, place.outer);
  const names: Names = { sources, outer: place.outer };
  const scope = scopeOf(names, statement);
  const on = query.joins.map((join, i) => joinSql(join, scope, { left: sources[0], right: sources[i + 1] }));
  const parts = [
    `FROM ${[must(sources[0], "sql: a select has a source").text, ...on].join(" ")}`,
    ...conditionsOf(query, names, {
      ...scope,
      subquery: (inner, shows) => subquerySql(inner, shows, statement, names),
    }),
  ];
  const isWindow = query.limit !== null || query.offset > 0;
  if (place.order === "always" || (place.order === "window" && isWindow)) parts.push(...orderOf(query, names, scope));
  if (isWindow) parts.push(statement.dialect.limit(statement.params, query.limit, query.offset));
  return { query, names, text: parts.join(" ") };
}

/** A column that every row has, for a select that shows none. It keeps a select of one group such. */
export const anyColumn = (query: SelectNode): string =>
  isGrouped(query) && query.groupBy.length === 0 ? "count(*)" : "1";

/** Different ones of a grouped select's rows: the groups are made inside, the rest outside. */
function withoutDistinctGroups(query: SelectNode): SelectNode {
  const { projection } = query;
  if (!query.distinct || projection === null || !isGrouped(query)) return query;
  const outside = (term: Term): ColumnNode => {
    const shown = projection.find(({ column }) => termKey(column) === termKey(term));
    const { key } = must(shown, "sql: the builder refuses other orders of distinct rows");
    return { type: "column", source: "", column: key, kind: term.kind };
  };
  const groups: SelectNode = { ...query, distinct: false, orderBy: [], after: null, limit: null, offset: 0 };
  return {
    ...query,
    from: { name: "", table: "", query: groups },
    joins: [],
    where: null,
    groupBy: [],
    having: null,
    orderBy: query.orderBy.map(({ column, direction }) => ({ column: outside(column), direction })),
    projection: projection.map(({ key, column }) => ({ key, column: outside(column) })),
  };
}

const scopeOf = (names: Names, { dialect, params }: Statement): ExprScope => ({
  dialect,
  params,
  termSql: (term) => termSql(term, names, dialect),
});

function sourcesOf({ from, joins }: SelectNode, statement: Statement, outer: Names | null): SqlSource[] {
  return [from, ...joins.map(({ source }) => source)].map((source, i) => {
    const own = joins[i - 1]?.kind;
    const isOptional =
      own === "left" || own === "full" || joins.slice(i).some(({ kind }) => kind === "right" || kind === "full");
    return source.query === undefined
      ? tableSource(source, isOptional, statement)
      : derivedSource(source, isOptional, statement, outer);
  });
}

function tableSource(source: SourceNode, isOptional: boolean, { schema, dialect, newAlias }: Statement): SqlSource {
  const meta = tableOfSource(source, schema);
  const alias = newAlias();
  const columns = meta.columns.map(({ def }): SqlColumn => ({
    name: def.name,
    kind: def.kind,
    sql: `${alias}.${quoteName(def.name)}`,
    isNullable: isOptional || !def.notNull,
  }));
  const stored = meta.changeLogSuppressed ? emptyTable(meta, dialect) : quoteName(meta.name);
  const presence = `${alias}."id"`;
  return { ...namedColumns(source.name, columns), text: `${stored} AS ${alias}`, presence, isOptional };
}

/** A local-only table does not exist here: it reads as empty. */
const emptyTable = ({ columns }: TableMeta, dialect: Dialect): string =>
  `(SELECT ${columns.map(({ def }) => `${dialect.nullOf(def.kind)} AS ${quoteName(def.name)}`).join(", ")} WHERE ${FALSE})`;

function derivedSource(source: SourceNode, isOptional: boolean, statement: Statement, outer: Names | null): SqlSource {
  const query = must(source.query, "sql: a derived source has a query");
  const body = compileBody(query, statement, { outer, order: "window" });
  const { columns: fields } = tableOfSource(source, statement.schema);
  const alias = statement.newAlias();
  const columns = fields.map(({ def }, i): SqlColumn => ({
    name: def.name,
    kind: def.kind,
    sql: `${alias}.k${i}`,
    isNullable: true,
  }));
  const shown = shownTerms(body, statement);
  // Its rows have no id by which to tell the empty side of an outer join.
  if (isOptional || shown.length === 0) shown.push(anyColumn(body.query));
  const list = shown.map((sql, i) => `${sql} AS k${i}`).join(", ");
  const text = `(SELECT ${list} ${body.text}) AS ${alias}`;
  return { ...namedColumns(source.name, columns), text, presence: `${alias}.k${shown.length - 1}`, isOptional };
}

function shownTerms({ query, names }: Body, { dialect }: Statement): string[] {
  return (
    query.projection?.map(({ column }) => termSql(column, names, dialect)) ??
    must(names.sources[0], "sql: a select has a source").columns.map(({ sql }) => sql)
  );
}

const namedColumns = (name: string, columns: readonly SqlColumn[]) => ({
  name,
  columns,
  columnsByName: new Map(columns.map((column) => [column.name, column])),
});

const keywords = { inner: "INNER JOIN", left: "LEFT JOIN", right: "RIGHT JOIN", full: "FULL JOIN" };

function joinSql(
  join: JoinNode,
  scope: ExprScope,
  { left, right }: { readonly left: SqlSource | undefined; readonly right: SqlSource | undefined },
): string {
  const source = must(right, "sql: one source per join");
  const on = compileExpr(join.on, scope);
  const first = must(left, "sql: a select has a source").presence;
  const condition = join.kind === "full" ? scope.dialect.fullJoin(on, first, source.presence) : on;
  return `${keywords[join.kind]} ${source.text} ON ${condition}`;
}

/** WHERE, GROUP BY, HAVING. What `after` says is of groups where there are groups. */
function conditionsOf(query: SelectNode, names: Names, scope: ExprScope): string[] {
  const { where, having, groupBy, distinct, projection } = query;
  const after = afterCondition(query, { isNullable: (term) => isNullable(term, names) });
  const grouped = isGrouped(query);
  const rows = [where, grouped ? null : after].filter((expr) => expr !== null);
  const groups = [having, grouped ? after : null].filter((expr) => expr !== null);
  const keys: readonly Term[] = distinct ? (projection ?? []).map(({ column }) => column) : groupBy;
  const parts: string[] = [];
  const compiled = (exprs: typeof rows) =>
    chain(
      exprs.map((expr) => compileExpr(expr, scope)),
      "and",
    );
  if (rows.length > 0) parts.push(`WHERE ${compiled(rows)}`);
  if (keys.length > 0) parts.push(`GROUP BY ${[...new Set(keys.map(scope.termSql))].join(", ")}`);
  else if (distinct) parts.push(`GROUP BY (${FALSE})`);
  if (groups.length > 0) parts.push(`HAVING ${compiled(groups)}`);
  return parts;
}

function orderOf({ orderBy, from }: SelectNode, names: Names, { dialect, termSql: sqlOf }: ExprScope): string[] {
  const terms = orderBy.map(({ column, direction }) =>
    dialect.order(
      from.query === undefined ? sqlOf(column) : dialect.ofSubquery(sqlOf(column)),
      direction,
      isNullable(column, names),
    ),
  );
  return terms.length === 0 ? [] : [`ORDER BY ${terms.join(", ")}`];
}

function subquerySql(query: SelectNode, shows: "nothing" | "term", statement: Statement, outer: Names): string {
  const isTerm = shows === "term";
  const body = compileBody(query, statement, { outer, order: isTerm ? "window" : "never" });
  const shown = isTerm ? shownTerms(body, statement) : [anyColumn(body.query)];
  return `(SELECT ${shown.join(", ")} ${body.text})`;
}
