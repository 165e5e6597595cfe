import { describe, expect, it } from "vitest";
import { PlasmaError } from "../error.ts";
import { createDb } from "../query/db.ts";
import { and, eq, exists, gt, inArray } from "../query/expressions.ts";
import { increment } from "../query/increment.ts";
import { select } from "../query/select-builder.ts";
import { bigint, id, int, real, ref, text, timestamp } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import { MemoryMutationStore } from "./memory-store.ts";
import type { RowWrite } from "./mutation-store.ts";
import { runStatement, type StatementScope } from "./statement.ts";

const users = table("users", { id: id(), name: text() });
const posts = table("posts", {
  id: id(),
  title: text(),
  code: text().unique().nullable(),
  likes: int().default(0),
  shares: int().default(0),
  size: bigint().default(0n),
  score: real().nullable(),
  at: timestamp().default(0),
  authorId: ref(() => users.id).nullable(),
});
const schema = defineSchema({ users, posts });

/** Notes what is written. */
class RecordingStore extends MemoryMutationStore {
  readonly written: RowWrite[] = [];
  override async write(writes: readonly RowWrite[]) {
    this.written.push(...writes);
    return super.write(writes);
  }
}

function open(authorize?: StatementScope["authorize"]) {
  const store = new RecordingStore();
  const scope = { schema, store, newId: () => "new", ...(authorize === undefined ? {} : { authorize }) };
  const db = createDb({
    schema,
    engine: { select: async (query) => store.select(query), write: async (node) => runStatement(scope, node) },
  });
  return { store, db, titles: () => store.rows("posts").map((row) => `${String(row["id"])} ${String(row["title"])}`) };
}

describe("onConflictDoNothing", () => {
  it("leaves rows that are there and inserts the others", async () => {
    const { db, store, titles } = open();
    await db.insert(posts).values({ id: "a", title: "one" });
    await db
      .insert(posts)
      .values([
        { id: "a", title: "two" },
        { id: "b", title: "two" },
        { id: "b", title: "three" },
      ])
      .onConflictDoNothing();
    expect(titles()).toEqual(["a one", "b two"]);
    expect(store.written.map(({ id: rowID, before }) => [rowID, before])).toEqual([
      ["a", null],
      ["b", null],
    ]);
  });

  it("is about the id alone: another unique column still refuses, and nothing is written", async () => {
    const { db, titles } = open();
    await db.insert(posts).values({ id: "a", title: "one", code: "x" });
    const insert = db.insert(posts).values([
      { id: "c", title: "two" },
      { id: "b", title: "two", code: "x" },
    ]);
    await expect(insert.onConflictDoNothing()).rejects.toMatchObject({
      code: "constraint/unique",
      data: { columns: ["code"] },
    });
    expect(titles()).toEqual(["a one"]);
    // A row that stays as it is takes nobody's place.
    await db.insert(posts).values({ id: "a", title: "two", code: "x" }).onConflictDoNothing();
    expect(titles()).toEqual(["a one"]);
  });

  it("asks for no right to what it does not write", async () => {
    const asked: string[] = [];
    const { db } = open((name, row, action) => void asked.push(`${action} ${name} ${String(row["id"])}`));
    await db.insert(posts).values({ id: "a", title: "one" });
    await db.insert(posts).values({ id: "a", title: "two" }).onConflictDoNothing();
    expect(asked).toEqual(["insert posts a"]);
  });
});

