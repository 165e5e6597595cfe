import { describe, expect, it } from "vitest";
import { bigint, blob, boolean, id, int, json, ref, text, type AnyColumn } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table, type AnyTable } from "../schema/table.ts";
import { alias } from "./alias.ts";
import { termKey, type Expr, type OrderNode, type ResultRow, type SelectNode } from "./ast.ts";
import { createDb } from "./db.ts";
import { and, asc, between, desc, eq, exists, gt, inArray, like, not, notInArray } from "./expressions.ts";
import type { QueryEngine } from "./query-engine.ts";
import { pinnedIds } from "./pinned-ids.ts";
import { queryKey } from "./query-key.ts";
import { select } from "./select-builder.ts";

const users = table("users", { id: id(), name: text() });
const todos = table("todos", {
  id: id(),
  title: text(),
  rank: int().default(0),
  size: bigint().default(0n),
  done: boolean().default(false),
  tags: json<string[]>().default([]),
  mark: blob().nullable(),
  ownerId: ref(() => users.id),
  reviewerId: ref(() => users.id).nullable(),
});
const comments = table("comments", { id: id(), todoId: ref(() => todos.id), body: text() });
const strange = table("strange", { id: id(), title: text() });
const schema = defineSchema({ users, todos, comments });

const asked: SelectNode[] = [];
const engine: QueryEngine = {
  select: async (query): Promise<readonly ResultRow[]> => {
    asked.push(query);
    return [{ n: asked.length }];
  },
  write: async () => undefined,
};
const db = createDb({ schema, engine });

const code = (fn: () => unknown): unknown => {
  try {
    fn();
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
  return "nothing thrown";
};
const message = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing thrown";
};
/** What plain JavaScript can pass where types would refuse it. */
const untyped = <T>(value: unknown): T => value as T;

describe("a select", () => {
  it("is immutable: each call makes another one", () => {
    const all = db.select().from(todos);
    const some = all.where(eq(todos.done, true)).orderBy(asc(todos.rank)).limit(2).offset(1);
    expect(all.ast).toMatchObject({ where: null, limit: null, offset: 0 });
    expect(all.ast.orderBy).toHaveLength(1);
    expect(some.ast).toMatchObject({ limit: 2, offset: 1 });
  });

  it("has a total order: the primary keys of all sources come last, once", () => {
    const order = (nodes: readonly OrderNode[]) =>
      nodes.map(({ column, direction }) => `${termKey(column)} ${direction}`);
    expect(order(db.select().from(todos).orderBy(desc(todos.rank), todos.title).ast.orderBy)).toEqual([
      "todos.rank desc",
      "todos.title asc",
      "todos.id asc",
    ]);
    expect(order(db.select().from(todos).orderBy(desc(todos.id)).ast.orderBy)).toEqual(["todos.id desc"]);
    expect(order(db.select().from(todos).innerJoin(comments).orderBy(comments.id).ast.orderBy)).toEqual([
      "comments.id asc",
      "todos.id asc",
    ]);
  });

  it("joins its conditions with and, and leaves out an undefined one", () => {
    const where = db.select().from(todos).where(eq(todos.rank, 1)).where(undefined).where(eq(todos.rank, 2)).ast.where;
    expect(where).toEqual({ type: "and", args: [eq(todos.rank, 1), eq(todos.rank, 2)] });
  });

  it("runs once per await on its engine", async () => {
    const query = db.select().from(todos);
    expect(await query).not.toEqual(await query);
    expect(asked.at(-1)).toBe(query.ast);
  });

  it("is no live query where its engine has none", () => {
    expect(code(() => db.select().from(todos).live())).toBe("query/unsupported");
  });

  it("bound to nothing can be built but not run", async () => {
    const free = select({ id: todos.id }).from(todos).where(eq(todos.ownerId, users.id));
    await expect(free).rejects.toMatchObject({ code: "query/unbound" });
    expect(code(() => free.live())).toBe("query/unbound");
    expect(select().from(strange).ast.from).toEqual({ name: "strange", table: "strange" });
  });
});

describe("a join without a condition", () => {
  const on = (node: SelectNode): Expr | undefined => node.joins[0]?.on;

  it("uses the one ref between the tables, whichever side has it", () => {
    const link = eq(comments.todoId, todos.id);
    expect(on(db.select().from(todos).innerJoin(comments).ast)).toEqual(link);
    expect(on(db.select().from(comments).leftJoin(todos).ast)).toEqual(link);
  });

  it("uses the name of an alias", () => {
    const note = alias(comments, "note");
    expect(on(db.select().from(todos).innerJoin(note).ast)).toEqual(eq(note.todoId, todos.id));
  });

  it("is refused where no ref or several link the tables", () => {
    expect(message(() => db.select().from(todos).innerJoin(users))).toContain(
      'with "users" has no condition, and 2 refs',
    );
    expect(message(() => db.select().from(comments).innerJoin(users))).toContain("0 refs");
  });
});

