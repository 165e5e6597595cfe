import { describe, expect, it } from "vitest";
import { blob, id, int, json, ref, text } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table, type AnyTable } from "../schema/table.ts";
import { avg, count, max, min, sum } from "./aggregates.ts";
import { alias } from "./alias.ts";
import type { Expr, ResultRow } from "./ast.ts";
import { colRef } from "./column-node.ts";
import { createDb } from "./db.ts";
import { and, asc, between, desc, eq, exists, gt, inArray, isNull, like, not, notExists } from "./expressions.ts";
import { notInArray } from "./expressions.ts";
import { select, type AnySelect } from "./select-builder.ts";

const users = table("users", { id: id(), name: text(), age: int().nullable() });
const todos = table("todos", {
  id: id(),
  title: text(),
  rank: int().default(0),
  position: int().default(0),
  tags: json<string[]>().default([]),
  mark: blob().nullable(),
  ownerId: ref(() => users.id),
});
const notes = table("notes", { id: id(), todoId: ref(() => todos.id), body: text() });
const schema = defineSchema({ users, todos, notes });
const db = createDb({
  schema,
  engine: { select: async (): Promise<readonly ResultRow[]> => [], write: async () => undefined },
});

/** What plain JavaScript can pass where types would refuse it. */
const untyped = <T>(value: unknown): T => value as T;

/** The code and message of what building throws. */
function refusal(build: () => AnySelect | Expr | object): readonly [code: string, message: string] {
  try {
    const built = build();
    void (built as Partial<AnySelect>).ast;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return [code ?? "no code", message];
  }
  return ["nothing thrown", ""];
}

const from = () => db.select().from(todos);
const perOwner = () => select({ owner: todos.ownerId, n: count(), top: max(todos.title) }).from(todos);
const totals = () => db.select().fromSubquery(perOwner().groupBy(todos.ownerId), "totals");
const whereOf = (query: AnySelect): Expr | null => query.ast.where;

describe("a subquery's names", () => {
  const ofUser = () => select().from(todos).where(eq(todos.ownerId, users.id));

  it("may be those of the query around it, at any depth", () => {
    const noted = select()
      .from(notes)
      .where(and(eq(notes.todoId, todos.id), eq(notes.body, users.name)));
    const query = db
      .select()
      .from(users)
      .where(exists(ofUser().where(not(exists(noted)))));
    expect(refusal(() => query)).toEqual(["nothing thrown", ""]);
    expect(
      refusal(() =>
        db
          .select()
          .from(users)
          .include({ todos: ofUser().include({ noted }) }),
      )[0],
    ).toBe("nothing thrown");
  });

  it("mean nothing where no query around has the table", () => {
    for (const build of [
      () => db.select().from(notes).where(exists(ofUser())),
      () => db.select().from(notes).where(notExists(ofUser())),
      () => db.select().from(notes).include({ todos: ofUser() }),
      () =>
        db
          .select()
          .from(notes)
          .where(inArray(notes.todoId, select({ id: todos.id }).from(todos).where(eq(todos.ownerId, users.id)))),
      // A subquery in FROM sees nothing around it.
      () =>
        db
          .select()
          .from(users)
          .where(exists(select().fromSubquery(ofUser(), "t"))),
    ]) {
      const [code, message] = refusal(build);
      expect(code).toBe("query/not-in-from");
      expect(message).toContain('"users.id" is used, but "users" is not in this query');
    }
  });

  it("reach no table beside it that is itself in a subquery", () => {
    const sibling = exists(select().from(notes).where(eq(notes.todoId, todos.id)));
    const [code, message] = refusal(() =>
      db
        .select()
        .from(users)
        .where(and(exists(ofUser()), sibling)),
    );
    expect([code, message]).toEqual(["query/not-in-from", expect.stringContaining('"todos.id"')]);
  });

  it("mean the innermost source of that name", () => {
    const inner = select().from(todos).where(eq(todos.title, "a"));
    const outer = from().where(exists(inner.innerJoin(users).where(eq(users.name, "Ann"))));
    expect(refusal(() => outer)[0]).toBe("nothing thrown");
    // The source inside hides the table outside, whose columns it does not have.
    const hidden = select().fromSubquery(select({ id: notes.id }).from(notes), "users");
    const [code, message] = refusal(() =>
      db
        .select()
        .from(users)
        .where(exists(hidden.where(eq(users.name, "Ann")))),
    );
    expect([code, message]).toEqual([
      "query/unknown-column",
      expect.stringContaining('"users" has no column "name"; use one of: id'),
    ]);
  });

  it("stay those of the query around when a query is used twice", () => {
    const owned = ofUser();
    expect(refusal(() => owned)[0]).toBe("query/not-in-from");
    expect(refusal(() => db.select().from(users).where(exists(owned)))[0]).toBe("nothing thrown");
    const person = alias(users, "person");
    expect(refusal(() => db.select().from(person).where(exists(owned)))[0]).toBe("query/not-in-from");
  });
});

