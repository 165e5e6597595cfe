// Owns: the tables, and who may see and change their rows. Client and server share this file; the rules run on the server.
import { boolean, defineSchema, id, ref, table, text, timestamp } from "plasma-sync";

/** Who is asking. The client says it for the optimistic run, the server takes it from its own auth. */
export interface Ctx {
  readonly userId: string;
}

export const LIST_COLORS = ["clay", "moss", "sea", "plum", "sand"] as const;
export type ListColor = (typeof LIST_COLORS)[number];

interface InList {
  readonly ownerId: string;
  readonly shared: boolean;
}
const maySee = (ctx: Ctx, row: InList): boolean => row.shared || row.ownerId === ctx.userId;

export const users = table("users", { id: id(), name: text() }, { auth: { write: () => false } });

export const lists = table(
  "lists",
  {
    id: id(),
    name: text(),
    color: text({ enum: LIST_COLORS }),
    ownerId: ref(() => users.id),
    shared: boolean().default(false),
    createdAt: timestamp(),
  },
  { auth: { read: maySee, write: (ctx: Ctx, row) => row.ownerId === ctx.userId } },
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
    /** Of the list, copied: a rule sees one row. */
    ownerId: ref(() => users.id),
    shared: boolean(),
    createdAt: timestamp(),
  },
  {
    auth: { read: maySee, write: (ctx: Ctx, row) => row.authorId === ctx.userId },
    indexes: (t) => [[t.listId, t.createdAt]],
  },
);

/** A todo is done when it has a tick. A table of its own, because everyone in a shared list may tick, but only authors edit. */
export const ticks = table(
  "ticks",
  {
    /** The todo's id, so that a todo has one tick at most. */
    id: id(),
    todoId: ref(() => todos.id, { onDelete: "cascade" }),
    userId: ref(() => users.id),
    ownerId: ref(() => users.id),
    shared: boolean(),
    at: timestamp(),
  },
  { auth: { read: maySee, write: maySee } },
);

export const schema = defineSchema({ users, lists, todos, ticks });
export const SCHEMA_VERSION = "1";
