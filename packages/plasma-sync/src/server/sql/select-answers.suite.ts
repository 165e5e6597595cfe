// Owns: every operator of the query language, one query or more each, whose answers must be those of `evaluate`.

import { beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../core/query/evaluate.ts";
import type { Row } from "../../core/schema/value.ts";
import { schema } from "../database/server-database.fixture.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { queries } from "./answer-queries.fixture.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { answerRows } from "./answer-rows.fixture.ts";
import { subqueries } from "./answer-subqueries.fixture.ts";
import { compileSelect } from "./compile-select.ts";
import { putStatements } from "./row-statements.ts";
import type { PendingRows } from "./shadow.ts";

/** Makes the tables on an engine of SQLite and stores the rows, or others in their stead. */
export async function withAnswerRows(
  executor: SqlExecutor,
  rowsOf: (rows: readonly Row[]) => readonly Row[] = (rows) => rows,
): Promise<SqlExecutor> {
  await ensureSchema({ schema, executor });
  for (const [table, meta] of schema.tablesByName) {
    const rows = rowsOf(answerRows.get(table) ?? []);
    if (rows.length > 0) await executor.batch(putStatements(executor.dialect, meta, rows));
  }
  return executor;
}

export function selectAnswersSuite(
  name: string,
  open: () => Promise<SqlExecutor>,
  /** Which of a table's rows are not stored but pending. */
  pendingOf: (table: string, rows: readonly Row[]) => PendingRows = () => new Map(),
): void {
  describe(`answers of selects: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    beforeAll(async () => {
      executor = await open();
    });

    test.for(Object.entries({ ...queries, ...subqueries }))("%s", async ([what, { ast }]) => {
      const shadows = new Map([...answerRows].map(([table, rows]) => [table, pendingOf(table, rows)]));
      const compiled = compileSelect(ast, { schema, dialect: executor.dialect, shadows });
      const answer = compiled.decode(await executor.all({ text: compiled.text, params: compiled.params }));
      const expected = evaluate(ast, (table) => answerRows.get(table) ?? []);
      expect(answer).toEqual(expected);
      expect(expected.length > 0).toBe(!what.endsWith("[]"));
    });
  });
}
