// Owns: values, rows and queries as text: to compare them, and for people to read.

import type { Expr, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import type { Operand, SourceNode } from "../../packages/plasma-sync/src/core/query/ast.ts";

/** The same text for values that show the same: the order of keys does not count. */
export function showOf(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null)
    return Object.is(value, -0) ? "-0" : (JSON.stringify(value) ?? "undefined");
  if (value instanceof Uint8Array) return `bytes(${value.join()})`;
  if (Array.isArray(value)) return `[${value.map(showOf).join(",")}]`;
  const fields = value as { readonly [key: string]: unknown };
  const keys = Object.keys(fields).sort();
  return `{${keys.map((key) => `${key}:${showOf(fields[key])}`).join(",")}}`;
}

/** A query as it could be written. Its order has the keys that the builder has added. */
export function showQuery(query: SelectNode): string {
  const { from, joins, where, groupBy, having, orderBy, after, limit, offset, projection, includes } = query;
  const shown = projection?.map(({ key, column }) => `${key}: ${showTerm(column)}`).join(", ");
  return [
    shown === undefined ? "select()" : `select({ ${shown} })`,
    from.query === undefined ? `.from(${showSource(from)})` : `.fromSubquery(${showQuery(from.query)}, "${from.name}")`,
    ...joins.map(({ kind, source, on }) => `.${kind}Join(${showSource(source)}, ${showExpr(on)})`),
    where === null ? "" : `.where(${showExpr(where)})`,
    groupBy.length === 0 ? "" : `.groupBy(${groupBy.map(showTerm).join(", ")})`,
    having === null ? "" : `.having(${showExpr(having)})`,
    query.distinct ? ".distinct()" : "",
    `.orderBy(${orderBy.map(({ column, direction }) => `${direction}(${showTerm(column)})`).join(", ")})`,
    after === null ? "" : `.after(${after.map(showOf).join(", ")})`,
    limit === null || query.one ? "" : `.limit(${limit})`,
    offset === 0 ? "" : `.offset(${offset})`,
    query.one ? ".one()" : "",
    includes.length === 0
      ? ""
      : `.include({ ${includes.map(({ key, query: q }) => `${key}: ${showQuery(q)}`).join(", ")} })`,
  ].join("");
}

const showSource = ({ name, table }: SourceNode): string => (name === table ? name : `alias(${table}, "${name}")`);

function showTerm(operand: Operand): string {
  if (operand.type === "value") return showOf(operand.value);
  if (operand.type === "column") return `${operand.source}.${operand.column}`;
  return `${operand.fn}(${operand.column === null ? "" : showTerm(operand.column)})`;
}

function showExpr(expr: Expr): string {
  switch (expr.type) {
    case "and":
    case "or":
      return `${expr.type}(${expr.args.map(showExpr).join(", ")})`;
    case "not":
      return `not(${showExpr(expr.arg)})`;
    case "compare":
      return `${expr.op}(${showTerm(expr.left)}, ${showTerm(expr.right)})`;
    case "in":
      return `${expr.negated ? "notInArray" : "inArray"}(${showTerm(expr.operand)}, [${expr.values.map(showTerm).join(", ")}])`;
    case "isNull":
      return `${expr.negated ? "isNotNull" : "isNull"}(${showTerm(expr.operand)})`;
    case "like":
      return `like(${showTerm(expr.operand)}, ${JSON.stringify(expr.pattern)})`;
    case "between":
      return `between(${[expr.operand, expr.low, expr.high].map(showTerm).join(", ")})`;
    case "exists":
      return `${expr.negated ? "notExists" : "exists"}(${showQuery(expr.query)})`;
    case "inQuery":
      return `${expr.negated ? "notInArray" : "inArray"}(${showTerm(expr.operand)}, ${showQuery(expr.query)})`;
  }
}
