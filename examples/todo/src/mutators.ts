// Owns: every way to change data. These functions run at once in the browser and again, for good, on the server.
// An error that one throws takes the change back; its message is written for the person who made the change.
import { and, defineMutators, eq, type InferUpdate, type MutatorInput } from "plasma-sync";
import { lists, members, ticks, todos, users, type schema, type Ctx, type ListColor } from "./schema.ts";

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
type Db = Input<unknown>["db"];

export const TITLE_CHARS_MAX = 200;

export interface NewList {
  /** Made by the caller, who wants to open the list at once. */
  readonly id: string;
  readonly name: string;
  readonly color: ListColor;
}
export interface Membership {
  readonly listId: string;
  readonly userId: string;
}
export interface NewTodo {
  readonly listId: string;
  readonly title: string;
}
/** What its author deleted and wants back. */
export interface DeletedTodo extends NewTodo {
  readonly id: string;
  readonly note: string;
  readonly due: string | null;
  readonly createdAt: number;
}
export interface TodoEdit {
  readonly id: string;
  readonly title?: string;
  readonly note?: string;
  readonly due?: string | null;
}

export const forms = {
  createList: async ({ db, args, ctx, now, newId }: Input<NewList>) => {
    const { id, color } = args;
    await db.insert(lists).values({ id, name: named(args.name), color, ownerId: ctx.userId, createdAt: now });
    await db.insert(members).values({ id: newId(), listId: id, userId: ctx.userId, addedAt: now });
  },

  renameList: async ({ db, args }: Input<{ id: string; name: string }>) => {
    await db
      .update(lists)
      .set({ name: named(args.name) })
      .where(eq(lists.id, args.id));
  },

  deleteList: async ({ db, args }: Input<{ id: string }>) => {
    await db.delete(lists).where(eq(lists.id, args.id));
  },

  addMember: async ({ db, args, ctx, now, newId }: Input<Membership>) => {
    const { listId, userId } = args;
    await mustOwn(db, listId, ctx);
    const [person] = await db.select().from(users).where(eq(users.id, userId));
    if (person === undefined) throw new Error("Nobody has that name.");
    if (await isMember(db, listId, userId)) return; // Added twice, in two windows.
    await db.insert(members).values({ id: newId(), listId, userId, addedAt: now });
  },

  removeMember: async ({ db, args, ctx }: Input<Membership>) => {
    const { listId, userId } = args;
    await mustOwn(db, listId, ctx);
    if (userId === ctx.userId) throw new Error("A list always has its owner. Delete it instead.");
    await db.delete(members).where(membership(listId, userId));
  },

  leaveList: async ({ db, args, ctx }: Input<{ id: string }>) => {
    const [list] = await db.select().from(lists).where(eq(lists.id, args.id));
    if (list?.ownerId === ctx.userId) throw new Error("It is your list. Delete it instead.");
    await db.delete(members).where(membership(args.id, ctx.userId));
  },

  createTodo: async ({ db, args, ctx, now, newId }: Input<NewTodo>) => {
    const { listId } = args;
    await mustBeMember(db, listId, ctx);
    await db
      .insert(todos)
      .values({ id: newId(), listId, title: named(args.title), authorId: ctx.userId, createdAt: now });
  },

  editTodo: async ({ db, args, ctx }: Input<TodoEdit>) => {
    await mustReach(db, args.id, ctx);
    const set: InferUpdate<typeof todos> = {
      title: args.title === undefined ? undefined : named(args.title),
      note: args.note,
      due: args.due,
    };
    await db.update(todos).set(set).where(eq(todos.id, args.id));
  },

  setDone: async ({ db, args, ctx, now }: Input<{ id: string; done: boolean }>) => {
    const { id, done } = args;
    await mustReach(db, id, ctx);
    if (!done) {
      await db.delete(ticks).where(eq(ticks.id, id));
      return;
    }
    const [tick] = await db.select().from(ticks).where(eq(ticks.id, id));
    if (tick !== undefined) return; // Two people ticked it: the first one counts.
    await db.insert(ticks).values({ id, todoId: id, userId: ctx.userId, at: now });
  },

  restoreTodo: async ({ db, args, ctx }: Input<DeletedTodo>) => {
    await mustBeMember(db, args.listId, ctx);
    await db.insert(todos).values({ ...args, title: named(args.title), authorId: ctx.userId });
  },

  deleteTodo: async ({ db, args, ctx }: Input<{ id: string }>) => {
    await mustReach(db, args.id, ctx);
    await db.delete(todos).where(eq(todos.id, args.id));
  },
};

export const mutators = defineMutators<typeof schema, Ctx>()(forms);

function named(text: string): string {
  const name = text.trim();
  if (name === "") throw new Error("It needs a name.");
  if (name.length > TITLE_CHARS_MAX) throw new Error(`Keep it under ${TITLE_CHARS_MAX} characters.`);
  return name;
}

const membership = (listId: string, userId: string) => and(eq(members.listId, listId), eq(members.userId, userId));

async function isMember(db: Db, listId: string, userId: string): Promise<boolean> {
  return (await db.select().from(members).where(membership(listId, userId))).length > 0;
}

/** The server's mutators read every row, so each asks whether the person is in the list; the browser asks the same. */
async function mustBeMember(db: Db, listId: string, ctx: Ctx): Promise<void> {
  if (!(await isMember(db, listId, ctx.userId))) throw new Error("Its list is gone, or no longer shared with you.");
}

/** One answer for what is not there and for what is not theirs: a person learns nothing of rows that they cannot see. */
async function mustReach(db: Db, todoId: string, ctx: Ctx): Promise<void> {
  const [todo] = await db.select().from(todos).where(eq(todos.id, todoId));
  if (todo === undefined || !(await isMember(db, todo.listId, ctx.userId)))
    throw new Error("It is deleted, or its list is no longer shared with you.");
}

async function mustOwn(db: Db, listId: string, ctx: Ctx): Promise<void> {
  const [list] = await db.select().from(lists).where(eq(lists.id, listId));
  if (list?.ownerId !== ctx.userId) throw new Error("Only the owner of a list decides who is in it.");
}
