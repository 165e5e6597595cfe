import { expect, it } from "vitest";
import { id, ref, text } from "../schema/column.ts";
import { table } from "../schema/table.ts";
import { and, eq, exists, inArray, not, or } from "./expressions.ts";
import { select } from "./select-builder.ts";
import { tablesOf } from "./tables-of.ts";

const users = table("users", { id: id(), name: text() });
const todos = table("todos", { id: id(), ownerId: ref(() => users.id) });
const notes = table("notes", { id: id(), todoId: ref(() => todos.id) });

it("finds the tables of joins, subqueries of any depth, derived sources and includes", () => {
  const ofUser = select().from(todos).where(eq(todos.ownerId, users.id));
  const noted = select({ id: notes.todoId }).from(notes);
  expect(tablesOf(select().from(todos).innerJoin(users).ast)).toEqual(["todos", "users"]);
  expect(
    tablesOf(
      select()
        .from(users)
        .where(and(not(exists(ofUser)))).ast,
    ),
  ).toEqual(["users", "todos"]);
  const deep = select({ id: todos.ownerId })
    .from(todos)
    .where(or(inArray(todos.id, noted)));
  expect(tablesOf(select().from(users).where(inArray(users.id, deep)).ast)).toEqual(["users", "todos", "notes"]);
  expect(tablesOf(select().fromSubquery(deep, "d").ast)).toEqual(["todos", "notes"]);
  expect(tablesOf(select().from(users).include({ todos: ofUser }).ast)).toEqual(["users", "todos"]);
});
