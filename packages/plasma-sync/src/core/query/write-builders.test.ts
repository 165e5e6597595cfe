import { describe, expect, it } from "vitest";
import { bigint, boolean, id, int, json, real, text, timestamp } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import { alias } from "./alias.ts";
import type { Expr, WriteNode } from "./ast.ts";
import { createDb } from "./db.ts";
import { eq } from "./expressions.ts";
import { increment } from "./increment.ts";

const todos = table("todos", {
  id: id(),
  title: text(),
  state: text({ enum: ["open", "done"] }).default("open"),
  rank: int().default(0),
  done: boolean().default(false),
  tags: json<string[]>().default([]),
});
const other = table("other", { id: id(), name: text() });
const schema = defineSchema({ todos, other });
const written: WriteNode[] = [];
const db = createDb({
  schema,
  engine: { select: async () => [], write: async (node) => void written.push(node) },
});

const untyped = <T>(value: unknown): T => value as T;
const failure = (fn: () => unknown): { code?: string; message: string } | null => {
  try {
    fn();
    return null;
  } catch (error) {
    return error as { code?: string; message: string };
  }
};

describe("a write", () => {
  it("runs when it is awaited, once", async () => {
    const insert = db.insert(todos).values({ id: "a", title: "Rest" });
    expect(written).toHaveLength(0);
    await insert;
    await insert;
    expect(written).toEqual([{ type: "insert", table: "todos", rows: [{ id: "a", title: "Rest" }], onConflict: null }]);
  });

  it("is not changed by what the app does to its objects afterwards", () => {
    const row: { id: string; title: string; rank?: number } = { id: "a", title: "Rest" };
    const rows = [row];
    const insert = db.insert(todos).values(rows);
    const update = db
      .update(todos)
      .set(untyped<{ rank: number }>((({ id: _, ...rest }) => rest)({ ...row, rank: 1 })))
      .all();
    row.rank = 5;
    rows.push({ id: "b", title: "Go" });
    expect(insert.ast).toEqual({
      type: "insert",
      table: "todos",
      rows: [{ id: "a", title: "Rest" }],
      onConflict: null,
    });
    expect(update.ast).toMatchObject({ set: { title: "Rest", rank: 1 } });
  });

  it("without where is refused unless every row is meant", async () => {
    await expect(db.delete(todos)).rejects.toMatchObject({ code: "query/where-required" });
    await expect(db.update(todos).set({ rank: 1 })).rejects.toMatchObject({
      code: "query/where-required",
      message: expect.stringContaining('update("todos") has no where'),
    });
    expect(db.delete(todos).all().ast).toEqual({ type: "delete", table: "todos", where: null });
  });

  it("does not take a condition that is missing for every row", () => {
    expect(failure(() => db.delete(todos).where(untyped<Expr>(undefined)))?.code).toBe("query/condition");
  });

  it("takes conditions on its own table alone", () => {
    expect(failure(() => db.delete(todos).where(eq(other.name, "x")))?.code).toBe("query/not-in-from");
    expect(db.delete(todos).where(eq(todos.rank, 1)).where(eq(todos.done, true)).ast).toMatchObject({
      where: { type: "and", args: [eq(todos.rank, 1), eq(todos.done, true)] },
    });
  });

  it("refuses unknown columns with the known names", () => {
    const known = 'Table "todos" has no column "titel"; use one of: id, title, state, rank, done, tags';
    expect(failure(() => db.insert(todos).values(untyped({ titel: "x" })))?.message).toContain(known);
    expect(failure(() => db.update(todos).set(untyped({ titel: "x" })))?.message).toContain(known);
  });

  it("refuses values of the wrong type, also in an update that would find no row", () => {
    const wrong = [
      { title: 1 },
      { rank: "1" },
      { rank: 1.5 },
      { rank: Number.NaN },
      { state: "closed" },
      { done: 1 },
      { tags: () => 1 },
    ];
    for (const values of wrong) {
      expect(failure(() => db.insert(todos).values(untyped({ title: "x", ...values })))?.code).toBe("data/invalid");
      expect(failure(() => db.update(todos).set(untyped(values)))?.code).toBe("data/invalid");
    }
    expect(failure(() => db.update(todos).set(untyped({ title: null })))?.code).toBe("constraint/not-null");
  });

  it("never changes an id", () => {
    expect(failure(() => db.update(todos).set(untyped({ id: "b" })))?.code).toBe("data/id-change");
  });

  it("goes to a table, not to an alias", () => {
    expect(failure(() => db.insert(alias(todos, "t2")))?.code).toBe("query/unsupported");
  });
});

describe("an increment", () => {
  const price = table("price", {
    id: id(),
    cents: int(),
    units: bigint(),
    note: text(),
    rate: real(),
    at: timestamp(),
  });
  const otherDB = createDb({
    schema: defineSchema({ price }),
    engine: { select: async () => [], write: async () => undefined },
  });

  it("is by an amount that the column can hold", () => {
    const wrong: readonly (() => unknown)[] = [
      () => increment(price.cents, untyped<number>(1n)),
      () => increment(price.cents, untyped<number>("1")),
      () => increment(price.cents, untyped<number>(undefined)),
      () => increment(price.cents, untyped<number>(null)),
      () => increment(price.cents, 0.5),
      () => increment(price.cents, Number.NaN),
      () => increment(price.at, Number.POSITIVE_INFINITY),
      () => increment(price.rate, Number.POSITIVE_INFINITY),
      () => increment(price.units, untyped<bigint>(1)),
      () => increment(price.units, 2n ** 63n),
      () => increment(untyped<typeof price.cents>(price.note), 1),
    ];
    for (const make of wrong) expect(failure(make)?.code).toBe("query/value");
    expect(failure(wrong[4] as () => unknown)?.message).toContain('"price.cents" takes a whole number');
    expect(failure(wrong[10] as () => unknown)?.message).toContain('"price.note" takes no increment');
    expect(failure(() => increment(price.rate, 0.5))).toBe(null);
  });

  it("is set on the column that it was made of", () => {
    const update = otherDB.update(price);
    expect(failure(() => update.set({ cents: increment(price.at, 1) }))).toMatchObject({
      code: "query/value",
      message: expect.stringContaining(
        '"price.cents" takes an increment of itself, but got an increment of "price.at"',
      ),
    });
    expect(failure(() => update.set(untyped({ note: increment(price.cents, 1) })))?.code).toBe("query/value");
    const { ast } = update.set({ cents: increment(price.cents, 1) }).all();
    expect(ast).toMatchObject({ set: { cents: { by: 1 } } });
  });

  it("is known when it comes from another copy of the package", () => {
    const foreign = { by: 1, of: "price.cents", [Symbol.for("plasma-sync.increment")]: true };
    expect(
      otherDB
        .update(price)
        .set(untyped({ cents: foreign }))
        .all().ast,
    ).toMatchObject({ set: { cents: { by: 1 } } });
  });

  it("is nothing that an insert takes", () => {
    const row = { cents: increment(price.cents, 1), units: 0n, note: "", rate: 0, at: 0 };
    expect(failure(() => otherDB.insert(price).values(untyped(row)))?.code).toBe("data/invalid");
  });
});
