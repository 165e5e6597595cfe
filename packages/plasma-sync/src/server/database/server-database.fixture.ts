// Owns: the schema and the small tools that the suites of this room share.

import { createDb, type Db } from "../../core/query/db.ts";
import type { ResultRow, SelectNode } from "../../core/query/ast.ts";
import { runStatement } from "../../core/mutation/statement.ts";
import type { MutationStore } from "../../core/mutation/mutation-store.ts";
import { bigint, blob, boolean, id, int, json, real, ref, text, timestamp } from "../../core/schema/column.ts";
import { defineSchema, type AnySchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { compileSelect } from "../sql/compile-select.ts";
import { dumpDatabase } from "./database-dump.fixture.ts";
import type { MutationOrigin, PushDeps, PushScope } from "./push-transaction.ts";
import type { SqlExecutor, SqlRow, SqlStatement } from "./sql-executor.ts";

export const users = table("users", { id: id(), name: text(), email: text().nullable().unique() });
export const todos = table(
  "todos",
  { id: id(), title: text(), rank: int().default(0), ownerId: ref(() => users.id, { onDelete: "cascade" }) },
  { unique: (t) => [[t.ownerId, t.title]] },
);
export const things = table("things", {
  id: id(),
  text: text().nullable(),
  int: int().nullable(),
  real: real().nullable(),
  at: timestamp().nullable(),
  big: bigint().nullable(),
  flag: boolean().nullable(),
  bytes: blob().nullable(),
  data: json().nullable(),
  parentId: ref(() => users.id).nullable(),
});
const wideColumns = Object.fromEntries(
  Array.from({ length: 60 }, (_, i) => [`c${i}`, i % 2 === 0 ? int().nullable() : bigint().nullable()]),
);
export const wide = table("wide", { id: id(), ...wideColumns });
export const drafts = table("drafts", { id: id(), body: text() }, { changeLogSuppressed: true });
export const schema = defineSchema({ users, todos, things, wide, drafts });

export const nothing = {
  text: null,
  int: null,
  real: null,
  at: null,
  big: null,
  flag: null,
  bytes: null,
  data: null,
  parentId: null,
};
export const thing = (values: Partial<Row> & { readonly id: string }): Row => ({ ...nothing, ...values });

export const sql = (text: string, ...params: SqlStatement["params"]): SqlStatement => ({ text, params });

/** Runs a select of the builder on the database. */
export async function runOn(
  executor: SqlExecutor,
  query: SelectNode,
  inSchema: AnySchema = schema,
): Promise<ResultRow[]> {
  const compiled = compileSelect(query, { schema: inSchema, dialect: executor.dialect });
  return compiled.decode(await executor.all({ text: compiled.text, params: compiled.params }));
}

/** The query builder over a mutation's store. */
export function dbOf(store: MutationStore): Db {
  const newId = () => crypto.randomUUID();
  return createDb({
    schema,
    engine: { select: (query) => store.select(query), write: (node) => runStatement({ schema, store, newId }, node) },
  });
}

export const NOW = 1_700_000_000_000;
export const depsOf = (executor: SqlExecutor, more: Partial<PushDeps> = {}): PushDeps => ({
  executor,
  schema,
  now: () => NOW,
  ...more,
});
export const origin = (mutationID: number, clientID = "c1"): MutationOrigin => ({
  clientGroupID: "g",
  clientID,
  replicaID: "r",
  mutationID,
});
export const scopeOf = (...ids: readonly number[]): PushScope => ({
  clientGroupID: "g",
  idsByClient: new Map([["c1", ids]]),
});

/** The log's entries. Numbers are numbers, also those that Postgres hands out as text. */
export async function logOf(executor: SqlExecutor): Promise<readonly SqlRow[]> {
  const entries = await executor.all(sql("SELECT * FROM _plasma_changes ORDER BY row_version"));
  return entries.map((entry) => ({
    ...entry,
    row_version: Number(entry["row_version"]),
    created_at: Number(entry["created_at"]),
    mutation_id: entry["mutation_id"] === null ? null : Number(entry["mutation_id"]),
  }));
}

export async function idsOf(executor: SqlExecutor, name: string): Promise<unknown[]> {
  return (await executor.all(sql(`SELECT id FROM "${name}" ORDER BY id`))).map((row) => row["id"]);
}

/** Everything that is stored, so that "nothing changed" can be said of all of it. */
export const dumpOf = (executor: SqlExecutor): Promise<unknown> => dumpDatabase(executor);

/** Counts statements, those of batches and transactions included; `onStatement` may throw in place of one. */
export function watched(executor: SqlExecutor, onStatement: (statement: SqlStatement) => void): SqlExecutor {
  return {
    ...executor,
    all: async (statement) => {
      onStatement(statement);
      return executor.all(statement);
    },
    run: async (statement) => {
      onStatement(statement);
      return executor.run(statement);
    },
    batch: async (statements) => {
      statements.forEach(onStatement);
      return executor.batch(statements);
    },
    transaction: (fn) =>
      executor.transaction((connection) =>
        fn({
          all: async (statement) => {
            onStatement(statement);
            return connection.all(statement);
          },
          run: async (statement) => {
            onStatement(statement);
            return connection.run(statement);
          },
        }),
      ),
  };
}