describe("an aggregate", () => {
  it("stands neither in where nor in a join's condition", () => {
    expect(refusal(() => from().where(gt(count(), 1)))).toEqual([
      "query/aggregate",
      expect.stringContaining('"where" uses count()'),
    ]);
    const [code, message] = refusal(() => from().innerJoin(users, eq(users.age, max(todos.rank))));
    expect([code, message]).toEqual(["query/aggregate", expect.stringContaining('"on" uses max()')]);
    expect(refusal(() => db.delete(todos).where(gt(count(), 1)))[0]).toBe("query/aggregate");
    expect(refusal(() => from().where(inArray(untyped<typeof todos.rank>(sum(todos.rank)), [1])))[0]).toBe(
      "query/aggregate",
    );
    expect(refusal(() => from().where(isNull(min(todos.rank))))[0]).toBe("query/aggregate");
  });

  it("beside a plain column wants that column in groupBy", () => {
    expect(refusal(() => db.select({ title: todos.title, n: count() }).from(todos))).toEqual([
      "query/group",
      expect.stringContaining('select({ title }) uses "todos.title"'),
    ]);
    const [, message] = refusal(() =>
      db.select({ title: todos.title, n: count() }).from(todos).groupBy(todos.ownerId, todos.rank),
    );
    expect(message).toContain("todos.ownerId, todos.rank");
    expect(refusal(() => db.select({ n: count() }).from(todos).orderBy(todos.title))).toEqual([
      "query/group",
      expect.stringContaining('orderBy uses "todos.title"'),
    ]);
    expect(
      refusal(() => db.select({ n: count() }).from(todos).groupBy(todos.title).orderBy(desc(todos.title)))[0],
    ).toBe("nothing thrown");
    // Ordering by an aggregate makes groups of rows.
    expect(refusal(() => db.select({ title: todos.title }).from(todos).orderBy(desc(count())))[0]).toBe("query/group");
  });

  it("is of a kind that it can be computed of", () => {
    expect(refusal(() => sum(untyped<typeof todos.rank>(todos.title)))).toEqual([
      "query/kinds",
      expect.stringContaining('sum compares "todos.title" (text) with numbers'),
    ]);
    expect(refusal(() => avg(untyped<typeof todos.rank>(todos.mark)))[0]).toBe("query/kinds");
    for (const fn of [min, max]) expect(refusal(() => fn(todos.tags))[1]).toContain('"todos.tags" (json)');
    const nothing = untyped<typeof todos.rank>(untyped<{ size: undefined }>(todos).size);
    expect(refusal(() => sum(nothing))[0]).toBe("schema/unbound-column");
    // A colRef's kind is known when the query is finished.
    const ofText = db.select({ n: sum(colRef<number>("totals", "top")) });
    expect(refusal(() => ofText.fromSubquery(perOwner().groupBy(todos.ownerId), "totals"))).toEqual([
      "query/kinds",
      expect.stringContaining('sum compares "totals.top" (text) with numbers'),
    ]);
  });
});

