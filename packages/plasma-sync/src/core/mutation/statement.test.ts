import { describe, expect, it } from "vitest";
import { PlasmaError } from "../error.ts";
import * as limits from "../limits.ts";
import { createDb } from "../query/db.ts";
import { and, eq, gt, inArray, or } from "../query/expressions.ts";
import { bigint, blob, boolean, id, int, json, text } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import type { Row } from "../schema/value.ts";
import { MemoryMutationStore } from "./memory-store.ts";
import type { RowWrite } from "./mutation-store.ts";
import { runStatement, type StatementScope } from "./statement.ts";

const todos = table(
  "todos",
  {
    id: id(),
    title: text(),
    rank: int().default(0),
    done: boolean().default(false),
    note: text().nullable(),
    code: text().unique().nullable(),
    listID: text().default("inbox"),
  },
  { unique: (t) => [[t.listID, t.title]] },
);
const odd = table("odd", {
  id: id(),
  big: bigint().unique().nullable(),
  bytes: blob().unique().nullable(),
  data: json<unknown>().nullable(),
});
const schema = defineSchema({ todos, odd });

/** Notes what a statement asks of the store. */
class RecordingStore extends MemoryMutationStore {
  readonly selects: string[] = [];
  readonly lookups: (readonly string[])[] = [];
  readonly written: (readonly RowWrite[])[] = [];
  override async select(query: Parameters<MemoryMutationStore["select"]>[0]) {
    this.selects.push(query.from.table);
    return super.select(query);
  }
  override async getMany(name: string, ids: readonly string[]) {
    this.lookups.push(ids);
    return super.getMany(name, ids);
  }
  override async write(writes: readonly RowWrite[]) {
    this.written.push(writes);
    return super.write(writes);
  }
  forget(): void {
    for (const list of [this.selects, this.lookups, this.written]) list.length = 0;
  }
}

function open(authorize?: StatementScope["authorize"]) {
  const store = new RecordingStore();
  let made = 0;
  const scope = { schema, store, newId: () => `new-${++made}`, ...(authorize === undefined ? {} : { authorize }) };
  const db = createDb({
    schema,
    engine: { select: async (q) => store.select(q), write: async (node) => runStatement(scope, node) },
  });
  const rows = (name = "todos"): readonly Row[] => store.rows(name);
  return { store, db, rows };
}
const ids = (rows: readonly Row[]) => rows.map((row) => row["id"]);

describe("an insert", () => {
  it("writes whole rows: defaults, nulls and ids are filled in", async () => {
    const { store, db } = open();
    await db.insert(todos).values([{ title: "Rest" }, { id: "b", title: "Go", rank: 2 }]);
    expect(store.written).toEqual([
      [
        {
          table: "todos",
          id: "new-1",
          before: null,
          after: { id: "new-1", title: "Rest", rank: 0, done: false, note: null, code: null, listID: "inbox" },
        },
        {
          table: "todos",
          id: "b",
          before: null,
          after: { id: "b", title: "Go", rank: 2, done: false, note: null, code: null, listID: "inbox" },
        },
      ],
    ]);
  });

  it("of no rows does nothing", async () => {
    const { store, db } = open();
    await db.insert(todos).values([]);
    expect([store.lookups, store.selects, store.written]).toEqual([[], [], []]);
  });

  it("of an id that exists, or twice the same, is refused whole", async () => {
    const { db, rows } = open();
    await db.insert(todos).values({ id: "a", title: "Rest" });
    const refusal = { code: "constraint/unique", data: { table: "todos", columns: ["id"] } };
    await expect(
      db.insert(todos).values([
        { id: "b", title: "Go" },
        { id: "a", title: "Eat" },
      ]),
    ).rejects.toMatchObject(refusal);
    await expect(
      db.insert(todos).values([
        { id: "b", title: "Go" },
        { id: "b", title: "Eat" },
      ]),
    ).rejects.toMatchObject(refusal);
    expect(ids(rows())).toEqual(["a"]);
  });

  it("without a required value is refused", async () => {
    const { db } = open();
    await expect(db.insert(todos).values({ rank: 1 } as unknown as { title: string })).rejects.toMatchObject({
      code: "data/missing",
    });
  });

  it("asks the store once per constraint, however many rows it has", async () => {
    const { store, db } = open();
    await db
      .insert(todos)
      .values(Array.from({ length: 40 }, (_, i) => ({ id: `t${i}`, title: `t${i}`, code: `c${i}` })));
    expect(store.lookups).toHaveLength(1);
    expect(store.selects).toHaveLength(2);
    expect(store.written).toHaveLength(1);
  });

  it("splits a look-up that is wider than a statement may be, and still finds the conflict in the last part", async () => {
    const { store, db } = open();
    const count = limits.uniqueRowsPerLookup + 1;
    await db.insert(odd).values({ id: "x", big: BigInt(count - 1) });
    store.forget();
    const many = Array.from({ length: count }, (_, i) => ({ id: `o${i}`, big: BigInt(i) }));
    await expect(db.insert(odd).values(many)).rejects.toMatchObject({ data: { table: "odd", columns: ["big"] } });
    expect(store.selects).toEqual(["odd", "odd"]);
    expect(store.written).toEqual([]);
  });
});

