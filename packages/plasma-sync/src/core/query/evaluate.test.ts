import { describe, expect, it } from "vitest";
import { bigint, id, int, ref, text } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import type { Row } from "../schema/value.ts";
import { alias } from "./alias.ts";
import { avg, count, countDistinct, max, min, sum } from "./aggregates.ts";
import { colRef } from "./column-node.ts";
import { createDb } from "./db.ts";
import { and, asc, desc, eq, exists, gt, inArray, isNull, lt, ne, not, notExists, notInArray } from "./expressions.ts";
import { or } from "./expressions.ts";
import { evaluate } from "./evaluate.ts";
import { select } from "./select-builder.ts";

const users = table("users", { id: id(), name: text() });
const todos = table("todos", {
  id: id(),
  title: text(),
  rank: int().nullable(),
  size: bigint().default(0n),
  ownerId: ref(() => users.id).nullable(),
});
const notes = table("notes", { id: id(), todoId: ref(() => todos.id), body: text(), at: int() });
const schema = defineSchema({ users, todos, notes });

const data: { readonly [table: string]: readonly Row[] } = {
  users: [
    { id: "u1", name: "Ann" },
    { id: "u2", name: "Ben" },
  ],
  notes: [
    { id: "n1", todoId: "t1", body: "x", at: 1 },
    { id: "n2", todoId: "t1", body: "y", at: 3 },
    { id: "n3", todoId: "t1", body: "x", at: 2 },
    { id: "n4", todoId: "t3", body: "x", at: 9 },
  ],
  todos: [
    { id: "t4", size: 7n, title: "d", rank: 1, ownerId: "u9" },
    { id: "t2", size: 2n ** 60n, title: "b", rank: 2, ownerId: "u1" },
    { id: "t1", size: 1n, title: "a", rank: 2, ownerId: "u1" },
    { id: "t3", size: 0n, title: "c", rank: null, ownerId: null },
  ],
};
const db = createDb({
  schema,
  engine: { select: async (query) => evaluate(query, (name) => data[name] ?? []), write: async () => undefined },
});

describe("evaluate", () => {
  it("orders with null first, descending last, ties by id", async () => {
    const ids = (rows: readonly { readonly id: string }[]) => rows.map((row) => row.id);
    expect(ids(await db.select().from(todos).orderBy(asc(todos.rank)))).toEqual(["t3", "t4", "t1", "t2"]);
    expect(ids(await db.select().from(todos).orderBy(desc(todos.rank)))).toEqual(["t1", "t2", "t4", "t3"]);
    expect(ids(await db.select().from(todos).orderBy(desc(todos.rank)).offset(1).limit(2))).toEqual(["t2", "t4"]);
    expect(ids(await db.select().from(todos).offset(3))).toEqual(["t4"]);
    expect(await db.select().from(todos).limit(0)).toEqual([]);
  });

  it("returns the stored row itself without joins and projection", async () => {
    const [row] = await db.select().from(todos).where(eq(todos.id, "t2"));
    expect(row).toBe(data["todos"]?.[1]);
  });

  it("joins by source name; a left join keeps rows without a match, with null", async () => {
    expect((await db.select().from(todos).innerJoin(users)).map((row) => [row.todos.id, row.users.name])).toEqual([
      ["t1", "Ann"],
      ["t2", "Ann"],
    ]);
    expect((await db.select().from(todos).leftJoin(users)).map((row) => [row.todos.id, row.users?.name])).toEqual([
      ["t1", "Ann"],
      ["t2", "Ann"],
      ["t3", undefined],
      ["t4", undefined],
    ]);
    const orphans = await db.select().from(todos).leftJoin(users).where(isNull(users.id));
    expect(orphans.map((row) => row.todos.id)).toEqual(["t3", "t4"]);
    expect(orphans[0]?.users).toBe(null);
  });

  it("joins a table with itself under an alias", async () => {
    const later = alias(todos, "later");
    const pairs = await db
      .select({ a: todos.id, b: later.id })
      .from(todos)
      .innerJoin(later, gt(later.rank, todos.rank));
    expect(pairs).toEqual([
      { a: "t4", b: "t1" },
      { a: "t4", b: "t2" },
    ]);
  });

  it("projects columns under the given keys, with null for the empty side of a join", async () => {
    const rows = await db
      .select({ what: todos.title, who: users.name })
      .from(todos)
      .leftJoin(users)
      .orderBy(desc(todos.title));
    expect(rows).toEqual([
      { what: "d", who: null },
      { what: "c", who: null },
      { what: "b", who: "Ann" },
      { what: "a", who: "Ann" },
    ]);
  });

  it("goes on behind a group by how many it counts", async () => {
    const perRank = db.select({ rank: todos.rank, n: count() }).from(todos).groupBy(todos.rank).orderBy(desc(count()));
    expect(await perRank.after({ rank: 2, n: 2 })).toEqual([
      { rank: null, n: 1 },
      { rank: 1, n: 1 },
    ]);
  });
});

