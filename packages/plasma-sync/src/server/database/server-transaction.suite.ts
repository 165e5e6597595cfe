// Owns: what a push transaction owes on every engine, interactive or buffered: see push-transaction.ts.

import { beforeEach, describe, expect, test } from "vitest";
import { isPlasmaError } from "../../core/error.ts";
import { alias } from "../../core/query/alias.ts";
import type { Db } from "../../core/query/db.ts";
import { and, desc, eq, gt, inArray } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { dumpDatabase } from "./database-dump.fixture.ts";
import {
  dbOf,
  depsOf,
  drafts,
  dumpOf,
  idsOf,
  logOf,
  NOW,
  origin,
  runOn,
  schema,
  scopeOf,
  sql,
  things,
  todos,
  users,
  watched,
} from "./server-database.fixture.ts";
import type { PushDeps, PushTransaction } from "./push-transaction.ts";
import type { SqlExecutor } from "./sql-executor.ts";
import { withPushTransaction } from "./with-push-transaction.ts";
import { serverError } from "../server-error.ts";

export type Mutator = (db: Db) => PromiseLike<unknown>;
export type Outcome = "applied" | "duplicate" | `rejected ${string}`;

/** A push of client c1's mutations 1, 2, …, as the server's loop runs it: a prefix of their outcomes, by id. */
export function push(deps: PushDeps, mutators: readonly Mutator[]): Promise<Map<number, Outcome>> {
  const ids = mutators.map((_, i) => i + 1);
  return withPushTransaction(deps, scopeOf(...ids), async (tx) => {
    const outcomes = new Map<number, Outcome>();
    for (const [i, mutator] of mutators.entries()) {
      const id = i + 1;
      if (id <= (tx.clients.get("c1")?.lastMutationID ?? 0)) outcomes.set(id, "duplicate");
      else if (tx.isFull) break;
      else outcomes.set(id, await process(tx, id, mutator));
    }
    return outcomes;
  });
}

async function process(tx: PushTransaction, id: number, mutator: Mutator): Promise<Outcome> {
  try {
    await tx.mutation(origin(id), async (store) => void (await mutator(dbOf(store))));
    tx.advance(origin(id));
    return "applied";
  } catch (error) {
    if (isPlasmaError(error, "server/retry") || isPlasmaError(error, "bug/invariant")) throw error;
    const code = isPlasmaError(error) ? error.code : "mutation/app";
    tx.advance(origin(id), { code, message: "no" });
    return `rejected ${code}`;
  }
}

/** Pushes until every mutation has an outcome, as a client does that is answered with prefixes. */
export async function pushAll(
  deps: PushDeps,
  mutators: readonly Mutator[],
): Promise<{ outcomes: Outcome[]; pushes: number }> {
  const outcomes = new Map<number, Outcome>();
  for (let pushes = 1; ; pushes++) {
    for (const [id, outcome] of await push(deps, mutators)) if (!outcomes.has(id)) outcomes.set(id, outcome);
    if (outcomes.size === mutators.length) return { outcomes: [...outcomes.values()], pushes };
    expect(pushes).toBeLessThan(50);
  }
}

export const addUser =
  (id: string, name = id): Mutator =>
  (db) =>
    db.insert(users).values({ id, name });
export const addTodo =
  (id: string, title = id, ownerId = "u"): Mutator =>
  (db) =>
    db.insert(todos).values({ id, title, ownerId });
export const fail: Mutator = async () => {
  throw new RangeError("no");
};

/** A rule of the app's own in the database. */
const refuseZoe = {
  sqlite: [
    "CREATE TRIGGER no_zoe BEFORE INSERT ON users WHEN NEW.name = 'Zoe' BEGIN SELECT raise(ABORT, 'no Zoe here'); END",
  ],
  postgres: [
    `CREATE FUNCTION no_zoe() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'no Zoe here' USING ERRCODE = 'check_violation'; END $$`,
    "CREATE TRIGGER no_zoe BEFORE INSERT ON users FOR EACH ROW WHEN (NEW.name = 'Zoe') EXECUTE FUNCTION no_zoe()",
  ],
};

