// Owns: what a buffered push transaction owes where other writers come between its reads and its commit.

import { beforeEach, describe, expect, test } from "vitest";
import { isPlasmaError } from "../../core/error.ts";
import { eq, exists } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import {
  dbOf,
  depsOf,
  dumpOf,
  idsOf,
  logOf,
  origin,
  schema,
  scopeOf,
  sql,
  things,
  todos,
  users,
} from "./server-database.fixture.ts";
import type { PushDeps } from "./push-transaction.ts";
import { addTodo, addUser, fail, push, pushAll, type Mutator } from "./server-transaction.suite.ts";
import type { SqlExecutor, SqlStatement } from "./sql-executor.ts";
import { withPushTransaction } from "./with-push-transaction.ts";

export function bufferedTransactionSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`buffered push transaction: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    let deps: PushDeps;
    let conflicts: number;
    beforeEach(async () => {
      executor = await open();
      await ensureSchema({ schema, executor });
      conflicts = 0;
      deps = depsOf(executor, { onGuardConflict: () => void (conflicts += 1) });
    });

    /** A mutator after whose reads someone else writes, in the first `times` runs. */
    const disturbed = (mutator: Mutator, text: string, times = 1): Mutator => {
      let runs = 0;
      return async (db) => {
        await mutator(db);
        if (runs++ < times) await executor.run(sql(text.replaceAll("#", String(runs))));
      };
    };

    test("a writer of a table that was not read is no conflict", async () => {
      const outcomes = await push(deps, [disturbed(addUser("u"), "INSERT INTO things (id) VALUES ('x')")]);
      expect([[...outcomes.values()], conflicts]).toEqual([["applied"], 0]);
    });

    test("a writer whose entries were compacted away since is a conflict", async () => {
      let runs = 0;
      const compacted: Mutator = async () => {
        if (runs++ > 0) return;
        for (const text of [
          "INSERT INTO things (id) VALUES ('x'), ('y')",
          "DELETE FROM _plasma_changes WHERE row_version = 1",
          "INSERT INTO _plasma_schema (key, value) VALUES ('compacted', '2')",
        ])
          await executor.run(sql(text));
      };
      const outcomes = await push(deps, [compacted, addUser("u")]);
      expect([[...outcomes.values()], conflicts]).toEqual([["applied", "applied"], 1]);
    });

    test.each([
      ["inserts", "INSERT INTO users (id, name) VALUES ('other', 'other')"],
      ["updates", "UPDATE users SET name = 'renamed'"],
      ["deletes", "DELETE FROM users"],
    ])(
      "a writer that %s rows of a table that was read makes the push run again, on what is there now",
      async (_, text) => {
        await executor.run(sql("INSERT INTO users (id, name) VALUES ('a', 'a')"));
        const seen: number[] = [];
        const count: Mutator = async (db) => {
          const rows = await db.select().from(users);
          seen.push(rows.filter((row) => row.name !== "renamed").length);
          await db.insert(things).values({ id: "count", int: seen.at(-1) });
        };
        expect([...(await push(deps, [disturbed(count, text)])).values()]).toEqual(["applied"]);
        expect([seen.length, conflicts]).toEqual([2, 1]);
        expect(await executor.all(sql("SELECT int FROM things"))).toMatchObject([{ int: seen[1] }]);
        expect(seen[1]).not.toBe(seen[0]);
        expect((await logOf(executor)).filter((row) => row["op"] === "ack")).toHaveLength(1);
      },
    );

    test("tables read by joins, subqueries, includes, unique look-ups, cascades and ids are all watched", async () => {
      await executor.run(sql("INSERT INTO users (id, name) VALUES ('u', 'u')"));
      const cases: [Mutator, string][] = [
        [
          (db) =>
            db
              .select()
              .from(things)
              .leftJoin(todos, eq(todos.id, things.id))
              .leftJoin(users, eq(users.id, things.parentId)),
          "UPDATE users SET name = '#1'",
        ],
        [
          (db) =>
            db
              .select()
              .from(things)
              .where(exists(select().from(users).where(eq(users.id, things.parentId)))),
          "UPDATE users SET name = '#2'",
        ],
        [(db) => db.select().fromSubquery(select({ n: users.name }).from(users), "d"), "UPDATE users SET name = '#3'"],
        [
          (db) =>
            db
              .select()
              .from(things)
              .include({ users: select().from(users) }),
          "UPDATE users SET name = '#4'",
        ],
        [addTodo("t1"), "INSERT INTO todos (id, title, ownerId) VALUES ('raw#', 'raw#', 'u')"],
        [
          (db) => db.delete(users).where(eq(users.id, "u")),
          "INSERT INTO todos (id, title, ownerId) VALUES ('raw#2', 'late#', 'u')",
        ],
        [
          (db) => db.update(todos).set({ rank: 5 }).where(eq(todos.id, "missing")),
          "INSERT INTO todos (id, title, ownerId) VALUES ('raw#4', 'x', 'v')",
        ],
      ];
      let pushes = 0;
      for (const [mutator, text] of cases) {
        pushes += 1;
        const clientID = `k${pushes}`;
        const run = disturbed(mutator, text);
        await withPushTransaction(deps, { clientGroupID: "g", idsByClient: new Map([[clientID, [1]]]) }, async (tx) => {
          await tx.mutation(origin(1, clientID), async (store) => void (await run(dbOf(store))));
          tx.advance(origin(1, clientID));
        });
        expect(conflicts).toBe(pushes);
      }
      expect(await executor.all(sql("SELECT * FROM todos WHERE ownerId = 'u'"))).toEqual([]);
    });

    test("two copies of one push apply it once: the later answers duplicate", async () => {
      let isSecond = false;
      const inner: Mutator = addUser("u");
      const outer: Mutator = async (db) => {
        await db.insert(things).values({ id: "x" });
        if (isSecond) return;
        isSecond = true;
        await push(deps, [inner]);
      };
      expect([...(await push(deps, [outer])).values()]).toEqual(["duplicate"]);
      expect(conflicts).toBe(1);
      expect(await idsOf(executor, "things")).toEqual([]);
      expect(await idsOf(executor, "users")).toEqual(["u"]);
    });

    test("a refusal that came of a torn read is not recorded", async () => {
      await executor.run(sql("INSERT INTO users (id, name) VALUES ('u', 'u')"));
      let runs = 0;
      const torn: Mutator = async (db) => {
        const first = await db.select().from(users);
        if (runs++ === 0) await executor.run(sql("INSERT INTO users (id, name) VALUES ('v', 'v')"));
        const second = await db.select().from(users);
        if (first.length !== second.length) throw new Error("this cannot be");
      };
      expect([...(await push(deps, [torn])).values()]).toEqual(["applied"]);
      expect([runs, conflicts]).toEqual([2, 1]);
    });

    test("a push that is disturbed again and again ends with server/retry and leaves nothing", async () => {
      const endless = disturbed(addUser("u"), "INSERT INTO users (id, name) VALUES ('raw#', 'raw#')", 1000);
      await expect(push(deps, [endless])).rejects.toMatchObject({ code: "server/retry" });
      expect(conflicts).toBe(9);
      expect(await idsOf(executor, "users")).not.toContain("u");
      expect((await logOf(executor)).every((row) => row["op"] === "put")).toBe(true);
      expect(await executor.all(sql("SELECT * FROM _plasma_client_mutations"))).toEqual([]);
    });

    test("a unique value that someone else takes in between refuses the mutation by its own look-up", async () => {
      const add: Mutator = (db) => db.insert(users).values({ id: "u", name: "u", email: "e" });
      const outcomes = await push(deps, [
        disturbed(add, "INSERT INTO users (id, name, email) VALUES ('v', 'v', 'e')"),
        addUser("w"),
      ]);
      expect([...outcomes.values()]).toEqual(["rejected constraint/unique", "applied"]);
      expect(await idsOf(executor, "users")).toEqual(["v", "w"]);
    });

    test("a constraint that fails once at the commit and not again refuses nothing", async () => {
      let failures = 1;
      const batch = (statements: readonly SqlStatement[]) => {
        if (statements.some(({ text }) => text.startsWith("INSERT INTO _plasma_guard")) && failures-- > 0) {
          return executor.batch([...statements, sql("INSERT INTO users (id, name) VALUES ('u', NULL)")]);
        }
        return executor.batch(statements);
      };
      const { outcomes } = await pushAll({ ...deps, executor: { ...executor, batch } }, [
        addUser("u"),
        addUser("v"),
        addUser("w"),
      ]);
      expect(outcomes).toEqual(["applied", "applied", "applied"]);
      expect(await idsOf(executor, "users")).toEqual(["u", "v", "w"]);
    });

    test("a push that needs more statements than the engine allows is applied in prefixes", async () => {
      const small = { ...deps, executor: { ...executor, pushStatementsMax: 40 } };
      const mutators = Array.from({ length: 30 }, (_, i) => (i === 7 ? fail : addUser(`u${i}`)));
      const first = await push(small, mutators);
      expect(first.size).toBeGreaterThan(5);
      expect(first.size).toBeLessThan(15);
      expect(await idsOf(executor, "users")).toHaveLength(
        [...first.values()].filter((outcome) => outcome === "applied").length,
      );
      const { outcomes, pushes } = await pushAll(small, mutators);
      expect(outcomes.filter((outcome) => outcome === "applied" || outcome === "duplicate")).toHaveLength(
        30 - (first.size > 7 ? 0 : 1),
      );
      expect(pushes).toBeLessThan(10);
      expect(await idsOf(executor, "users")).toHaveLength(29);
      const tiny = { ...deps, executor: { ...executor, pushStatementsMax: 1 } };
      expect((await push({ ...tiny }, [...mutators, addUser("last")])).get(31)).toBe("applied");
    });

    test("acks that an unknown failure of the commit may have written are not written twice", async () => {
      const batch = async (statements: readonly SqlStatement[]) => {
        const results = await executor.batch(statements);
        if (statements.length > 3) throw new Error("connection lost after the commit");
        return results;
      };
      await expect(push({ ...deps, executor: { ...executor, batch } }, [addUser("u")])).rejects.toMatchObject({
        code: "server/retry",
      });
      const before = await dumpOf(executor);
      expect([...(await push(deps, [addUser("u")])).values()]).toEqual(["duplicate"]);
      expect(await dumpOf(executor)).toEqual(before);
      expect(await idsOf(executor, "users")).toEqual(["u"]);
    });

    test("many clients that count up one row at the same time lose no step", async () => {
      await executor.run(sql("INSERT INTO things (id, int) VALUES ('count', 0)"));
      const clientIDs = ["k1", "k2", "k3", "k4", "k5"];
      const pushOf = async (clientID: string, ids: readonly number[]): Promise<void> => {
        const step = withPushTransaction(
          deps,
          { clientGroupID: "g", idsByClient: new Map([[clientID, ids]]) },
          async (tx) => {
            for (const id of ids) {
              if (id <= (tx.clients.get(clientID)?.lastMutationID ?? 0)) continue;
              await tx.mutation(origin(id, clientID), async (store) => {
                const [row] = await dbOf(store).select().from(things).where(eq(things.id, "count"));
                await dbOf(store)
                  .update(things)
                  .set({ int: (row?.int ?? 0) + 1 })
                  .where(eq(things.id, "count"));
              });
              tx.advance(origin(id, clientID));
            }
          },
        );
        // As a client does that is answered 503.
        await step.catch(async (error: unknown) => {
          if (!isPlasmaError(error, "server/retry")) throw error;
          await pushOf(clientID, ids);
        });
      };
      await Promise.all(
        clientIDs.map(async (clientID) => {
          for (const start of [1, 4, 7]) await pushOf(clientID, [start, start + 1, start + 2]);
        }),
      );
      expect(await executor.all(sql("SELECT int FROM things"))).toMatchObject([{ int: 45 }]);
      expect((await logOf(executor)).filter((row) => row["op"] === "ack")).toHaveLength(45);
      expect(conflicts).toBeGreaterThan(0);
    });

    test("one mutation at a time, and none when full", async () => {
      const run = withPushTransaction(deps, scopeOf(1, 2), (tx) =>
        Promise.all([tx.mutation(origin(1), async () => undefined), tx.mutation(origin(2), async () => undefined)]),
      );
      await expect(run).rejects.toMatchObject({ code: "bug/invariant" });
    });
  });
}
