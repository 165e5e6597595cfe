// The types of results: joins, aggregates, includes, subqueries, single rows, all without annotations.
import { bigint, boolean, id, int, ref, text, timestamp } from "../schema/column.ts";
import { table } from "../schema/table.ts";
import { avg, count, countDistinct, max, min, sum } from "./aggregates.ts";
import { alias } from "./alias.ts";
import { colRef } from "./column-node.ts";
import type { Db } from "./db.ts";
import { and, asc, desc, eq, exists, gt, gte, inArray, notExists, notInArray } from "./expressions.ts";
import { increment } from "./increment.ts";
import type { LiveQuery } from "./live-query.ts";
import { select } from "./select-builder.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const users = table("users", { id: id(), name: text(), email: text().nullable() });
const todos = table("todos", {
  id: id(),
  title: text(),
  rank: int().default(0),
  due: timestamp().nullable(),
  size: bigint().default(0n),
  open: boolean().default(true),
  ownerId: ref(() => users.id),
});
const notes = table("notes", { id: id(), todoId: ref(() => todos.id), body: text() });
declare const db: Db;

type User = { readonly id: string; readonly name: string; readonly email: string | null };
type Todo = {
  readonly id: string;
  readonly title: string;
  readonly rank: number;
  readonly due: number | null;
  readonly size: bigint;
  readonly open: boolean;
  readonly ownerId: string;
};
type Note = { readonly id: string; readonly todoId: string; readonly body: string };

export async function outerJoins() {
  const right = await db.select().from(todos).rightJoin(users);
  holds<Same<typeof right, { readonly todos: Todo | null; readonly users: User }[]>>();

  const full = await db.select().from(todos).fullJoin(users);
  holds<Same<typeof full, { readonly todos: Todo | null; readonly users: User | null }[]>>();

  // A right join empties every table before it, a later left join none of them.
  const three = await db.select().from(todos).innerJoin(users).rightJoin(notes, eq(notes.todoId, todos.id));
  holds<Same<typeof three, { readonly todos: Todo | null; readonly users: User | null; readonly notes: Note }[]>>();
  const owner = alias(users, "owner");
  const four = await db.select().from(todos).rightJoin(users).leftJoin(owner, eq(owner.id, todos.ownerId));
  holds<Same<typeof four, { readonly todos: Todo | null; readonly users: User; readonly owner: User | null }[]>>();

  const projected = await db
    .select({ title: todos.title, due: todos.due, by: users.name, email: users.email })
    .from(todos)
    .rightJoin(users);
  holds<
    Same<
      typeof projected,
      {
        readonly title: string | null;
        readonly due: number | null;
        readonly by: string;
        readonly email: string | null;
      }[]
    >
  >();
}

export async function aggregates() {
  const [all] = await db
    .select({
      n: count(),
      titled: count(todos.title),
      owners: countDistinct(todos.ownerId),
      rank: sum(todos.rank),
      size: sum(todos.size),
      mean: avg(todos.size),
      first: min(todos.title),
      last: max(todos.due),
      largest: max(todos.size),
    })
    .from(todos);
  holds<
    Same<
      typeof all,
      | {
          readonly n: number;
          readonly titled: number;
          readonly owners: number;
          readonly rank: number | null;
          readonly size: bigint | null;
          readonly mean: number | null;
          readonly first: string | null;
          readonly last: number | null;
          readonly largest: bigint | null;
        }
      | undefined
    >
  >();

  const grouped = await db
    .select({ ownerId: todos.ownerId, by: users.name, n: count() })
    .from(todos)
    .leftJoin(users)
    .groupBy(todos.ownerId, users.name)
    .having(and(gt(count(), 3), gte(max(todos.rank), 1), gt(sum(todos.size), 5n)))
    .orderBy(desc(count()), asc(todos.ownerId));
  holds<Same<typeof grouped, { readonly ownerId: string; readonly by: string | null; readonly n: number }[]>>();

  const distinct = await db.select({ rank: todos.rank }).from(todos).distinct();
  holds<Same<typeof distinct, { readonly rank: number }[]>>();
}