describe("groups", () => {
  it("say what they show", () => {
    expect(refusal(() => from().groupBy(todos.rank))[0]).toBe("query/group-projection");
    expect(refusal(() => from().having(gt(count(), 1)))[0]).toBe("query/group-projection");
    expect(refusal(() => from().orderBy(count()))[0]).toBe("query/group-projection");
  });

  it("are tested by what they have", () => {
    const grouped = db.select({ rank: todos.rank }).from(todos).groupBy(todos.rank);
    expect(refusal(() => grouped.having(and(gt(todos.rank, 1), gt(max(todos.title), "a"))))[0]).toBe("nothing thrown");
    for (const having of [
      eq(todos.title, "a"),
      not(isNull(todos.title)),
      between(count(), 1, todos.position),
      gt(max(todos.rank), todos.position),
    ]) {
      expect(refusal(() => grouped.having(having))[0]).toBe("query/group");
    }
    expect(refusal(() => grouped.having(like(todos.title, "a")))).toEqual([
      "query/group",
      expect.stringContaining('having uses "todos.title"'),
    ]);
  });

  it("are of columns whose values can be told apart", () => {
    const [code, message] = refusal(() => db.select({ n: count() }).from(todos).groupBy(todos.tags));
    expect([code, message]).toEqual(["query/kinds", expect.stringContaining('"todos.tags" (json)')]);
    expect(refusal(() => db.select({ n: count() }).from(todos).groupBy(users.id))[0]).toBe("query/not-in-from");
  });

  it("have no nested rows", () => {
    const nested = { notes: select().from(notes).where(eq(notes.todoId, todos.id)) };
    for (const build of [
      () => db.select({ n: count() }).from(todos).include(nested),
      () => db.select({ rank: todos.rank }).from(todos).groupBy(todos.rank).include(nested),
      () => db.select({ rank: todos.rank }).from(todos).distinct().include(nested),
    ]) {
      expect(refusal(build)).toEqual([
        "query/unsupported",
        expect.stringContaining("include with groups, aggregates or distinct is not supported"),
      ]);
    }
  });
});

describe("distinct rows", () => {
  it("are ordered by what they show", () => {
    const ranks = db.select({ rank: todos.rank }).from(todos).distinct();
    expect(refusal(() => ranks.orderBy(desc(todos.rank)))[0]).toBe("nothing thrown");
    expect(refusal(() => ranks.orderBy(todos.title))).toEqual([
      "query/distinct-order",
      expect.stringContaining('distinct() orders by "todos.title"'),
    ]);
    const groups = db.select({ n: count() }).from(todos).groupBy(todos.rank).distinct();
    expect(refusal(() => groups.orderBy(todos.rank))[0]).toBe("query/distinct-order");
  });

  it("show values that can be told apart", () => {
    const [code, message] = refusal(() => db.select({ tags: todos.tags }).from(todos).distinct());
    expect([code, message]).toEqual(["query/kinds", expect.stringContaining('distinct compares "todos.tags" (json)')]);
  });
});