describe("an update", () => {
  it("that pins ids looks rows up and tests the rest of the condition", async () => {
    const { store, db, rows } = open();
    await db.insert(todos).values([
      { id: "a", title: "a", rank: 1 },
      { id: "b", title: "b", rank: 2 },
    ]);
    store.forget();
    await db.update(todos).set({ rank: 9 }).where(eq(todos.id, "a"));
    await db
      .update(todos)
      .set({ done: true })
      .where(and(inArray(todos.id, ["a", "b", "zz"]), gt(todos.rank, 5)));
    expect(store.lookups).toEqual([["a"], ["a", "b", "zz"]]);
    expect(store.selects).toEqual([]);
    expect(rows().map((row) => [row["rank"], row["done"]])).toEqual([
      [9, true],
      [2, false],
    ]);
  });

  it("that pins nothing selects, with one write for all rows", async () => {
    const { store, db } = open();
    await db.insert(todos).values(["a", "b", "c"].map((title) => ({ id: title, title })));
    store.forget();
    await db
      .update(todos)
      .set({ rank: 1 })
      .where(or(eq(todos.id, "a"), eq(todos.title, "b")));
    expect(store.selects).toEqual(["todos"]);
    expect(store.written.map((writes) => writes.map(({ id: rowID }) => rowID))).toEqual([["a", "b"]]);
  });

  it("that pins no id at all touches nothing", async () => {
    const { store, db } = open();
    await db.update(todos).set({ rank: 1 }).where(eq(todos.id, null));
    await db.delete(todos).where(inArray(todos.id, []));
    expect([store.lookups, store.selects, store.written]).toEqual([[], [], []]);
  });

  it("writes only rows that it changes, and sets nothing for undefined", async () => {
    const { store, db } = open();
    await db.insert(todos).values([
      { id: "a", title: "a", rank: 1 },
      { id: "b", title: "b", rank: 2 },
    ]);
    store.forget();
    await db.update(todos).set({ rank: 2, note: undefined }).all();
    expect(
      store.written.flat().map(({ id: rowID, before, after }) => [rowID, before?.["rank"], after?.["rank"]]),
    ).toEqual([["a", 1, 2]]);
    await db.update(todos).set({ rank: 2 }).all();
    expect(store.written).toHaveLength(1);
  });
});

describe("a unique constraint", () => {
  it("counts columns together, and no null as equal to another", async () => {
    const { db, rows } = open();
    await db.insert(todos).values([
      { id: "a", title: "x", listID: "l1" },
      { id: "b", title: "x", listID: "l2" },
      { id: "c", title: "y", listID: "l1" },
    ]);
    await expect(db.insert(todos).values({ id: "d", title: "x", listID: "l2" })).rejects.toMatchObject({
      code: "constraint/unique",
      data: { table: "todos", columns: ["listID", "title"] },
    });
    await expect(db.update(todos).set({ listID: "l1" }).where(eq(todos.id, "b"))).rejects.toMatchObject({
      code: "constraint/unique",
    });
    expect(rows()).toHaveLength(3);
  });

  it("lets a row keep its own value, and refuses two rows of one update the same one", async () => {
    const { db } = open();
    await db.insert(todos).values([
      { id: "a", title: "a", code: "1" },
      { id: "b", title: "b", code: "2" },
    ]);
    await db.update(todos).set({ code: "1", rank: 5 }).where(eq(todos.id, "a"));
    await expect(db.update(todos).set({ code: "3" }).all()).rejects.toMatchObject({ data: { columns: ["code"] } });
    await expect(db.update(todos).set({ code: "2" }).all()).rejects.toMatchObject({ data: { columns: ["code"] } });
    await db.update(todos).set({ code: null }).all();
  });

  it("compares bigints in full and bytes by content", async () => {
    const { db, rows } = open();
    await db.insert(odd).values([
      { id: "a", big: 9007199254740992n, bytes: new Uint8Array([1, 2]) },
      { id: "b", big: 9007199254740993n, bytes: new Uint8Array([12]) },
    ]);
    await expect(db.insert(odd).values({ id: "c", big: 9007199254740993n })).rejects.toMatchObject({
      data: { columns: ["big"] },
    });
    await expect(db.insert(odd).values({ id: "c", bytes: new Uint8Array([1, 2]) })).rejects.toMatchObject({
      data: { columns: ["bytes"] },
    });
    expect(rows("odd")).toHaveLength(2);
  });

  it("is not looked up by an update of other columns", async () => {
    const { store, db } = open();
    await db.insert(todos).values({ id: "a", title: "a", code: "1" });
    store.forget();
    await db.update(todos).set({ rank: 1 }).where(eq(todos.id, "a"));
    expect(store.selects).toEqual([]);
  });
});

describe("authorize", () => {
  it("is asked for each named row, before and after, and its refusal leaves nothing", async () => {
    const asked: unknown[][] = [];
    const { db, rows } = open((name, row, action) => {
      asked.push([name, action, row["id"], row["rank"]]);
      if (row["rank"] === 13) throw new PlasmaError("auth/denied", { table: name, action });
    });
    await db.insert(todos).values({ id: "a", title: "a" });
    await db.update(todos).set({ rank: 1 }).where(eq(todos.id, "a"));
    await db.delete(todos).where(eq(todos.id, "a"));
    expect(asked).toEqual([
      ["todos", "insert", "a", 0],
      ["todos", "update", "a", 0],
      ["todos", "update", "a", 1],
      ["todos", "delete", "a", 1],
    ]);
    await expect(
      db.insert(todos).values([
        { id: "b", title: "b" },
        { id: "c", title: "c", rank: 13 },
      ]),
    ).rejects.toMatchObject({ code: "auth/denied" });
    expect(rows()).toEqual([]);
  });
});

describe("the size of a row", () => {
  it("is bound in insert and update", async () => {
    const { db } = open();
    const large = "x".repeat(limits.rowBytesMax);
    await expect(db.insert(todos).values({ id: "a", title: large })).rejects.toMatchObject({ code: "limit/row" });
    await db.insert(todos).values({ id: "a", title: "a" });
    await expect(db.update(todos).set({ note: large }).where(eq(todos.id, "a"))).rejects.toMatchObject({
      code: "limit/row",
    });
  });
});