export async function singleRows() {
  const one = await db.select().from(todos).where(eq(todos.id, "t1")).one();
  holds<Same<typeof one, Todo | null>>();
  const projected = await db.select({ n: count() }).from(todos).one();
  holds<Same<typeof projected, { readonly n: number } | null>>();
  // What is called after it changes nothing of that, and a live query delivers lists.
  const ordered = await db.select().from(todos).one().orderBy(desc(todos.rank)).where(undefined);
  holds<Same<typeof ordered, Todo | null>>();
  const live = db.select().from(todos).one().live();
  holds<Same<typeof live, LiveQuery<Todo>>>();
}

export async function includes() {
  const rows = await db
    .select()
    .from(todos)
    .include({
      notes: select().from(notes).where(eq(notes.todoId, todos.id)).orderBy(desc(notes.body)).limit(3),
      owner: select().from(users).where(eq(users.id, todos.ownerId)).one(),
      stats: select({ n: count() }).from(notes).where(eq(notes.todoId, todos.id)).one(),
    });
  type Nested = {
    readonly notes: readonly Note[];
    readonly owner: User | null;
    readonly stats: { readonly n: number } | null;
  };
  type Flat<T> = { [K in keyof T]: T[K] };
  holds<Same<typeof rows, Flat<Todo & Nested>[]>>();

  const deep = await db
    .select({ id: users.id })
    .from(users)
    .include({
      todos: select({ id: todos.id })
        .from(todos)
        .where(eq(todos.ownerId, users.id))
        .include({ notes: select({ body: notes.body }).from(notes).where(eq(notes.todoId, todos.id)) }),
    })
    .include({ latest: select({ due: todos.due }).from(todos).where(eq(todos.ownerId, users.id)).one() })
    .one();
  type Deep = {
    readonly id: string;
    readonly todos: readonly { readonly id: string; readonly notes: readonly { readonly body: string }[] }[];
    readonly latest: { readonly due: number | null } | null;
  } | null;
  holds<Same<typeof deep, Deep>>();
  void deep?.todos[0]?.notes[0]?.body.length;

  const joined = await db
    .select()
    .from(todos)
    .leftJoin(users)
    .include({ notes: select({ body: notes.body }).from(notes).where(eq(notes.todoId, todos.id)) });
  holds<
    Same<
      typeof joined,
      {
        readonly todos: Todo;
        readonly users: User | null;
        readonly notes: readonly { readonly body: string }[];
      }[]
    >
  >();
  const live = db
    .select({ id: todos.id })
    .from(todos)
    .include({ owner: select().from(users).one() })
    .live();
  holds<Same<typeof live, LiveQuery<{ readonly id: string; readonly owner: User | null }>>>();
}

export async function subqueries() {
  const perOwner = select({ ownerId: todos.ownerId, n: count(), most: max(todos.rank) })
    .from(todos)
    .groupBy(todos.ownerId);
  type Totals = { readonly ownerId: string; readonly n: number; readonly most: number | null };
  const rows = await db
    .select()
    .fromSubquery(perOwner, "totals")
    .where(gt(colRef("totals", "n"), 5));
  holds<Same<typeof rows, Totals[]>>();
  const joined = await db
    .select()
    .fromSubquery(perOwner, "totals")
    .innerJoin(users, eq(users.id, colRef<string>("totals", "ownerId")));
  holds<Same<typeof joined, { readonly totals: Totals; readonly users: User }[]>>();
  const first = await db.select().fromSubquery(select().from(todos).limit(3), "three").one();
  holds<Same<typeof first, Todo | null>>();
  const named = await db
    .select({ n: colRef<number>("totals", "n"), top: max(colRef<number>("totals", "n")) })
    .fromSubquery(perOwner, "totals");
  holds<Same<typeof named, { readonly n: number | null; readonly top: number | null }[]>>();

  const theirs = select({ id: users.id }).from(users).where(eq(users.id, todos.ownerId));
  void db
    .select()
    .from(todos)
    .where(and(exists(theirs), notExists(theirs), inArray(todos.ownerId, theirs)));
  const dues = select({ due: todos.due }).from(todos);
  void db.select().from(todos).where(notInArray(todos.rank, dues));
}

