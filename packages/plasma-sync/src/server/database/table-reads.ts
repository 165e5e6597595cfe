// Owns: reading rows through the SQL compiler on behalf of a mutation, on any connection.

import { must } from "../../core/lib/assert.ts";
import type { Expr, ResultRow, SelectNode } from "../../core/query/ast.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import type { Row } from "../../core/schema/value.ts";
import { compileSelect, type CompileScope } from "../sql/compile-select.ts";
import type { SqlRow, SqlStatement } from "./sql-executor.ts";

type RunSelect = (statement: SqlStatement) => Promise<readonly SqlRow[]>;

export async function runSelect(query: SelectNode, scope: CompileScope, run: RunSelect): Promise<ResultRow[]> {
  const { text, params, decode } = compileSelect(query, scope);
  return decode(await run({ text, params }));
}

/** The rows with these ids; one statement. */
export async function runGetMany(
  table: string,
  ids: readonly string[],
  scope: CompileScope,
  run: RunSelect,
): Promise<readonly Row[]> {
  const meta = must(scope.schema.tablesByName.get(table), "table reads: core reads tables of the schema");
  if (ids.length === 0 || meta.changeLogSuppressed) return [];
  return (await runSelect(selectWhere(table, hasID(table, ids)), scope, run)) as readonly Row[];
}

function hasID(table: string, ids: readonly string[]): Expr {
  const column = { type: "column", source: table, column: "id", kind: "id" } as const;
  const values = ids.map((value) => ({ type: "value", value, kind: "id" }) as const);
  const [only] = values;
  if (values.length === 1 && only !== undefined) return { type: "compare", op: "eq", left: column, right: only };
  return { type: "in", operand: column, values, negated: false };
}