describe("what a query cannot mean is refused when it is built, with names", () => {
  it("a table outside the schema, or no table at all", () => {
    expect(message(() => db.select().from(strange))).toContain(
      'no table "strange"; use one of: users, todos, comments',
    );
    expect(code(() => db.select().from(todos).innerJoin(strange, eq(strange.id, todos.id)))).toBe(
      "query/unknown-table",
    );
    for (const nothing of [undefined, null, {}, "todos"]) {
      expect(code(() => db.select().from(untyped<AnyTable>(nothing)))).toBe("query/unknown-table");
      expect(code(() => db.insert(untyped<typeof todos>(nothing)))).toBe("query/unknown-table");
    }
  });

  it("a table twice under one name", () => {
    expect(code(() => db.select().from(todos).innerJoin(todos, eq(todos.id, todos.id)))).toBe("query/duplicate-source");
    const self = alias(todos, "other");
    expect(db.select().from(todos).innerJoin(self, eq(self.id, todos.id)).ast.joins[0]?.source).toEqual({
      name: "other",
      table: "todos",
    });
  });

  it("a column of a table that is not in the query, wherever it is used", () => {
    const from = db.select().from(todos);
    const uses = [
      () => from.where(and(eq(todos.rank, 1), not(eq(users.name, "Ann")))).ast,
      () => from.where(eq(todos.ownerId, users.id)).ast,
      () => from.where(between(todos.title, "a", users.name)).ast,
      () => from.orderBy(users.name).ast,
      () => db.select({ name: users.name }).from(todos).ast,
      () => from.innerJoin(comments, eq(comments.body, users.name)).ast,
      // A condition of a join sees only the tables so far.
      () => from.innerJoin(comments, eq(comments.body, users.name)).innerJoin(users, eq(users.id, todos.ownerId)).ast,
      // Also where the query around has a table of that name.
      () => {
        const inner = from
          .innerJoin(comments, eq(comments.body, users.name))
          .innerJoin(users, eq(users.id, todos.ownerId));
        return db.select().from(users).where(exists(inner)).ast;
      },
    ];
    for (const use of uses) expect(code(use)).toBe("query/not-in-from");
    expect(message(uses[0] as () => unknown)).toContain('"users.name" is used, but "users" is not in this query');
  });

  it("a column that the table does not have", () => {
    const older = table("todos", { id: id(), summary: text() });
    expect(message(() => db.select().from(todos).where(eq(older.summary, "x")).ast)).toContain(
      'Table "todos" has no column "summary"; use one of: id, title',
    );
    const missing = untyped<{ titel: AnyColumn }>(todos).titel;
    for (const use of [
      () => eq(missing, "x"),
      () => db.select().from(todos).orderBy(missing),
      () => inArray(missing, []),
    ]) {
      expect(code(use)).toBe("schema/unbound-column");
    }
    expect(code(() => db.select({ titel: missing }).from(todos).ast)).toBe("schema/unbound-column");
    expect(code(() => eq(text(), "x"))).toBe("schema/unbound-column");
  });

  it("a comparison of different kinds", () => {
    expect(message(() => eq(untyped<typeof todos.title>(todos.rank), todos.title))).toContain(
      'eq compares "todos.rank" (int) with "todos.title" (text)',
    );
    expect(code(() => gt(untyped<typeof todos.size>(todos.rank), todos.size))).toBe("query/kinds");
    expect(code(() => eq(todos.size, untyped<bigint>(1)))).toBe("query/value");
    expect(code(() => eq(todos.rank, untyped<number>(1n)))).toBe("query/value");
    expect(code(() => eq(todos.done, untyped<boolean>(1)))).toBe("query/value");
    expect(code(() => like(untyped<typeof todos.title>(todos.rank), "1%"))).toBe("query/kinds");
    expect(code(() => eq(todos.tags, []))).toBe("query/kinds");
  });

  it("a value that no column of the kind can hold", () => {
    const values: (() => unknown)[] = [
      () => eq(todos.title, untyped<string>(undefined)),
      () => eq(todos.rank, Number.NaN),
      () => inArray(todos.rank, [1, Number.POSITIVE_INFINITY]),
      () => between(todos.rank, 1, untyped<number>(undefined)),
      () => eq(todos.size, 2n ** 63n),
      () => eq(todos.title, "\ud800"),
      () => eq(todos.title, "a\0"),
      () => eq(todos.mark, untyped<Uint8Array>([1])),
      () => like(todos.title, untyped<string>(null)),
      () => inArray(todos.title, untyped<string[]>("abc")),
    ];
    for (const value of values) expect(code(value)).toBe("query/value");
    expect(message(values[1] as () => unknown)).toContain('"todos.rank" takes a finite number, but got NaN');
  });

  it("an order by a kind without order", () => {
    expect(message(() => desc(todos.tags))).toContain('"todos.tags" (json) has no order');
    expect(code(() => db.select().from(todos).orderBy(todos.tags))).toBe("query/order");
  });

  it("a like pattern over 50 bytes", () => {
    expect(code(() => like(todos.title, "x".repeat(50)))).toBe("nothing thrown");
    expect(message(() => like(todos.title, "é".repeat(26)))).toContain("52 bytes");
    // The lone escape at the end takes two.
    expect(code(() => like(todos.title, `${"x".repeat(49)}\\`))).toBe("query/like-pattern");
  });

  it("a limit or offset that is no whole number of 0 or more", () => {
    for (const count of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, untyped<number>("5"), untyped<number>(null)]) {
      expect(code(() => db.select().from(todos).limit(count))).toBe("query/limit");
      expect(code(() => db.select().from(todos).offset(count))).toBe("query/limit");
    }
    expect(db.select().from(todos).limit(0).ast.limit).toBe(0);
  });

  it("what is no condition", () => {
    for (const wrong of [todos.done, true, "done = 1", null, { type: "sql" }, [eq(todos.rank, 1)]]) {
      expect(code(() => db.select().from(todos).where(untyped<Expr>(wrong)).ast)).toBe("query/condition");
      expect(
        code(
          () =>
            db
              .select()
              .from(todos)
              .where(and(untyped<Expr>(wrong))).ast,
        ),
      ).toBe("query/condition");
    }
  });

  it("an alias that is no name", () => {
    expect(code(() => alias(todos, "a b"))).toBe("schema/name");
  });
});