export async function cursorsAndWrites() {
  const page = db.select().from(todos).innerJoin(users).orderBy(desc(todos.rank)).limit(10);
  const [last] = await page;
  if (last !== undefined) void page.after(last);
  // A row with nested rows is as good a cursor as one without.
  const nested = page.include({ notes: select().from(notes) });
  const [deep] = await nested;
  if (deep !== undefined) void nested.after(deep);
  if (last !== undefined) void nested.after(last);

  void db.insert(todos).values({ title: "Rest", ownerId: "u1" }).onConflictDoNothing();
  void db
    .insert(todos)
    .values({ title: "Rest", ownerId: "u1" })
    .onConflictDoUpdate({ set: { title: "Rest", rank: increment(todos.rank, 1), due: null } });
  void db
    .update(todos)
    .set({ size: increment(todos.size, 1n), due: increment(todos.due, 1000) })
    .all();
}

export async function refusedPrograms() {
  // @ts-expect-error -- text has no sum
  sum(todos.title);
  // @ts-expect-error -- text has no mean
  avg(todos.title);
  // @ts-expect-error -- a count is a number
  gt(count(), "3");
  // @ts-expect-error -- the largest of bigints is a bigint
  gt(max(todos.size), 3);
  // @ts-expect-error -- a name is no column
  void db.select({ n: count() }).from(todos).groupBy("title");
  // @ts-expect-error -- an aggregate is no group
  void db.select({ n: count() }).from(todos).groupBy(count());
  // @ts-expect-error -- ids are texts, ranks are numbers
  inArray(todos.rank, select({ id: users.id }).from(users));
  // @ts-expect-error -- a table is no subquery
  exists(users);
  // @ts-expect-error -- a table is no select
  void db.select().from(todos).include({ owner: users });
  // @ts-expect-error -- a subquery in FROM has a name
  void db.select().fromSubquery(select().from(todos));
  // @ts-expect-error -- the row lacks columns
  void db.select().from(todos).after({ id: "t1" });
  // @ts-expect-error -- no number can be added to a text
  increment(todos.title, 1);
  // @ts-expect-error -- size is a bigint
  increment(todos.size, 1);
  // @ts-expect-error -- title takes no increment
  void db.update(todos).set({ title: increment(todos.rank, 1) });
  // @ts-expect-error -- a bigint is not added to a number
  void db.update(todos).set({ rank: increment(todos.size, 1n) });
  // @ts-expect-error -- an insert has nothing to add to
  void db.insert(todos).values({ title: "Rest", ownerId: "u1", rank: increment(todos.rank, 1) });
  const insert = db.insert(users).values({ name: "Ann" });
  // @ts-expect-error -- an id never changes
  void insert.onConflictDoUpdate({ set: { id: "u2" } });
  // @ts-expect-error -- what it sets is missing
  void db.insert(users).values({ name: "Ann" }).onConflictDoUpdate({});

  const one = await db.select().from(todos).one();
  // @ts-expect-error -- there may be none
  void one.title;
  const [right] = await db.select().from(todos).rightJoin(users);
  // @ts-expect-error -- null where the user has no todo
  void right?.todos.title;
  const [total] = await db.select({ rank: sum(todos.rank) }).from(todos);
  // @ts-expect-error -- null where there is nothing to add up
  void total?.rank.toFixed();
  const [nested] = await db
    .select()
    .from(todos)
    .include({ owner: select().from(users).one(), notes: select().from(notes) });
  // @ts-expect-error -- the owner may be gone
  void nested?.owner.name;
  // @ts-expect-error -- nested rows never change in place
  nested?.notes.push({ id: "n1", todoId: "t1", body: "" });
  // @ts-expect-error -- no such key
  void nested?.comments;
}