export function serverTransactionSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`push transaction: ${name}`, { timeout: 30_000 }, () => {
    let executor: SqlExecutor;
    let deps: PushDeps;
    beforeEach(async () => {
      executor = await open();
      await ensureSchema({ schema, executor });
      deps = depsOf(executor);
    });
    const rowsOf = (query: { readonly ast: Parameters<typeof runOn>[1] }) => runOn(executor, query.ast);

    test("rows, log, acks and the client's last id commit together, each mutation's entries before its ack", async () => {
      const outcomes = await push(deps, [
        async (db) => {
          await db.insert(users).values({ id: "u", name: "Ada" });
          await db.insert(todos).values({ id: "t", title: "one", ownerId: "u" });
        },
        fail,
        (db) => db.update(todos).set({ title: "two" }).where(eq(todos.id, "t")),
      ]);
      expect([...outcomes.values()]).toEqual(["applied", "rejected mutation/app", "applied"]);
      expect(await rowsOf(select().from(todos))).toEqual([{ id: "t", title: "two", rank: 0, ownerId: "u" }]);
      const log = await logOf(executor);
      expect(
        log.map((row) => [row["op"], row["table_name"], row["row_id"], row["mutation_id"], row["created_at"]]),
      ).toEqual([
        ["put", "users", "u", 1, NOW],
        ["put", "todos", "t", 1, NOW],
        ["ack", null, null, 1, NOW],
        ["ack", null, null, 2, NOW],
        ["put", "todos", "t", 3, NOW],
        ["ack", null, null, 3, NOW],
      ]);
      expect(log[4]).toMatchObject({
        client_group_id: "g",
        client_id: "c1",
        replica_id: "r",
        before: '{"id":"t","title":"one","rank":0,"ownerId":"u"}',
        value: '{"id":"t","title":"two","rank":0,"ownerId":"u"}',
      });
      expect(log[3]).toMatchObject({ value: '{"code":"mutation/app","message":"no"}', before: null });
      const tags = log.map((row) => String(row["tag"]));
      expect(tags.every((tag) => /^[0-9a-f]{16}$/.test(tag))).toBe(true);
      expect(new Set(tags).size).toBe(6);
      const dump = await dumpDatabase(executor);
      expect(dump["_plasma_client_mutations"]).toEqual([
        { client_id: "c1", client_group_id: "g", replica_id: "r", last_mutation_id: 3, updated_at: NOW },
      ]);
      expect([dump["_plasma_origin_context"] ?? [], dump["_plasma_guard"] ?? []]).toEqual([[], []]);
    });

    test("says what it knows of clients and refusals, and a push of duplicates writes nothing", async () => {
      await push(deps, [addUser("u"), fail]);
      const before = await dumpOf(executor);
      const scope = {
        clientGroupID: "g",
        idsByClient: new Map([
          ["c1", [1, 3, 2]],
          ["c2", [1]],
        ]),
      };
      const others = { ...scope, idsByClient: new Map([["c1", [1, 3]]]) };
      await withPushTransaction(deps, others, async (tx) => expect(tx.refusals).toEqual([]));
      await withPushTransaction(deps, scope, async (tx) => {
        expect([...tx.clients]).toEqual([
          ["c1", { clientID: "c1", clientGroupID: "g", replicaID: "r", lastMutationID: 2 }],
        ]);
        expect(tx.refusals).toEqual([{ clientID: "c1", id: 2, error: { code: "mutation/app", message: "no" } }]);
      });
      expect([...(await push(deps, [addUser("u"), fail])).values()]).toEqual(["duplicate", "duplicate"]);
      expect(await dumpOf(executor)).toEqual(before);
    });

    test("reads see the mutation's own writes: order, joins, updates, deletes, cascades and rows put back", async () => {
      await push(deps, [addUser("u"), addUser("v"), addTodo("a"), addTodo("b", "b", "v")]);
      const outcomes = await push(deps, [
        addUser("u"),
        addUser("v"),
        addTodo("a"),
        addTodo("b", "b", "v"),
        async (db) => {
          const titles = async () =>
            (await db.select({ title: todos.title }).from(todos).orderBy(desc(todos.title))).map((row) => row.title);
          await db.insert(todos).values([
            { id: "c", title: "c", ownerId: "u" },
            { id: "d", title: "d", ownerId: "v", rank: 9 },
          ]);
          await db.update(todos).set({ title: "z" }).where(eq(todos.id, "a"));
          expect(await titles()).toEqual(["z", "d", "c", "b"]);
          expect(
            await db
              .select()
              .from(todos)
              .where(and(gt(todos.rank, 5), inArray(todos.id, ["c", "d"]))),
          ).toHaveLength(1);
          await db.update(users).set({ name: "Vera" }).where(eq(users.id, "v"));
          const joined = await db
            .select({ title: todos.title, name: users.name })
            .from(todos)
            .innerJoin(users, eq(users.id, todos.ownerId))
            .orderBy(todos.title);
          expect(joined).toEqual([
            { title: "b", name: "Vera" },
            { title: "c", name: "u" },
            { title: "d", name: "Vera" },
            { title: "z", name: "u" },
          ]);
          const other = alias(todos, "other");
          expect(await db.select().from(todos).innerJoin(other, eq(other.ownerId, todos.ownerId))).toHaveLength(8);
          await db.delete(users).where(eq(users.id, "v"));
          expect(await titles()).toEqual(["z", "c"]);
          await db.delete(todos).where(eq(todos.id, "a"));
          await db.insert(todos).values({ id: "a", title: "again", ownerId: "gone" });
          const left = await db.select().from(todos).leftJoin(users, eq(users.id, todos.ownerId)).orderBy(todos.id);
          expect(left.map((row) => [row.todos.title, row.users?.name])).toEqual([
            ["again", undefined],
            ["c", "u"],
          ]);
        },
      ]);
      expect(outcomes.get(5)).toBe("applied");
      expect(await idsOf(executor, "todos")).toEqual(["a", "c"]);
      expect(await idsOf(executor, "users")).toEqual(["u"]);
      const ops = (await logOf(executor)).slice(8).map((row) => `${row["op"]} ${row["row_id"] ?? ""}`);
      expect(ops.filter((op) => op.endsWith(" v")).at(-1)).toBe("del v");
      expect(ops.filter((op) => op.endsWith(" a"))).toEqual(["put a", "del a", "put a"]);
    });

    test("a mutation that throws leaves nothing, earlier ones stay, later ones do not see it", async () => {
      const outcomes = await push(deps, [
        addUser("u"),
        async (db) => {
          await db.update(users).set({ name: "changed" }).where(eq(users.id, "u"));
          await db.insert(users).values({ id: "ghost", name: "ghost" });
          throw new Error("no");
        },
        async (db) => {
          expect(await db.select().from(users)).toEqual([{ id: "u", name: "u", email: null }]);
          await db.insert(users).values({ id: "w", name: "w" });
        },
      ]);
      expect([...outcomes.values()]).toEqual(["applied", "rejected mutation/app", "applied"]);
      expect(await idsOf(executor, "users")).toEqual(["u", "w"]);
      expect((await logOf(executor)).filter((row) => row["row_id"] === "ghost")).toEqual([]);
    });

    test("what a mutator catches of its own statements does not undo the rest of it", async () => {
      const outcomes = await push(deps, [
        addUser("u"),
        async (db) => {
          await db.insert(users).values({ id: "v", name: "v" });
          await expect(
            db.insert(users).values([
              { id: "w", name: "w" },
              { id: "u", name: "twice" },
            ]),
          ).rejects.toThrow(/already/);
          await db.insert(users).values({ id: "x", name: "x" });
        },
      ]);
      expect([...outcomes.values()]).toEqual(["applied", "applied"]);
      expect(await idsOf(executor, "users")).toEqual(["u", "v", "x"]);
    });

    test("statements that a failed mutator left under way reach no later mutation", async () => {
      let left: Promise<unknown> = Promise.resolve();
      const outcomes = await withPushTransaction(deps, scopeOf(1, 2), async (tx) => {
        const first = tx.mutation(origin(1), async (store) => {
          const write = (id: string) =>
            store.write([{ table: "users", id, before: null, after: { id, name: id, email: null } }]);
          left = Promise.allSettled([write("a"), store.select(select().from(users).ast).then(() => write("b"))]);
          throw new Error("no");
        });
        await expect(first).rejects.toThrow("no");
        tx.advance(origin(1), { code: "mutation/app", message: "no" });
        await process(tx, 2, addUser("c"));
        await left;
        return "done";
      });
      expect(outcomes).toBe("done");
      expect(await idsOf(executor, "users")).toEqual(["c"]);
    });

    test("an update that changes nothing, and a mutation that writes nothing, log only their acks", async () => {
      await push(deps, [addUser("u")]);
      await push(deps, [
        addUser("u"),
        (db) => db.update(users).set({ name: "u" }).where(eq(users.id, "u")),
        (db) => db.select().from(users),
      ]);
      expect((await logOf(executor)).map((row) => row["op"])).toEqual(["put", "ack", "ack", "ack"]);
    });

    test("raw SQL is logged without origin: inserts, updates, deletes, a changed id; a no-op update is not", async () => {
      await executor.run(sql("INSERT INTO users (id, name) VALUES ('u', 'Ada')"));
      await executor.run(sql("UPDATE users SET name = name"));
      await executor.run(sql("UPDATE users SET name = 'Bea'"));
      await executor.run(sql("UPDATE users SET id = 'w'"));
      await executor.run(sql("DELETE FROM users"));
      const image = (id: string, name: string) => JSON.stringify({ id, name, email: null });
      expect(
        (await logOf(executor)).map((row) => [row["op"], row["row_id"], row["before"], row["value"], row["client_id"]]),
      ).toEqual([
        ["put", "u", null, image("u", "Ada"), null],
        ["put", "u", image("u", "Ada"), image("u", "Bea"), null],
        ["del", "u", image("u", "Bea"), null, null],
        ["put", "w", null, image("w", "Bea"), null],
        ["del", "w", image("w", "Bea"), null, null],
      ]);
      expect(Number((await logOf(executor))[0]?.["created_at"])).toBeGreaterThan(1.6e12);
    });

    test("a unique value may pass from row to row in the course of one mutation", async () => {
      const insert: Mutator = (db) =>
        db.insert(users).values([
          { id: "a", name: "a", email: "x" },
          { id: "b", name: "b", email: "y" },
        ]);
      const swap: Mutator = async (db) => {
        await db.update(users).set({ email: "tmp" }).where(eq(users.id, "a"));
        await db.update(users).set({ email: "x" }).where(eq(users.id, "b"));
        await db.update(users).set({ email: "y" }).where(eq(users.id, "a"));
        await db.delete(users).where(eq(users.id, "b"));
        await db.insert(users).values({ id: "c", name: "c", email: "x" });
      };
      expect([...(await push(deps, [insert, swap])).values()]).toEqual(["applied", "applied"]);
      expect(await rowsOf(select({ id: users.id, email: users.email }).from(users))).toEqual([
        { id: "a", email: "y" },
        { id: "c", email: "x" },
      ]);
    });

    test("uniqueness and cascades are checked against earlier mutations of the push", async () => {
      const outcomes = await push(deps, [
        addUser("u"),
        addTodo("a", "same"),
        addTodo("b", "same"),
        addTodo("a", "other"),
        (db) => db.delete(users).where(eq(users.id, "u")),
        addTodo("c", "same"),
      ]);
      expect([...outcomes.values()]).toEqual([
        "applied",
        "applied",
        "rejected constraint/unique",
        "rejected constraint/unique",
        "applied",
        "applied",
      ]);
      expect(await idsOf(executor, "todos")).toEqual(["c"]);
    });

    test("writes that the database itself refuses refuse only their mutation, also when the mutator catches", async () => {
      await executor.run(sql("CREATE UNIQUE INDEX only_name ON users (name)"));
      const caught: Mutator = (db) =>
        Promise.resolve(db.insert(users).values({ id: "d", name: "Ada" })).catch(() => undefined);
      const { outcomes, pushes } = await pushAll(deps, [
        addUser("a", "Ada"),
        addUser("b", "Bea"),
        addUser("c", "Ada"),
        caught,
        addUser("e", "Eve"),
        addUser("f", "Bea"),
        addUser("g", "Gil"),
      ]);
      const no = "rejected constraint/unique";
      expect(outcomes).toEqual(["applied", "applied", no, no, "applied", no, "applied"]);
      expect(await idsOf(executor, "users")).toEqual(["a", "b", "e", "g"]);
      const acks = (await logOf(executor)).filter((row) => row["op"] === "ack");
      expect(acks.map((row) => [row["mutation_id"], row["value"] === null])).toEqual([
        [1, true],
        [2, true],
        [3, false],
        [4, false],
        [5, true],
        [6, false],
        [7, true],
      ]);
      console.log(`${name}: 7 mutations, 3 refused by the database: ${pushes} pushes`);
    });

    test("an error of the database names the constraint, and other refused data is data/invalid", async () => {
      for (const text of refuseZoe[executor.dialect]) await executor.run(sql(text));
      await executor.run(sql("CREATE UNIQUE INDEX only_name ON users (name)"));
      await executor.run(sql("INSERT INTO users (id, name) VALUES ('a', 'Ada')"));
      const run = (mutator: Mutator) =>
        withPushTransaction(deps, { clientGroupID: "", idsByClient: new Map() }, (tx) =>
          tx.mutation(null, async (store) => void (await mutator(dbOf(store)))),
        );
      const error: unknown = await run(addUser("b", "Ada")).catch((thrown: unknown) => thrown);
      expect(isPlasmaError(error, "constraint/unique") && error.data).toEqual({ table: "users", columns: ["name"] });
      await expect(run(addUser("c", "Zoe"))).rejects.toMatchObject({ code: "data/invalid" });
      await run(addUser("d", "Dan"));
      expect(await idsOf(executor, "users")).toEqual(["a", "d"]);
      expect((await logOf(executor)).map((row) => [row["op"], row["client_id"]])).toEqual([
        ["put", null],
        ["put", null],
      ]);
    });

    test("what the push itself throws comes out as it was, and nothing is kept", async () => {
      const before = await dumpOf(executor);
      const gap = serverError("push/gap", { clientID: "c1", lastMutationID: 0 });
      const run = withPushTransaction(deps, scopeOf(1), async (tx) => {
        await process(tx, 1, addUser("u"));
        throw gap;
      });
      await expect(run).rejects.toBe(gap);
      expect(await dumpOf(executor)).toEqual(before);
    });

    test("a failing database at any statement leaves nothing, whether or not the mutator catches, and the push can be repeated", async () => {
      const mutators: Mutator[] = [
        addUser("u"),
        async (db) => {
          await Promise.resolve(db.insert(todos).values({ id: "t", title: "t", ownerId: "u" })).catch(() => undefined);
          await Promise.resolve(db.select().from(todos)).catch(() => []);
        },
        fail,
        async (db) => {
          await db.insert(users).values({ id: "v", name: "v" });
          await db.delete(users).where(eq(users.id, "u"));
        },
      ];
      const before = await dumpOf(executor);
      let count = 0;
      for (let failAt = 0; ; failAt++) {
        count = 0;
        const flaky = watched(executor, () => {
          if (count++ === failAt) throw new Error("connection lost");
        });
        const outcome = await push(depsOf(flaky), mutators).catch((error: unknown) => error);
        if (count <= failAt) {
          expect([...(outcome as Map<number, Outcome>).values()]).toEqual([
            "applied",
            "applied",
            "rejected mutation/app",
            "applied",
          ]);
          break;
        }
        expect(outcome).toMatchObject({ code: "server/retry" });
        expect(await dumpOf(executor)).toEqual(before);
      }
      expect(count).toBeGreaterThan(10);
      expect(await idsOf(executor, "users")).toEqual(["v"]);
      expect(await idsOf(executor, "todos")).toEqual([]);
    });

    test("pending rows beyond the size of one parameter are read back whole", async () => {
      const text = "ä".repeat(200_000);
      const outcomes = await push(deps, [
        async (db) => {
          for (const id of ["1", "2", "3", "4", "5", "6", "7"]) await db.insert(things).values({ id, text: id + text });
          expect((await db.select().from(things)).map((row) => row.text === row.id + text)).toEqual(
            Array.from({ length: 7 }, () => true),
          );
        },
      ]);
      expect(outcomes.get(1)).toBe("applied");
      expect(
        (await rowsOf(select({ id: things.id, text: things.text }).from(things))).every(
          (row) => row["text"] === `${String(row["id"])}${text}`,
        ),
      ).toBe(true);
    });

    test("local-only tables are skipped: nothing is written, nothing is read", async () => {
      const outcomes = await push(deps, [
        async (db) => {
          await db.insert(drafts).values({ id: "d", body: "x" });
          await db.insert(users).values({ id: "u", name: "u" });
        },
      ]);
      expect(outcomes.get(1)).toBe("applied");
      expect((await logOf(executor)).map((row) => row["table_name"])).toEqual(["users", null]);
    });

    test("statements per mutation are few and do not grow with the rows of it", async () => {
      const countOf = async (mutators: readonly Mutator[], clientID: string) => {
        let count = 0;
        const deps = depsOf(watched(executor, () => void (count += 1)));
        await withPushTransaction(
          deps,
          { clientGroupID: "g", idsByClient: new Map([[clientID, mutators.map((_, i) => i + 1)]]) },
          async (tx) => {
            for (const [i, mutator] of mutators.entries()) {
              await tx.mutation(origin(i + 1, clientID), async (store) => void (await mutator(dbOf(store))));
              tx.advance(origin(i + 1, clientID));
            }
          },
        );
        return count;
      };
      const hundred = (prefix: string) => Array.from({ length: 100 }, (_, i) => `${prefix}${i}`);
      const one = await countOf([addUser("one")], "c1");
      const rows = await countOf([(db) => db.insert(users).values(hundred("r").map((id) => ({ id, name: id })))], "c2");
      const statements = await countOf(
        [
          async (db) => {
            for (const id of hundred("s")) await db.insert(users).values({ id, name: id });
          },
        ],
        "c3",
      );
      const mutations = await countOf(
        hundred("m").map((id) => addUser(id)),
        "c4",
      );
      console.log(
        `${name}: statements of a push with 1 insert: ${one}, 1 insert of 100 rows: ${rows}, 100 inserts in 1 mutation: ${statements}, 100 mutations of 1 insert: ${mutations}`,
      );
      expect(one).toBeLessThanOrEqual(executor.dialect === "postgres" ? 12 : 11);
      expect(rows).toBe(one);
      expect(statements).toBeLessThanOrEqual(executor.interactive ? 230 : 115);
      expect(mutations).toBeLessThanOrEqual(executor.interactive ? 610 : 410);
      expect(await idsOf(executor, "users")).toHaveLength(301);
    });
  });
}