describe("a colRef", () => {
  it("has the kind that its subquery's column has", () => {
    const query = totals().where(and(gt(colRef("totals", "n"), 1), eq(colRef("totals", "owner"), "u1")));
    expect(whereOf(query)).toEqual({
      type: "and",
      args: [
        {
          type: "compare",
          op: "gt",
          left: { type: "column", source: "totals", column: "n", kind: "int" },
          right: { type: "value", value: 1, kind: "int" },
        },
        expect.objectContaining({
          left: { type: "column", source: "totals", column: "owner", kind: "ref" },
          right: { type: "value", value: "u1", kind: "ref" },
        }),
      ],
    });
  });

  it("names a key that the subquery shows", () => {
    expect(refusal(() => totals().where(eq(colRef("totals", "title"), "a")))).toEqual([
      "query/unknown-column",
      expect.stringContaining('"totals" has no column "title"; use one of: owner, n, top'),
    ]);
    expect(refusal(() => totals().orderBy(colRef("total", "n")))).toEqual([
      "query/not-in-from",
      expect.stringContaining('"total" is not in this query. Join it, or use a column of: totals'),
    ]);
    expect(refusal(() => db.select({ x: colRef("totals", "x") }).fromSubquery(perOwner(), "totals"))[0]).toBe(
      "query/group",
    );
  });

  it("is compared with its own kind alone, as soon as that is known", () => {
    const n = colRef("totals", "n");
    const top = colRef("totals", "top");
    const wrong: readonly (readonly [Expr, string])[] = [
      [eq(n, "1"), "query/value"],
      [eq(n, 1n), "query/value"],
      [inArray(n, [1, "2"]), "query/value"],
      [notInArray(top, [1]), "query/value"],
      [between(n, 1, "2"), "query/value"],
      [eq(n, top), "query/kinds"],
      [between(n, 1, top), "query/kinds"],
      [like(n, "1%"), "query/kinds"],
      [not(and(like(n, "1%"))), "query/kinds"],
      [inArray(n, select({ name: users.name }).from(users)), "query/kinds"],
      [notInArray(top, select({ age: users.age }).from(users)), "query/kinds"],
    ];
    for (const [expr, code] of wrong) expect(refusal(() => totals().where(expr))[0]).toBe(code);
    expect(refusal(() => totals().where(eq(n, "1")))[1]).toContain(
      '"totals.n" takes a finite number, but got a string',
    );
    const joined = totals().innerJoin(users, eq(users.id, n));
    expect(refusal(() => joined)[1]).toContain('eq compares "users.id" (id) with "totals.n" (int)');
    const right = [
      eq(n, null),
      like(top, "a%"),
      inArray(top, select({ name: users.name }).from(users)),
      eq(users.age, n),
    ];
    for (const expr of right)
      expect(
        refusal(() =>
          totals()
            .innerJoin(users, eq(colRef("totals", "owner"), users.id))
            .where(expr),
        )[0],
      ).toBe("nothing thrown");
  });

  it("of a kind without order orders nothing", () => {
    const rows = db.select().fromSubquery(select({ tags: todos.tags }).from(todos), "t");
    expect(refusal(() => rows.orderBy(colRef("t", "tags")))[0]).toBe("query/order");
    expect(refusal(() => rows.where(eq(colRef("t", "tags"), "a")))).toEqual([
      "query/kinds",
      expect.stringContaining('eq compares "t.tags" (json) with a value'),
    ]);
    expect(refusal(() => rows.where(isNull(colRef("t", "tags"))))[0]).toBe("nothing thrown");
  });
});

describe("a subquery", () => {
  it("in inArray shows one column and nothing nested", () => {
    const of = (query: AnySelect) => refusal(() => from().where(inArray(todos.ownerId, untyped<string[]>(query))));
    expect(of(select({ id: users.id, name: users.name }).from(users))).toEqual([
      "query/in-subquery",
      expect.stringContaining("this one selects id, name"),
    ]);
    expect(of(select().from(users))[1]).toContain("selects whole rows");
    const nested = { todos: select().from(todos).where(eq(todos.ownerId, users.id)) };
    expect(of(select({ id: users.id }).from(users).include(nested))[0]).toBe("query/in-subquery");
    expect(of(select({ age: users.age }).from(users))).toEqual([
      "query/kinds",
      expect.stringContaining('inArray compares "todos.ownerId" (ref) with "users.age" (int)'),
    ]);
    expect(of(untyped<AnySelect>({ select: 1 }))[0]).toBe("query/value");
  });

  it("stands in where alone", () => {
    const some = exists(select().from(notes));
    expect(refusal(() => from().innerJoin(users, and(eq(users.id, todos.ownerId), some)))).toEqual([
      "query/unsupported",
      expect.stringContaining('A subquery in "on" is not supported'),
    ]);
    const grouped = db.select({ n: count() }).from(todos).groupBy(todos.rank);
    expect(refusal(() => grouped.having(not(some)))[1]).toContain('A subquery in "having" is not supported');
    expect(refusal(() => grouped.having(inArray(count(), select({ age: users.age }).from(users))))[0]).toBe(
      "query/unsupported",
    );
    expect(refusal(() => db.delete(todos).where(some))[0]).toBe("nothing thrown");
  });

  it("in FROM is a table: no joined or nested rows, a name that can be used", () => {
    const joined = select().from(todos).innerJoin(users);
    const nested = select()
      .from(todos)
      .include({ notes: select().from(notes) });
    for (const query of [joined, nested]) {
      expect(refusal(() => db.select().fromSubquery(query, "t"))).toEqual([
        "query/subquery-rows",
        expect.stringContaining('"t" has joined or nested rows'),
      ]);
    }
    const flat = select({ title: todos.title, by: users.name }).from(todos).innerJoin(users);
    expect(refusal(() => db.select().fromSubquery(flat, "t"))[0]).toBe("nothing thrown");
    for (const name of ["a b", "", "1a"])
      expect(refusal(() => db.select().fromSubquery(flat, name))[0]).toBe("schema/name");
    expect(refusal(() => db.select().fromSubquery(flat, "notes").innerJoin(notes, isNull(notes.id)))).toEqual([
      "query/duplicate-source",
      expect.stringContaining('"notes" is in this query twice'),
    ]);
  });

  it("is bound to the tables of the schema that its own select has", () => {
    const strange = untyped<AnyTable>(table("strange", { id: id() }));
    expect(
      refusal(() =>
        db
          .select()
          .from(users)
          .include({ s: db.select().from(strange) }),
      )[0],
    ).toBe("query/unknown-table");
  });
});

