// Owns: the tables, and who may see and change their rows. Client and server share this file; the rules run on the server.
import {
  alias,
  and,
  defineSchema,
  eq,
  exists,
  id,
  ref,
  select,
  table,
  text,
  timestamp,
  type AnyColumn,
  type Expr,
} from "plasma-sync";

/** Who is asking. The client says it for the optimistic run, the server takes it from its own auth. */
export interface Ctx {
  readonly userId: string;
}

export const LIST_COLORS = ["clay", "moss", "sea", "plum", "sand"] as const;
export type ListColor = (typeof LIST_COLORS)[number];

/** The condition that the list of a row, which `listId` names, has the person as a member. */
export function inMyLists(ctx: Ctx, listId: AnyColumn): Expr {
  return exists(
    select()
      .from(members)
      .where(and(eq(members.listId, listId), eq(members.userId, ctx.userId))),
  );
}

export const users = table("users", { id: id(), name: text() }, { auth: { write: () => false } });

export const lists = table(
  "lists",
  {
    id: id(),
    name: text(),
    color: text({ enum: LIST_COLORS }),
    /** Who may rename, delete and share it. */
    ownerId: ref(() => users.id),
    createdAt: timestamp(),
  },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr => inMyLists(ctx, lists.id),
      write: (ctx: Ctx, row) => row.ownerId === ctx.userId,
    },
  },
);

/** Who has access to which list, its owner included. Every other right to see something follows from these rows. */
export const members = table(
  "members",
  {
    id: id(),
    listId: ref(() => lists.id, { onDelete: "cascade" }),
    userId: ref(() => users.id, { onDelete: "cascade" }),
    addedAt: timestamp(),
  },
  {
    auth: {
      // Whoever is in a list sees who else is: the rule looks into its own table, so it needs a second name for it.
      readWhere: (ctx: Ctx): Expr => {
        const mine = alias(members, "mine");
        return exists(
          select()
            .from(mine)
            .where(and(eq(mine.listId, members.listId), eq(mine.userId, ctx.userId))),
        );
      },
    },
    unique: (t) => [[t.listId, t.userId]],
  },
);

export const todos = table(
  "todos",
  {
    id: id(),
    listId: ref(() => lists.id, { onDelete: "cascade" }),
    title: text(),
    note: text().default(""),
    /** A calendar day, YYYY-MM-DD: the same day in every time zone. */
    due: text().nullable(),
    authorId: ref(() => users.id),
    createdAt: timestamp(),
  },
  {
    auth: { readWhere: (ctx: Ctx): Expr => inMyLists(ctx, todos.listId) },
    indexes: (t) => [[t.listId, t.createdAt]],
  },
);

/** A todo is done when it has a tick. A row of its own, so that a tick and an edit made at the same time both stay. */
export const ticks = table(
  "ticks",
  {
    /** The todo's id, so that a todo has one tick at most. */
    id: id(),
    todoId: ref(() => todos.id, { onDelete: "cascade" }),
    userId: ref(() => users.id),
    at: timestamp(),
  },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(todos)
            .where(and(eq(todos.id, ticks.todoId), inMyLists(ctx, todos.listId))),
        ),
    },
  },
);

export const schema = defineSchema({ users, lists, members, todos, ticks });
export const SCHEMA_VERSION = "2";
