// Owns: a database that holds the flights: filled, changed, and asked with compiled SQL.

import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import type { ResultRow, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import type { SqlExecutor, SqlStatement } from "../../packages/plasma-sync/src/server/database/sql-executor.ts";
import { ensureSchema } from "../../packages/plasma-sync/src/server/migration/ensure-schema.ts";
import { compileSelect } from "../../packages/plasma-sync/src/server/sql/compile-select.ts";
import { postgresInsert, postgresTable } from "../../packages/plasma-sync/src/server/sql/postgres-tables.fixture.ts";
import { deleteStatements, putStatements } from "../../packages/plasma-sync/src/server/sql/row-statements.ts";
import type { Tables } from "./dataset.ts";
import { schema } from "./schema.ts";

export interface FlightsDatabase {
  ask(query: SelectNode): Promise<readonly ResultRow[]>;
  /** The changes of one commit, one per row. */
  commit(changes: readonly RowChange[]): Promise<void>;
}

/** SQLite or D1, with the tables that Plasma makes. */
export async function onSqlite(executor: SqlExecutor, tables: Tables): Promise<FlightsDatabase> {
  await ensureSchema({ schema, executor });
  for (const [table, meta] of schema.tablesByName)
    await executor.batch(putStatements("sqlite", meta, [...(tables.get(table)?.values() ?? [])]));
  return databaseOf(executor, ({ table, id, after }) =>
    after === null ? deleteStatements("sqlite", table, [id]) : putStatements("sqlite", metaOf(table), [after]),
  );
}

export async function onPostgres(executor: SqlExecutor, tables: Tables): Promise<FlightsDatabase> {
  for (const [table, meta] of schema.tablesByName) {
    const rows = [...(tables.get(table)?.values() ?? [])];
    await executor.batch([postgresTable(meta), ...rows.map((row) => postgresInsert(meta, row))]);
  }
  return databaseOf(executor, ({ table, id, after }) => [
    { text: `DELETE FROM "${table}" WHERE "id" = $1`, params: [id] },
    ...(after === null ? [] : [postgresInsert(metaOf(table), after)]),
  ]);
}

function databaseOf(
  executor: SqlExecutor,
  statementsOf: (change: RowChange) => readonly SqlStatement[],
): FlightsDatabase {
  return {
    async ask(query) {
      const { text, params, decode } = compileSelect(query, { schema, dialect: executor.dialect });
      return decode(await executor.all({ text, params }));
    },
    async commit(changes) {
      await executor.batch(changes.flatMap(statementsOf));
    },
  };
}

const metaOf = (table: string) => schema.tablesByName.get(table) as Parameters<typeof putStatements>[1];
