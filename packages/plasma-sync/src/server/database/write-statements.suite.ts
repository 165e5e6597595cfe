// Owns: what onConflict, increment and conditions with subqueries do on every engine, within a mutation and after it.

import { beforeEach, describe, expect, test } from "vitest";
import { and, eq, exists } from "../../core/query/expressions.ts";
import { increment } from "../../core/query/increment.ts";
import { select } from "../../core/query/select-builder.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import type { PushDeps } from "./push-transaction.ts";
import { depsOf, logOf, runOn, schema, todos, users } from "./server-database.fixture.ts";
import { addTodo, addUser, push } from "./server-transaction.suite.ts";
import type { SqlExecutor } from "./sql-executor.ts";

export function writeStatementsSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`write statements: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    let deps: PushDeps;
    beforeEach(async () => {
      executor = await open();
      await ensureSchema({ schema, executor });
      deps = depsOf(executor);
    });
    const stored = async () =>
      (await runOn(executor, select().from(todos).ast)).map(({ id, title, rank }) => [id, title, rank]);
    const seeds = [addUser("u"), addTodo("a"), addTodo("b")];

    test("onConflict leaves or updates rows whose id is taken, stored or written by the same mutation", async () => {
      const row = (id: string) => ({ id, title: `new ${id}`, ownerId: "u" });
      const outcomes = await push(deps, [
        ...seeds,
        async (db) => {
          await db
            .insert(todos)
            .values([row("a"), row("c"), row("c")])
            .onConflictDoNothing();
          expect(await db.select({ title: todos.title }).from(todos).where(eq(todos.id, "a"))).toEqual([
            { title: "a" },
          ]);
          await db
            .insert(todos)
            .values([row("a"), row("c"), row("c"), row("d")])
            .onConflictDoUpdate({ set: { rank: increment(todos.rank, 2) } });
        },
        (db) => db.insert(todos).values([row("e"), row("a")]),
      ]);
      expect([...outcomes.values()].slice(3)).toEqual(["applied", "rejected constraint/unique"]);
      expect(await stored()).toEqual([
        ["a", "a", 2],
        ["b", "b", 0],
        ["c", "new c", 4],
        ["d", "new d", 0],
      ]);
      const puts = (await logOf(executor)).filter((entry) => entry["mutation_id"] === 4 && entry["op"] === "put");
      expect(new Set(puts.map((entry) => entry["row_id"]))).toEqual(new Set(["a", "c", "d"]));
    });

    test("increments of one mutation and of the next add up", async () => {
      const add = (by: number) => (db: Parameters<(typeof seeds)[number]>[0]) =>
        db
          .update(todos)
          .set({ rank: increment(todos.rank, by) })
          .where(eq(todos.ownerId, "u"));
      await push(deps, [
        ...seeds,
        async (db) => {
          await add(5)(db);
          await db.update(todos).set({ rank: 100 }).where(eq(todos.id, "b"));
          await add(-1)(db);
        },
        add(3),
      ]);
      expect(await stored()).toEqual([
        ["a", "a", 7],
        ["b", "b", 102],
      ]);
    });

    test("a subquery in the condition of a write sees what the mutation has written", async () => {
      const named = (title: string) =>
        exists(
          select()
            .from(users)
            .where(and(eq(users.id, todos.ownerId), eq(users.name, title))),
        );
      await push(deps, [
        ...seeds,
        addUser("v"),
        addTodo("c", "c", "v"),
        async (db) => {
          await db.update(users).set({ name: "Vera" }).where(eq(users.id, "v"));
          await db.update(todos).set({ rank: 1 }).where(named("Vera"));
          await db.delete(todos).where(and(eq(todos.id, "a"), named("Vera")));
          await db.delete(todos).where(and(eq(todos.id, "b"), named("u")));
        },
      ]);
      expect(await stored()).toEqual([
        ["a", "a", 0],
        ["c", "c", 1],
      ]);
    });
  });
}