describe("an include's key", () => {
  const nested = select().from(notes).where(eq(notes.todoId, todos.id));

  it("replaces nothing that the row has", () => {
    for (const build of [
      () => from().include({ title: nested }),
      () => db.select({ what: todos.title }).from(todos).include({ what: nested }),
      () => from().innerJoin(users).include({ users: nested }),
      () => from().include({ notes: nested }).include({ notes: nested }),
    ]) {
      expect(refusal(build)).toEqual(["query/include-key", expect.stringContaining("would replace")]);
    }
    expect(refusal(() => db.select({ what: todos.title }).from(todos).include({ title: nested }))[0]).toBe(
      "nothing thrown",
    );
  });
});

describe("the row given to after", () => {
  it("holds every value that the query is ordered by", () => {
    const byRank = from().orderBy(desc(todos.rank));
    expect(refusal(() => byRank.after(untyped({ id: "t1" })))).toEqual([
      "query/after",
      expect.stringContaining('"todos.rank"'),
    ]);
    expect(refusal(() => byRank.after(untyped({ rank: 1 })))[1]).toContain('"todos.id"');
    expect(refusal(() => byRank.after(untyped({ id: "t1", rank: "1" })))[0]).toBe("query/value");
    expect(refusal(() => byRank.after(untyped(null)))[0]).toBe("query/after");
    expect(refusal(() => byRank.after(untyped("t1")))[0]).toBe("query/after");
    expect(refusal(() => byRank.after(untyped({ id: "t1", rank: null })))[0]).toBe("nothing thrown");
  });

  it("says so where the projection leaves one out, also the id", () => {
    const titles = db.select({ title: todos.title }).from(todos).orderBy(asc(todos.title));
    expect(refusal(() => titles.after({ title: "a" }))[1]).toContain('"todos.id"');
    const counted = db.select({ rank: todos.rank }).from(todos).groupBy(todos.rank).orderBy(count());
    expect(refusal(() => counted.after({ rank: 1 }))[1]).toContain('"count()"');
  });

  it("takes null for the columns of a side that a join left empty", () => {
    const rows = db.select().from(users).leftJoin(todos).orderBy(todos.rank);
    const after = rows.after({ users: { id: "u1", name: "Ann", age: null }, todos: null }).ast.after;
    expect(after).toEqual([null, "u1", null]);
    expect(refusal(() => rows.after(untyped({ users: { id: "u1" } })))[1]).toContain('"todos.rank"');
  });
});

it("a select without a table is refused inside another", () => {
  const start = select() as unknown as ReturnType<ReturnType<typeof select>["from"]>;
  expect(() => exists(start)).toThrow("query/no-from");
  expect(() => select().from(todos).include({ none: start })).toThrow("query/no-from");
});