describe("a query's key", () => {
  const from = () => db.select().from(todos);

  it("is the same for equal queries and differs for others", () => {
    const queries = [
      from(),
      from().limit(1),
      from().offset(1),
      from().where(eq(todos.rank, 1)),
      from().where(eq(todos.rank, 2)),
      from().where(eq(todos.title, "1")),
      from().where(eq(todos.size, 1n)),
      from().where(eq(todos.mark, new Uint8Array([1]))),
      from().where(eq(todos.mark, new Uint8Array([1, 0]))),
      from().orderBy(desc(todos.rank)),
      from().innerJoin(comments),
      from().leftJoin(comments),
      db.select().from(alias(todos, "other")),
      db.select({ title: todos.title }).from(todos),
      db.select({ name: todos.title }).from(todos),
    ];
    expect(new Set(queries.map((query) => queryKey(query.ast))).size).toBe(queries.length);
    expect(queryKey(from().where(eq(todos.size, 1n)).ast)).toBe(queryKey(from().where(eq(todos.size, 1n)).ast));
  });
});

describe("the ids that a condition pins", () => {
  const pinned = (where: Expr) => pinnedIds(db.select().from(todos).where(where).ast);

  it("are found in eq, inArray, and anywhere under and", () => {
    expect(pinned(eq(todos.id, "a"))).toEqual(["a"]);
    expect(pinned(inArray(todos.id, ["a", "b", "a", null]))).toEqual(["a", "b"]);
    expect(pinned(and(eq(todos.rank, 1), and(eq(todos.id, "a"))))).toEqual(["a"]);
    expect(pinned(eq(todos.id, null))).toEqual([]);
  });

  it("are none where another row could pass", () => {
    const conditions = [
      eq(todos.title, "a"),
      eq(todos.id, todos.title),
      gt(todos.id, "a"),
      not(eq(todos.id, "a")),
      not(inArray(todos.id, ["a"])),
      notInArray(todos.id, ["a"]),
      eq(alias(todos, "other").id, "a"),
    ];
    for (const condition of conditions) {
      expect(pinnedIds({ ...db.select().from(todos).ast, where: condition })).toBe(null);
    }
    expect(pinned({ type: "or", args: [eq(todos.id, "a"), eq(todos.rank, 1)] })).toBe(null);
  });
});