describe("outer joins", () => {
  it("keep rows of the joined table without a match: right; of both: full", async () => {
    const by = { title: todos.title, name: users.name };
    expect(await db.select(by).from(todos).rightJoin(users)).toEqual([
      // The order is by ids, and null comes first.
      { title: null, name: "Ben" },
      { title: "a", name: "Ann" },
      { title: "b", name: "Ann" },
    ]);
    expect(await db.select(by).from(todos).fullJoin(users)).toEqual([
      { title: null, name: "Ben" },
      { title: "a", name: "Ann" },
      { title: "b", name: "Ann" },
      { title: "c", name: null },
      { title: "d", name: null },
    ]);
    const [first] = await db.select().from(todos).rightJoin(users);
    expect(first).toEqual({ todos: null, users: { id: "u2", name: "Ben" } });
  });

  it("empty every source before the one that has no match", async () => {
    const rows = await db
      .select({ todo: todos.id, user: users.id, note: notes.id })
      .from(todos)
      .innerJoin(users)
      .rightJoin(notes, eq(notes.todoId, todos.id))
      .orderBy(notes.id);
    expect(rows).toEqual([
      { todo: "t1", user: "u1", note: "n1" },
      { todo: "t1", user: "u1", note: "n2" },
      { todo: "t1", user: "u1", note: "n3" },
      { todo: null, user: null, note: "n4" },
    ]);
  });

  it("match no null, test the condition on pairs, and where on what comes of it", async () => {
    const other = alias(todos, "other");
    const pairs = db.select({ a: todos.id, b: other.id }).from(todos).fullJoin(other, eq(other.rank, todos.rank));
    expect(await pairs.where(or(isNull(todos.id), isNull(other.id)))).toEqual([
      { a: null, b: "t3" },
      { a: "t3", b: null },
    ]);
    const strict = db
      .select({ a: todos.id })
      .from(todos)
      .leftJoin(users, and(eq(users.id, todos.ownerId), and()));
    expect(await strict.where(eq(users.name, "Ann"))).toEqual([{ a: "t1" }, { a: "t2" }]);
    const never = db.select({ a: todos.id, b: users.id }).from(todos).fullJoin(users, or());
    expect(await never).toHaveLength(6);
  });
});

