import { describe, expect, it } from "vitest";
import { id, int, ref, text } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import type { Row } from "../schema/value.ts";
import { alias } from "./alias.ts";
import { count } from "./aggregates.ts";
import { createDb } from "./db.ts";
import { asc, desc, eq, gt, isNull } from "./expressions.ts";
import { evaluate } from "./evaluate.ts";

const users = table("users", { id: id(), name: text() });
const todos = table("todos", {
  id: id(),
  title: text(),
  rank: int().nullable(),
  ownerId: ref(() => users.id).nullable(),
});
const schema = defineSchema({ users, todos });

const data: { readonly [table: string]: readonly Row[] } = {
  users: [
    { id: "u1", name: "Ann" },
    { id: "u2", name: "Ben" },
  ],
  todos: [
    { id: "t4", title: "d", rank: 1, ownerId: "u9" },
    { id: "t2", title: "b", rank: 2, ownerId: "u1" },
    { id: "t1", title: "a", rank: 2, ownerId: "u1" },
    { id: "t3", title: "c", rank: null, ownerId: null },
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
