// Owns: databases as executors of generated cases.

import type { ResultRow, Row, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import type { TableMeta } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { SqlExecutor, SqlStatement } from "../../packages/plasma-sync/src/server/database/sql-executor.ts";
import { compileSelect } from "../../packages/plasma-sync/src/server/sql/compile-select.ts";
import { postgresInsert, postgresTable } from "../../packages/plasma-sync/src/server/sql/postgres-tables.fixture.ts";
import { deleteStatements, putStatements } from "../../packages/plasma-sync/src/server/sql/row-statements.ts";
import { sqlType } from "../../packages/plasma-sync/src/server/sql/sql-value.ts";
import type { Follower } from "./check-case.ts";
import type { World } from "./world.ts";

/** How an engine writes; all read by `compileSelect`. */
interface Writing {
  readonly create: (meta: TableMeta) => SqlStatement;
  readonly put: (meta: TableMeta, rows: readonly Row[]) => readonly SqlStatement[];
  readonly remove: (table: string, ids: readonly string[]) => readonly SqlStatement[];
}

const plainTable = (meta: TableMeta): SqlStatement => {
  const columns = meta.columns.map(
    ({ def }) => `"${def.name}" ${sqlType(def.kind)}${def.kind === "id" ? " PRIMARY KEY" : ""}`,
  );
  return { text: `CREATE TABLE "${meta.name}" (${columns.join(", ")})`, params: [] };
};

const sqliteWriting: Writing = { create: plainTable, put: putStatements, remove: deleteStatements };

const postgresWriting: Writing = {
  create: postgresTable,
  put: (meta, rows) =>
    rows.flatMap((row) => [postgresDelete(meta.name, row["id"] as string), postgresInsert(meta, row)]),
  remove: (table, ids) => ids.map((id) => postgresDelete(table, id)),
};

const postgresDelete = (table: string, id: string): SqlStatement => ({
  text: `DELETE FROM "${table}" WHERE "id" = $1`,
  params: [id],
});

/** A database that takes each world anew. */
export function createFollower(name: string, open: () => Promise<SqlExecutor>, close: () => Promise<void>): Follower {
  let executor: SqlExecutor | null = null;
  let world: World | null = null;
  const opened = (): SqlExecutor => executor as SqlExecutor;
  const writing = (): Writing => (opened().dialect === "postgres" ? postgresWriting : sqliteWriting);
  const metaOf = (table: string): TableMeta => (world as World).schema.tablesByName.get(table) as TableMeta;
  return {
    name,
    async open(next) {
      executor ??= await open();
      world = next;
      const tables = [...next.schema.tablesByName.values()];
      await opened().batch([
        ...["a", "b", "c", "d"].map((table) => ({ text: `DROP TABLE IF EXISTS "${table}"`, params: [] })),
        ...tables.map(writing().create),
        ...tables.flatMap((meta) => {
          const rows = [...(next.rows.get(meta.name)?.values() ?? [])];
          return rows.length === 0 ? [] : writing().put(meta, rows);
        }),
      ]);
    },
    async commit(changes) {
      const statements = changes.flatMap(({ table, id, after }) =>
        after === null ? writing().remove(table, [id]) : writing().put(metaOf(table), [after]),
      );
      if (statements.length > 0) await opened().batch(statements);
    },
    async run(query: SelectNode): Promise<readonly ResultRow[]> {
      const { text, params, decode } = compileSelect(query, {
        schema: (world as World).schema,
        dialect: opened().dialect,
      });
      return decode(await opened().all({ text, params }));
    },
    close,
  };
}
