import { expect, test } from "vitest";
import type { SelectNode } from "../../core/query/ast.ts";
import { createDb } from "../../core/query/db.ts";
import { and, asc, between, eq, gt, gte, inArray, lt, ne, or } from "../../core/query/expressions.ts";
import { bigint, id, int, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Row } from "../../core/schema/value.ts";
import { planQuery } from "./plan.ts";
import { createReach } from "./reach.ts";
import type { Batch } from "./relation.ts";

const lists = table("lists", { id: id(), name: text() });
const todos = table("todos", {
  id: id(),
  listId: ref(() => lists.id).nullable(),
  rank: int().nullable(),
  size: bigint(),
  title: text(),
});
const schema = defineSchema({ lists, todos });
const db = createDb({ schema, engine: { select: () => Promise.resolve([]), write: () => Promise.resolve() } });
const select = () => db.select().from(todos);

const row = (values: Row): Row => ({ id: "a", listId: "home", rank: 5, size: 5n, title: "t", ...values });

/** Whether a commit that changes the row concerns the select; null when it is not known. */
function reaches(query: { readonly ast: SelectNode }, before: Row | null, after: Row | null, more = 0): boolean | null {
  const reach = createReach(planQuery(query.ast, schema));
  const others = Array.from({ length: more }, (_, n) => ({ before: null, after: row({ id: `other${n}`, rank: 0 }) }));
  const batch: Batch = {
    changes: new Map([["todos", [{ before, after }, ...others]]]),
    before: () => expect.unreachable(),
  };
  return reach === null ? null : reach(batch);
}

const five = row({});

test("a commit concerns an equality when a row has the value before or after it", () => {
  const query = select().where(eq(todos.listId, "home"));
  expect(reaches(query, null, five)).toBe(true);
  expect(reaches(query, five, null)).toBe(true);
  expect(reaches(query, row({ listId: "work" }), five)).toBe(true);
  expect(reaches(query, row({ listId: "work" }), row({ listId: null }))).toBe(false);
});

test("a commit concerns a range when a row is in it, ends included", () => {
  for (const query of [
    select().where(and(gte(todos.rank, 5), lt(todos.rank, 9))),
    select().where(between(todos.rank, 5, 9)),
    select().where(between(todos.size, 5n, 9n)),
  ]) {
    expect(reaches(query, null, five)).toBe(true);
    expect(reaches(query, row({ rank: 4, size: 4n }), row({ rank: 10, size: 10n }))).toBe(false);
    expect(reaches(query, row({ rank: 4, size: 4n }), row({ rank: 7, size: 7n }))).toBe(true);
  }
  const open = select().where(gt(todos.rank, 5));
  expect(reaches(open, null, row({ rank: 6 }))).toBe(true);
  expect(reaches(open, null, row({ rank: 4 }))).toBe(false);
  expect(reaches(open, null, row({ rank: null }))).toBe(false);
});

test("texts are ordered as everywhere, by code point", () => {
  const query = select().where(and(gte(todos.title, "\uffff"), lt(todos.title, "\u{1f600}b")));
  expect(reaches(query, null, row({ title: "\u{1f600}" }))).toBe(true);
  expect(reaches(query, null, row({ title: "\ue000" }))).toBe(false);
});

test("of several rows one in the range is enough", () => {
  const query = select().where(eq(todos.rank, 5));
  expect(reaches(query, null, five, 20)).toBe(true);
  expect(reaches(query, null, row({ rank: 6 }), 20)).toBe(false);
});

test("the column with two ends is the one that tells", () => {
  const query = select().where(and(gt(todos.rank, 0), eq(todos.listId, "home")));
  expect(reaches(query, null, row({ listId: "work", rank: 1 }))).toBe(false);
});

test("a commit of very many rows is looked at as a whole", () => {
  expect(reaches(select().where(eq(todos.rank, 5)), null, row({ rank: 6 }), 300)).toBe(true);
});

test("nothing is known of selects with other conditions, or of more than one table", () => {
  for (const query of [
    select(),
    select().where(ne(todos.rank, 5)),
    select().where(or(eq(todos.rank, 5), eq(todos.rank, 7))),
    select().where(inArray(todos.listId, db.select({ id: lists.id }).from(lists))),
    select().innerJoin(lists).where(eq(todos.rank, 5)).orderBy(asc(todos.rank)),
    select()
      .include({ list: db.select().from(lists).where(eq(lists.id, todos.listId)) })
      .where(eq(todos.rank, 5)),
  ])
    expect(reaches(query, null, five)).toBe(null);
});

test("a grouped select of one table is passed by as well", () => {
  const query = db.select({ rank: todos.rank }).from(todos).where(eq(todos.rank, 5)).groupBy(todos.rank);
  expect(reaches(query, null, five)).toBe(true);
  expect(reaches(query, null, row({ rank: 6 }))).toBe(false);
});
