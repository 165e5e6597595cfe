// Owns: a schema with every shape of read rule that looks into other tables, and the same rules written by hand over plain
// rows, as the oracle.

import { alias } from "../../core/query/alias.ts";
import { and, eq, exists, inArray, not, notExists, or } from "../../core/query/expressions.ts";
import type { Expr } from "../../core/query/ast.ts";
import { select } from "../../core/query/select-builder.ts";
import { boolean, id, int, ref, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { Ctx } from "./sync-server.fixture.ts";

export const orgMembers = table("orgMembers", { id: id(), orgId: text(), userId: text() });

const isOrgMember = (ctx: Ctx) =>
  exists(
    select()
      .from(orgMembers)
      .where(and(eq(orgMembers.orgId, lists.orgId), eq(orgMembers.userId, ctx.userId)))
      .limit(1),
  );

/** Two subqueries beside a plain column. */
export const lists = table(
  "lists",
  { id: id(), name: text(), orgId: text().nullable(), isPublic: boolean().default(false) },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr => or(eq(lists.isPublic, true), memberOf(lists.id, ctx), isOrgMember(ctx)),
    },
  },
);

/** A rule over its own table. */
export const members = table(
  "members",
  { id: id(), listId: ref(() => lists.id), userId: text(), weight: int().default(1) },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr => {
        const mine = alias(members, "mine");
        return exists(
          select()
            .from(mine)
            .where(and(eq(mine.listId, members.listId), eq(mine.userId, ctx.userId))),
        );
      },
    },
    indexes: (t) => [[t.userId]],
  },
);

const memberOf = (list: typeof lists.id | typeof todos.listId, ctx: Ctx): Expr =>
  exists(
    select()
      .from(members)
      .where(and(eq(members.listId, list), eq(members.userId, ctx.userId))),
  );

/** A list of values, and a condition on the row itself. */
export const todos = table(
  "todos",
  { id: id(), listId: ref(() => lists.id), title: text(), hidden: boolean().default(false) },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        and(
          not(eq(todos.hidden, true)),
          inArray(todos.listId, select({ id: members.listId }).from(members).where(eq(members.userId, ctx.userId))),
        ),
    },
  },
);

/** A subquery inside a subquery. */
export const comments = table(
  "comments",
  { id: id(), todoId: ref(() => todos.id), body: text() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(todos)
            .where(and(eq(todos.id, comments.todoId), memberOf(todos.listId, ctx))),
        ),
    },
  },
);

export const blocks = table("blocks", { id: id(), userId: text() });

/** Nothing links the subquery to the row: all rows come and go. */
export const notices = table(
  "notices",
  { id: id(), body: text() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr => notExists(select().from(blocks).where(eq(blocks.userId, ctx.userId))),
    },
  },
);

/** A join inside. */
export const audits = table(
  "audits",
  { id: id(), orgId: text(), body: text() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select({ id: lists.id })
            .from(lists)
            .innerJoin(members, eq(members.listId, lists.id))
            .where(and(eq(lists.orgId, audits.orgId), eq(members.userId, ctx.userId))),
        ),
    },
  },
);

/** A condition over one row. */
export const drafts = table(
  "drafts",
  { id: id(), ownerId: text(), body: text() },
  { auth: { readWhere: (ctx: Ctx): Expr => eq(drafts.ownerId, ctx.userId) } },
);

export const ruleSchema = defineSchema({
  lists,
  members,
  orgMembers,
  todos,
  comments,
  blocks,
  notices,
  audits,
  drafts,
});

// oxlint-disable-next-line typescript/no-explicit-any -- rows of any table
export type PlainRow = { readonly [column: string]: any };
export type PlainTables = { readonly [table: string]: readonly PlainRow[] };

/** What a person sees, by hand. */
export function visibleTo(userId: string, all: PlainTables): Map<string, PlainRow> {
  const rowsOf = (name: string) => all[name] ?? [];
  const isMember = (listId: string) => rowsOf("members").some((m) => m["listId"] === listId && m["userId"] === userId);
  const rules: { readonly [table: string]: (row: PlainRow) => boolean } = {
    orgMembers: () => true,
    blocks: () => true,
    lists: (row) =>
      row["isPublic"] === true ||
      isMember(row["id"]) ||
      rowsOf("orgMembers").some((m) => m["orgId"] === row["orgId"] && m["userId"] === userId),
    members: (row) => isMember(row["listId"]),
    todos: (row) => row["hidden"] !== true && isMember(row["listId"]),
    comments: (row) => rowsOf("todos").some((todo) => todo["id"] === row["todoId"] && isMember(todo["listId"])),
    notices: () => !rowsOf("blocks").some((block) => block["userId"] === userId),
    audits: (row) => rowsOf("lists").some((list) => list["orgId"] === row["orgId"] && isMember(list["id"])),
    drafts: (row) => row["ownerId"] === userId,
  };
  const seen = new Map<string, PlainRow>();
  for (const [name, rule] of Object.entries(rules))
    for (const row of rowsOf(name)) if (rule(row)) seen.set(`${name}/${row["id"]}`, row);
  return seen;
}
