// Owns: reading rows through the SQL compiler on behalf of a mutation, on any connection.

import { assert, must } from "../../core/lib/assert.ts";
import type { Expr, ResultRow, SelectNode } from "../../core/query/ast.ts";
import { selectWhere } from "../../core/query/select-where.ts";
import type { AnySchema } from "../../core/schema/schema.ts";
import type { Row } from "../../core/schema/value.ts";
import { compileSelect, type CompiledSelect, type CompileScope } from "../sql/compile-select.ts";
import type { SqlRow, SqlStatement } from "./sql-executor.ts";

type RunSelect = (statement: SqlStatement) => Promise<readonly SqlRow[]>;

export async function runSelect(query: SelectNode, scope: CompileScope, run: RunSelect): Promise<ResultRow[]> {
  const { text, params, decode } = compileSelect(query, scope);
  return decode(await run({ text, params }));
}

/** The look-up of one row by id, which every write begins with: compiled once. Its one bound value is the id. */
const oneByID = new WeakMap<AnySchema, Map<string, CompiledSelect>>();

function selectOne(table: string, { schema, dialect = "sqlite" }: CompileScope): CompiledSelect {
  let selects = oneByID.get(schema);
  if (selects === undefined) oneByID.set(schema, (selects = new Map()));
  const key = `${dialect} ${table}`;
  let select = selects.get(key);
  if (select === undefined) {
    select = compileSelect(selectWhere(table, hasID(table, [""])), { schema, dialect });
    assert(select.params.length === 1, "table reads: a look-up by id binds the id alone");
    selects.set(key, select);
  }
  return select;
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
  const [id] = ids;
  if (ids.length > 1 || id === undefined || scope.shadows !== undefined || scope.asOf !== undefined)
    return (await runSelect(selectWhere(table, hasID(table, ids)), scope, run)) as readonly Row[];
  const { text, decode } = selectOne(table, scope);
  return decode(await run({ text, params: [id] })) as readonly Row[];
}

/** That a row of the table has one of the ids. */
export function hasID(table: string, ids: readonly string[]): Expr {
  const column = { type: "column", source: table, column: "id", kind: "id" } as const;
  const values = ids.map((value) => ({ type: "value", value, kind: "id" }) as const);
  const [only] = values;
  if (values.length === 1 && only !== undefined) return { type: "compare", op: "eq", left: column, right: only };
  return { type: "in", operand: column, values, negated: false };
}
