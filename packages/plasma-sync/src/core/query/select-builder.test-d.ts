// What the builders accept and refuse, and the types of rows, all without annotations.
import { bigint, blob, boolean, id, int, json, ref, text, timestamp } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table, type InferInsert, type InferRow, type InferUpdate } from "../schema/table.ts";
import { alias } from "./alias.ts";
import type { Expr } from "./ast.ts";
import type { Db } from "./db.ts";
import { and, asc, between, desc, eq, gt, inArray, isNull, like, not, or } from "./expressions.ts";
import type { LiveQuery } from "./live-query.ts";
import { select } from "./select-builder.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const users = table("users", { id: id(), name: text(), email: text().unique().nullable() });
const todos = table("todos", {
  id: id(),
  title: text(),
  state: text({ enum: ["open", "done"] }).default("open"),
  rank: int().default(0),
  due: timestamp().nullable(),
  size: bigint().default(0n),
  starred: boolean().default(false),
  mark: blob().nullable(),
  tags: json<string[]>().default([]),
  ownerId: ref(() => users.id, { onDelete: "cascade" }),
});
export const schema = defineSchema({ users, todos });
declare const db: Db;

type User = { readonly id: string; readonly name: string; readonly email: string | null };
type Todo = {
  readonly id: string;
  readonly title: string;
  readonly state: "open" | "done";
  readonly rank: number;
  readonly due: number | null;
  readonly size: bigint;
  readonly starred: boolean;
  readonly mark: Uint8Array | null;
  readonly tags: string[];
  readonly ownerId: string;
};

holds<Same<InferRow<typeof todos>, Todo>>();
holds<Same<InferRow<typeof users>, User>>();
const leastTodo: InferInsert<typeof todos> = { title: "Rest", ownerId: "u1" };
const noUpdate: InferUpdate<typeof todos> = { title: undefined };
export const samples = [leastTodo, noUpdate];

export async function rowsOfSelects() {
  const flat = await db.select().from(todos);
  holds<Same<typeof flat, Todo[]>>();

  const inner = await db.select().from(todos).innerJoin(users);
  holds<Same<typeof inner, { readonly todos: Todo; readonly users: User }[]>>();

  const left = await db.select().from(todos).leftJoin(users, eq(users.id, todos.ownerId)).where(eq(todos.id, "t1"));
  holds<Same<typeof left, { readonly todos: Todo; readonly users: User | null }[]>>();
  void left.map((row) => [row.todos.title, row.users?.name]);

  const author = alias(users, "author");
  const both = await db.select().from(todos).innerJoin(users).leftJoin(author, eq(author.id, todos.ownerId));
  holds<Same<typeof both, { readonly todos: Todo; readonly users: User; readonly author: User | null }[]>>();

  const projected = await db
    .select({ title: todos.title, due: todos.due, state: todos.state, by: users.name, also: author.name })
    .from(todos)
    .innerJoin(users)
    .leftJoin(author, eq(author.id, todos.ownerId));
  holds<
    Same<
      typeof projected,
      {
        readonly title: string;
        readonly due: number | null;
        readonly state: "open" | "done";
        readonly by: string;
        readonly also: string | null;
      }[]
    >
  >();

  const live = db.select({ title: todos.title }).from(todos).limit(3).live();
  holds<Same<typeof live, LiveQuery<{ readonly title: string }>>>();
}

export function acceptedPrograms(userID: string | undefined) {
  const chosen: Expr | undefined = userID === undefined ? undefined : eq(todos.ownerId, userID);
  void db.select().from(todos).where(chosen).orderBy(desc(todos.due), todos.title).limit(10).offset(5);
  void db
    .select()
    .from(todos)
    .where(and(chosen, or(eq(todos.state, "open"), not(isNull(todos.due)))));
  void db
    .select()
    .from(todos)
    .where(and(gt(todos.due, null), eq(todos.starred, true), eq(todos.size, 5n)));
  void db
    .select()
    .from(todos)
    .where(between(todos.rank, 1, todos.due))
    .orderBy(asc(todos.rank));
  void db
    .select()
    .from(todos)
    .where(and(inArray(todos.state, ["open"]), like(todos.state, "o%"), like(users.email, "%")));
  void db.insert(todos).values({ title: "Rest", ownerId: "u1" });
  void db.insert(todos).values([{ id: "t1", title: "Rest", ownerId: "u1", due: null, tags: ["a"], state: "done" }]);
  void db.update(todos).set({ title: "Rest", due: undefined }).where(eq(todos.id, "t1"));
  void db.delete(todos).all();
  void select({ name: users.name }).from(users).where(eq(users.id, todos.ownerId)).ast;
  void todos["title"];
}

export async function refusedPrograms() {
  // @ts-expect-error -- no such column
  void db.select().from(todos).where(eq(todos.titel, "Rest"));
  // @ts-expect-error -- rank is a number
  eq(todos.rank, "1");
  // @ts-expect-error -- size is a bigint
  eq(todos.size, 1);
  // @ts-expect-error -- not one of the values
  eq(todos.state, "closed");
  // @ts-expect-error -- columns of different kinds
  eq(todos.title, todos.rank);
  // @ts-expect-error -- undefined is not a value to compare with
  eq(todos.title, undefined);
  // @ts-expect-error -- not one of the values
  inArray(todos.state, ["open", "closed"]);
  // @ts-expect-error -- like is for text
  like(todos.rank, "1%");
  // @ts-expect-error -- a column is no condition
  void db.select().from(todos).where(todos.starred);
  // @ts-expect-error -- title is missing
  void db.insert(todos).values({ ownerId: "u1" });
  // @ts-expect-error -- title is text
  void db.insert(todos).values({ title: 1, ownerId: "u1" });
  // @ts-expect-error -- no such column
  void db.insert(todos).values({ title: "Rest", ownerId: "u1", done: true });
  // @ts-expect-error -- an id never changes
  void db.update(todos).set({ id: "t2" }).where(eq(todos.id, "t1"));
  // @ts-expect-error -- title is not nullable
  void db.update(todos).set({ title: null }).where(eq(todos.id, "t1"));
  // @ts-expect-error -- a delete must say which rows
  void db.delete(todos).where(undefined);
  // @ts-expect-error -- a select starts with a table
  void db.select().where(eq(todos.id, "t1"));
  // @ts-expect-error -- a string is no column
  void db.select({ title: "title" }).from(todos);
  // @ts-expect-error -- not a table
  void db.select().from({ id: id() });
  const [row] = await db.select().from(todos).leftJoin(users);
  // @ts-expect-error -- null where there is no user
  void row?.users.name;
  const [todo] = await db.select().from(todos);
  // @ts-expect-error -- rows never change in place
  if (todo !== undefined) todo.title = "Rest";
}
