// The code of docs/guides/postgres.md, region by region. The tests compile and run it.

// #region schema
import { defineMutators, defineSchema, eq, id, table, text, timestamp, type MutatorInput } from "plasma-sync/core";

export const todos = table("todos", {
  id: id(),
  title: text().unique(),
  state: text({ enum: ["open", "done"] }).default("open"),
  due: timestamp().nullable(),
});
export const schema = defineSchema({ todos });

type Input<Args> = MutatorInput<typeof schema, unknown, Args>;
export const mutators = defineMutators<typeof schema, unknown>()({
  add: async ({ db, args, newId }: Input<{ title: string; due: number }>) => {
    await db.insert(todos).values({ id: newId(), ...args });
  },
  reopen: async ({ db, args }: Input<{ id: string }>) => {
    await db.update(todos).set({ state: "open" }).where(eq(todos.id, args.id));
  },
});
// #endregion

// #region server
import postgres, { type Sql } from "postgres";
import { createSyncHandler } from "plasma-sync/server";
import { fromPostgres } from "plasma-sync/server/postgres";

export const connect = (url: string): Sql => postgres(url, { max: 10 });

export const handlerOn = (sql: Sql) =>
  createSyncHandler({
    schema,
    mutators,
    executor: fromPostgres(sql),
    schemaVersion: "1",
    auth: () => ({ ok: true, clientGroupID: "everyone", ctx: {} }),
  });
// #endregion

// #region raw
export const closeOverdue = (sql: Sql, now: number) =>
  sql`UPDATE todos SET state = 'done' WHERE state = 'open' AND due < ${now}`;
// #endregion