describe("onConflictDoUpdate", () => {
  it("sets columns of rows that are there, once for each row given", async () => {
    const { db, store } = open();
    await db.insert(posts).values({ id: "a", title: "one", likes: 5 });
    store.written.length = 0;
    await db
      .insert(posts)
      .values([
        { id: "a", title: "ignored" },
        { id: "a", title: "ignored" },
        { id: "b", title: "two", likes: 1 },
        { id: "b", title: "ignored" },
      ])
      .onConflictDoUpdate({ set: { likes: increment(posts.likes, 10), shares: 3 } });
    expect(store.rows("posts").map(({ id: rowID, title, likes, shares }) => [rowID, title, likes, shares])).toEqual([
      ["a", "one", 25, 3],
      ["b", "two", 11, 3],
    ]);
    // One write for each row, from what was stored.
    expect(store.written.map(({ id: rowID, before }) => [rowID, before?.["likes"]])).toEqual([
      ["a", 5],
      ["b", undefined],
    ]);
  });

  it("writes nothing where nothing changes", async () => {
    const { db, store } = open();
    await db.insert(posts).values({ id: "a", title: "one" });
    store.written.length = 0;
    const insert = db.insert(posts).values({ id: "a", title: "one" });
    await insert.onConflictDoUpdate({ set: { title: "one", likes: undefined } });
    expect(store.written).toEqual([]);
  });

  it("asks for the right to update, before and after, and to insert", async () => {
    const asked: string[] = [];
    const { db, titles } = open((_, row, action) => {
      asked.push(`${action} ${String(row["id"])} ${String(row["title"])}`);
      if (row["title"] === "forbidden") throw new PlasmaError("auth/denied", { table: "posts", action });
    });
    await db.insert(posts).values({ id: "a", title: "one" });
    const rows = [
      { id: "a", title: "x" },
      { id: "b", title: "two" },
    ];
    await db
      .insert(posts)
      .values(rows)
      .onConflictDoUpdate({ set: { title: "three" } });
    expect(asked).toEqual(["insert a one", "update a one", "update a three", "insert b two"]);
    const refused = db.insert(posts).values([{ id: "c", title: "four" }, ...rows]);
    await expect(refused.onConflictDoUpdate({ set: { title: "forbidden" } })).rejects.toMatchObject({
      code: "auth/denied",
    });
    expect(titles()).toEqual(["a three", "b two"]);
  });

  it("keeps unique columns unique", async () => {
    const { db } = open();
    await db.insert(posts).values([
      { id: "a", title: "one", code: "x" },
      { id: "b", title: "two" },
    ]);
    const insert = db.insert(posts).values({ id: "b", title: "two" });
    await expect(insert.onConflictDoUpdate({ set: { code: "x" } })).rejects.toMatchObject({
      data: { columns: ["code"] },
    });
  });

  it("refuses what an update refuses, when it is built", () => {
    const { db } = open();
    const insert = db.insert(posts).values({ id: "a", title: "one" });
    const wrong: readonly (readonly [object, string])[] = [
      [{ id: "b" }, "data/id-change"],
      [{ titel: "x" }, "query/unknown-column"],
      [{ likes: "1" }, "data/invalid"],
      [{ title: null }, "constraint/not-null"],
    ];
    for (const [set, code] of wrong) expect(() => insert.onConflictDoUpdate({ set })).toThrow(`[${code}]`);
  });
});

describe("increment", () => {
  it("adds to what each row holds; null stays null", async () => {
    const { db, store } = open();
    await db.insert(posts).values([
      { id: "a", title: "one", likes: 1, size: 2n ** 60n, score: 0.5 },
      { id: "b", title: "two", likes: 2 },
    ]);
    await db
      .update(posts)
      .set({
        likes: increment(posts.likes, -3),
        size: increment(posts.size, 1n),
        score: increment(posts.score, 0.25),
        at: increment(posts.at, 1000),
      })
      .all();
    expect(store.rows("posts").map(({ likes, size, score, at }) => [likes, size, score, at])).toEqual([
      [-2, 2n ** 60n + 1n, 0.75, 1000],
      [-1, 1n, null, 1000],
    ]);
  });

  it("by nothing writes nothing", async () => {
    const { db, store } = open();
    await db.insert(posts).values({ id: "a", title: "one" });
    store.written.length = 0;
    await db
      .update(posts)
      .set({ likes: increment(posts.likes, 0) })
      .all();
    expect(store.written).toEqual([]);
  });

  it("beyond what the column can hold is refused, and leaves every row", async () => {
    const { db, store } = open();
    await db.insert(posts).values([
      { id: "a", title: "one" },
      { id: "b", title: "two", likes: Number.MAX_SAFE_INTEGER, size: 2n ** 63n - 1n },
    ]);
    const likes = db.update(posts).set({ likes: increment(posts.likes, 1) });
    await expect(likes.all()).rejects.toMatchObject({ code: "data/invalid", data: { column: "likes" } });
    const size = db.update(posts).set({ size: increment(posts.size, 1n) });
    await expect(size.all()).rejects.toMatchObject({ code: "data/invalid", data: { column: "size" } });
    expect(store.rows("posts")[0]).toMatchObject({ likes: 0, size: 0n });
  });
});

describe("a guarded update or delete", () => {
  it("touches rows for which a subquery says so", async () => {
    const { db, titles } = open();
    await db.insert(users).values([
      { id: "u1", name: "Ann" },
      { id: "u2", name: "Ben" },
    ]);
    await db.insert(posts).values([
      { id: "a", title: "one", authorId: "u1", likes: 1 },
      { id: "b", title: "two", authorId: "u2", likes: 2 },
      { id: "c", title: "three" },
    ]);
    const byAnn = select()
      .from(users)
      .where(and(eq(users.id, posts.authorId), eq(users.name, "Ann")));
    await db.update(posts).set({ title: "hers" }).where(exists(byAnn));
    // A pinned id does not pass the subquery by.
    await db
      .update(posts)
      .set({ title: "not hers" })
      .where(and(inArray(posts.id, ["b", "c"]), exists(byAnn)));
    expect(titles()).toEqual(["a hers", "b two", "c three"]);
    await db.delete(posts).where(inArray(posts.authorId, select({ id: users.id }).from(users)));
    await db.delete(posts).where(and(eq(posts.id, "c"), gt(posts.likes, 0)));
    expect(titles()).toEqual(["c three"]);
  });
});