describe("aggregates", () => {
  const every = {
    n: count(),
    ranked: count(todos.rank),
    ranks: countDistinct(todos.rank),
    sum: sum(todos.rank),
    size: sum(todos.size),
    mean: avg(todos.rank),
    meanSize: avg(todos.size),
    least: min(todos.rank),
    last: max(todos.title),
  };

  it("leave nulls out, keep bigints exact, and are of all rows without groupBy", async () => {
    expect(await db.select(every).from(todos)).toEqual([
      {
        n: 4,
        ranked: 3,
        ranks: 2,
        sum: 5,
        size: 2n ** 60n + 8n,
        mean: 5 / 3,
        meanSize: Number(2n ** 60n + 8n) / 4,
        least: 1,
        last: "d",
      },
    ]);
  });

  it("of nothing are one row of null and 0, or with groupBy no row", async () => {
    const none = gt(todos.rank, 100);
    const nothing = { sum: null, size: null, mean: null, meanSize: null, least: null, last: null };
    expect(await db.select(every).from(todos).where(none)).toEqual([{ n: 0, ranked: 0, ranks: 0, ...nothing }]);
    expect(await db.select(every).from(todos).where(none).groupBy(todos.rank)).toEqual([]);
    expect(await db.select(every).from(todos).where(none).having(gt(count(), 0))).toEqual([]);
    expect(await db.select({ n: count() }).from(todos).where(none).one()).toEqual({ n: 0 });
    // Of nulls alone.
    expect(
      await db
        .select({ n: count(todos.rank), s: sum(todos.rank) })
        .from(todos)
        .where(isNull(todos.rank)),
    ).toEqual([{ n: 0, s: null }]);
  });

  it("are computed for each combination of groupBy, null being one", async () => {
    const perRank = db
      .select({ rank: todos.rank, n: count(), last: max(todos.title) })
      .from(todos)
      .groupBy(todos.rank);
    expect(await perRank).toEqual([
      { rank: null, n: 1, last: "c" },
      { rank: 1, n: 1, last: "d" },
      { rank: 2, n: 2, last: "b" },
    ]);
    expect(await perRank.having(and(gt(count(), 1), ne(todos.rank, 1)))).toEqual([{ rank: 2, n: 2, last: "b" }]);
    // Unknown is not true.
    expect(await perRank.having(not(eq(max(todos.rank), 2)))).toEqual([{ rank: 1, n: 1, last: "d" }]);
    expect(await perRank.orderBy(desc(max(todos.title))).limit(2)).toEqual([
      { rank: 1, n: 1, last: "d" },
      { rank: null, n: 1, last: "c" },
    ]);
    const perOwner = db
      .select({ name: users.name, n: count(todos.id) })
      .from(users)
      .leftJoin(todos)
      .groupBy(users.id, users.name);
    expect(await perOwner).toEqual([
      { name: "Ann", n: 2 },
      { name: "Ben", n: 0 },
    ]);
  });

  it("show one row for groups that look the same, under distinct only", async () => {
    const sizes = db.select({ n: count() }).from(todos).groupBy(todos.rank);
    expect(await sizes).toEqual([{ n: 1 }, { n: 1 }, { n: 2 }]);
    expect(await sizes.distinct()).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

describe("distinct", () => {
  it("takes nulls for equal, and comes before offset and limit", async () => {
    const ranks = db.select({ rank: todos.rank }).from(todos).distinct();
    expect(await ranks).toEqual([{ rank: null }, { rank: 1 }, { rank: 2 }]);
    expect(await ranks.orderBy(desc(todos.rank)).offset(1).limit(1)).toEqual([{ rank: 1 }]);
    expect(await db.select().from(todos).distinct()).toHaveLength(4);
  });
});

describe("subqueries", () => {
  const ids = async (where: Parameters<ReturnType<typeof all>["where"]>[0]) =>
    (await all().where(where)).map((t) => t.id);
  const all = () => db.select({ id: todos.id }).from(todos);
  const noted = select().from(notes).where(eq(notes.todoId, todos.id));

  it("exist or not, for each row", async () => {
    expect(await ids(exists(noted))).toEqual(["t1", "t3"]);
    expect(await ids(notExists(noted))).toEqual(["t2", "t4"]);
    expect(await ids(not(exists(noted)))).toEqual(["t2", "t4"]);
    expect(await ids(exists(noted.where(gt(notes.at, todos.rank))))).toEqual(["t1"]);
    expect(await ids(exists(noted.offset(1)))).toEqual(["t1"]);
    expect(await ids(exists(noted.limit(0)))).toEqual([]);
    // Counting nothing is a row.
    expect(await ids(exists(select({ n: count() }).from(notes).where(eq(notes.todoId, todos.id))))).toHaveLength(4);
    const counted = select({ n: count() }).from(notes).where(eq(notes.todoId, todos.id));
    expect(await ids(exists(counted.having(gt(count(), 1))))).toEqual(["t1"]);
  });

  it("reach over one level to the next", async () => {
    const hasNoted = select()
      .from(todos)
      .where(and(eq(todos.ownerId, users.id), exists(noted.where(lt(notes.body, users.name)))));
    expect(await db.select({ id: users.id }).from(users).where(exists(hasNoted))).toEqual([]);
    const larger = exists(noted.where(gt(notes.body, users.name)));
    const has = select()
      .from(todos)
      .where(and(eq(todos.ownerId, users.id), larger));
    expect(await db.select({ id: users.id }).from(users).where(exists(has))).toEqual([{ id: "u1" }]);
  });

  it("hold a value or not; a null among them or before them is unknown", async () => {
    const of = select({ id: users.id }).from(users);
    expect(await ids(inArray(todos.ownerId, of))).toEqual(["t1", "t2"]);
    // t3 has no owner: unknown, and so in neither.
    expect(await ids(notInArray(todos.ownerId, of))).toEqual(["t4"]);
    expect(await ids(not(inArray(todos.ownerId, of)))).toEqual(["t4"]);
    const ranks = select({ rank: todos.rank }).from(todos);
    expect(await ids(inArray(todos.rank, ranks))).toEqual(["t1", "t2", "t4"]);
    expect(await ids(notInArray(todos.rank, ranks.where(ne(todos.rank, 2))))).toEqual(["t1", "t2"]);
    expect(await ids(notInArray(todos.rank, ranks.where(or(isNull(todos.rank), eq(todos.rank, 2)))))).toEqual([]);
    // Of an empty subquery nothing is unknown.
    const nothing = ranks.where(eq(todos.rank, 100));
    expect(await ids(inArray(todos.rank, nothing))).toEqual([]);
    expect(await ids(notInArray(todos.rank, nothing))).toEqual(["t1", "t2", "t3", "t4"]);
    expect(
      await ids(
        inArray(
          todos.rank,
          select({ at: max(notes.at) })
            .from(notes)
            .where(eq(notes.body, "x")),
        ),
      ),
    ).toEqual([]);
    expect(await ids(inArray(todos.rank, select({ at: min(notes.at) }).from(notes)))).toEqual(["t4"]);
  });

  it("are tables in FROM", async () => {
    const perRank = select({ rank: todos.rank, n: count(), first: min(todos.id) })
      .from(todos)
      .groupBy(todos.rank);
    const n = colRef<number>("r", "n");
    expect(await db.select().fromSubquery(perRank, "r").orderBy(desc(n))).toEqual([
      { rank: 2, n: 2, first: "t1" },
      { rank: null, n: 1, first: "t3" },
      { rank: 1, n: 1, first: "t4" },
    ]);
    expect(
      await db
        .select({ most: max(n), groups: count() })
        .fromSubquery(perRank, "r")
        .one(),
    ).toEqual({
      most: 2,
      groups: 3,
    });
    const withTodo = db
      .select({ rank: colRef<number>("r", "rank"), title: todos.title })
      .fromSubquery(perRank, "r")
      .innerJoin(todos, eq(todos.id, colRef<string>("r", "first")));
    expect(await withTodo.where(gt(n, 1))).toEqual([{ rank: 2, title: "a" }]);
    // Its limit comes before the query's where.
    const two = db.select().fromSubquery(select().from(todos).orderBy(desc(todos.id)).limit(2), "two");
    expect((await two.where(ne(colRef("two", "title"), "d"))).map((row) => row.id)).toEqual(["t3"]);
    // Rows that look the same stay several.
    const ranks = db.select({ n: count() }).fromSubquery(select({ rank: todos.rank }).from(todos), "t");
    expect(await ranks).toEqual([{ n: 4 }]);
  });
});

describe("include", () => {
  const ofTodo = select({ id: notes.id, body: notes.body }).from(notes).where(eq(notes.todoId, todos.id));

  it("nests rows with an order, offset and limit of their own for each row", async () => {
    const rows = await db
      .select({ id: todos.id })
      .from(todos)
      .include({ latest: ofTodo.orderBy(desc(notes.at)).limit(2), rest: ofTodo.orderBy(desc(notes.at)).offset(2) })
      .limit(2);
    expect(rows).toEqual([
      {
        id: "t1",
        latest: [
          { id: "n2", body: "y" },
          { id: "n3", body: "x" },
        ],
        rest: [{ id: "n1", body: "x" }],
      },
      { id: "t2", latest: [], rest: [] },
    ]);
  });

  it("nests one row or null, counts, and rows in rows", async () => {
    const rows = await db
      .select({ name: users.name })
      .from(users)
      .include({
        stats: select({ n: count(), top: max(todos.rank) })
          .from(todos)
          .where(eq(todos.ownerId, users.id))
          .one(),
        first: select({ id: todos.id })
          .from(todos)
          .where(eq(todos.ownerId, users.id))
          .include({ notes: ofTodo.where(ne(notes.body, users.name)).limit(1) })
          .one(),
      });
    expect(rows).toEqual([
      { name: "Ann", stats: { n: 2, top: 2 }, first: { id: "t1", notes: [{ id: "n1", body: "x" }] } },
      { name: "Ben", stats: { n: 0, top: null }, first: null },
    ]);
  });

  it("leaves stored rows as they are", async () => {
    const [row] = await db.select().from(todos).include({ notes: ofTodo }).where(eq(todos.id, "t1"));
    expect(Object.keys(row ?? {})).toEqual([...Object.keys(data["todos"]?.[2] ?? {}), "notes"]);
    expect(data["todos"]?.[2]).not.toHaveProperty("notes");
  });

  it("is of joined rows too, also where a side is empty", async () => {
    const rows = await db
      .select()
      .from(users)
      .leftJoin(todos)
      .include({ notes: ofTodo.limit(1) });
    expect(rows.map((row) => [row.users.id, row.todos?.id, row.notes.length])).toEqual([
      ["u1", "t1", 1],
      ["u1", "t2", 0],
      ["u2", undefined, 0],
    ]);
  });
});

describe("after", () => {
  it("walks through the whole result, page by page, whatever it is ordered by", async () => {
    const walk = async <R extends object>(query: {
      limit(n: number): PromiseLike<R[]> & { after(row: R): PromiseLike<R[]> };
    }) => {
      const seen: R[] = [];
      let page = await query.limit(1);
      for (let pages = 0; page.length > 0 && pages < 20; pages++) {
        seen.push(...page);
        page = await query.limit(1).after(page.at(-1) as R);
      }
      return seen;
    };
    const byRank = db.select().from(todos).orderBy(desc(todos.rank), asc(todos.title));
    expect(await walk(byRank)).toEqual(await byRank);
    const joined = db.select().from(users).fullJoin(todos).orderBy(desc(users.name));
    expect(await walk(joined)).toEqual(await joined);
    const distinct = db
      .select({ body: notes.body, todoId: notes.todoId })
      .from(notes)
      .distinct()
      .orderBy(desc(notes.body));
    expect(await walk(distinct)).toEqual(await distinct);
    const groups = db.select({ rank: todos.rank, n: count() }).from(todos).groupBy(todos.rank).orderBy(desc(count()));
    expect(await walk(groups)).toEqual(await groups);
    const sub = db.select().fromSubquery(select({ body: notes.body, at: notes.at }).from(notes), "n");
    expect(await walk(sub.orderBy(colRef("n", "body")))).toEqual(await sub.orderBy(colRef("n", "body")));
  });

  it("goes on behind a row that is gone, and offset counts from there", async () => {
    const byRank = db.select({ id: todos.id, rank: todos.rank }).from(todos).orderBy(asc(todos.rank));
    expect(await byRank.after({ id: "t0", rank: 2 })).toEqual([
      { id: "t1", rank: 2 },
      { id: "t2", rank: 2 },
    ]);
    expect(await byRank.after({ id: "zz", rank: null }).offset(1).limit(1)).toEqual([{ id: "t1", rank: 2 }]);
    expect(await byRank.after({ id: "t2", rank: 2 })).toEqual([]);
  });
});

describe("one", () => {
  it("is the first row or null", async () => {
    expect(await db.select({ id: todos.id }).from(todos).orderBy(desc(todos.id)).one()).toEqual({ id: "t4" });
    expect(await db.select().from(todos).where(eq(todos.id, "none")).one()).toBe(null);
    expect(await db.select().from(todos).limit(0).one()).toBe(null);
    expect(await db.select({ id: todos.id }).from(todos).offset(3).one()).toEqual({ id: "t4" });
  });
});
