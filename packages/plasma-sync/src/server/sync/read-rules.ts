// Owns: ReadRules: the read rules of all tables for one caller, in the two forms that they have.
//   row     decided from the row alone: `auth.read`, a `readWhere` without subqueries, or no rule at all
//   query   a `readWhere` that looks into other tables: decided by the database
// Invariants:
//   1. Rules fail closed: only `true` allows, so a rule that returns a promise by mistake shows nothing.
//   2. A rule is checked like a `where` of the builder, and names synced tables of the schema only.

import { PlasmaError } from "../../core/error.ts";
import type { Expr } from "../../core/query/ast.ts";
import { bindExpr, hasSubquery } from "../../core/query/bind-select.ts";
import { compileFilter } from "../../core/query/predicate.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import { tablesOf } from "../../core/query/tables-of.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { TableMeta } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";

export interface RowRule {
  readonly type: "row";
  readonly sees: (row: Row) => boolean;
  /** The same for the database; null where only JavaScript knows it, or everybody sees every row. */
  readonly where: Expr | null;
}

export interface QueryRule {
  readonly type: "query";
  readonly where: Expr;
  /** Whether the rule reads its own table again. */
  readonly readsItself: boolean;
}

export type ReadRule = RowRule | QueryRule;

export class ReadRules {
  readonly schema: AnySchema;
  readonly #ctx: unknown;
  readonly #rules = new Map<TableMeta, ReadRule>();

  constructor(schema: AnySchema, ctx: unknown) {
    this.schema = schema;
    this.#ctx = ctx;
  }

  /** Throws `query/*` for a condition that cannot be. */
  of(meta: TableMeta): ReadRule {
    let rule = this.#rules.get(meta);
    if (rule === undefined) this.#rules.set(meta, (rule = this.#ruleOf(meta)));
    return rule;
  }

  #ruleOf(meta: TableMeta): ReadRule {
    const { read, readWhere } = meta.auth;
    if (readWhere !== undefined) return whereRule(meta, readWhere(this.#ctx), this.schema);
    if (read === undefined) return { type: "row", sees: () => true, where: null };
    // A rule that is wrongly async gives a promise, which is truthy.
    return { type: "row", sees: (row) => (read(this.#ctx, row) as unknown) === true, where: null };
  }
}

function whereRule(meta: TableMeta, given: Expr, schema: AnySchema): ReadRule {
  const where = bindExpr(given, {
    scope: { tables: [meta], outer: null },
    place: `readWhere of "${meta.name}"`,
    hasSubqueries: true,
  });
  if (!hasSubquery(where)) return { type: "row", sees: compileFilter(where, meta.name), where };
  // The select's own table stands first; the subqueries' tables follow.
  const named = tablesOf(selectWhere("", where)).filter((table) => table !== "");
  for (const table of named) checkTable(table, schema);
  return { type: "query", where, readsItself: named.includes(meta.name) };
}

function checkTable(table: string, schema: AnySchema): void {
  const meta = schema.tablesByName.get(table);
  if (meta === undefined)
    throw new PlasmaError("query/unknown-table", { table, known: [...schema.tablesByName.keys()] });
  if (meta.changeLogSuppressed)
    throw new PlasmaError("query/unsupported", { what: `A readWhere that reads the local-only table "${table}"` });
}
