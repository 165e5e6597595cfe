// Owns: every way to change data. These functions run at once in the browser and again, for good, on the server.
// An error that one throws takes the change back; its message is written for the person who made the change.
import { defineMutators, eq, type InferUpdate, type MutatorInput } from "plasma-sync";
import { lists, ticks, todos, type schema, type Ctx, type ListColor } from "./schema.ts";

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
type Db = Input<unknown>["db"];

export const TITLE_CHARS_MAX = 200;

export interface NewList {
  /** Made by the caller, who wants to open the list at once. */
  readonly id: string;
  readonly name: string;
  readonly color: ListColor;
  readonly shared: boolean;
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
  createList: async ({ db, args, ctx, now }: Input<NewList>) => {
    const { id, color, shared } = args;
    await db.insert(lists).values({ id, name: named(args.name), color, shared, ownerId: ctx.userId, createdAt: now });
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

  createTodo: async ({ db, args, ctx, now, newId }: Input<NewTodo>) => {
    const { id: listId, ownerId, shared } = await visibleList(db, args.listId, ctx);
    const title = named(args.title);
    const authorId = ctx.userId;
    await db.insert(todos).values({ id: newId(), listId, title, authorId, ownerId, shared, createdAt: now });
  },

  editTodo: async ({ db, args }: Input<TodoEdit>) => {
    await mustTodo(db, args.id);
    const set: InferUpdate<typeof todos> = {
      title: args.title === undefined ? undefined : named(args.title),
      note: args.note,
      due: args.due,
    };
    await db.update(todos).set(set).where(eq(todos.id, args.id));
  },

  setDone: async ({ db, args, ctx, now }: Input<{ id: string; done: boolean }>) => {
    const { id, ownerId, shared } = await mustTodo(db, args.id);
    if (!args.done) {
      await db.delete(ticks).where(eq(ticks.id, id));
      return;
    }
    const [tick] = await db.select().from(ticks).where(eq(ticks.id, id));
    if (tick !== undefined) return; // Two people ticked it: the first one counts.
    await db.insert(ticks).values({ id, todoId: id, userId: ctx.userId, ownerId, shared, at: now });
  },

  restoreTodo: async ({ db, args, ctx }: Input<DeletedTodo>) => {
    const { ownerId, shared } = await visibleList(db, args.listId, ctx);
    await db.insert(todos).values({ ...args, title: named(args.title), authorId: ctx.userId, ownerId, shared });
  },

  deleteTodo: async ({ db, args }: Input<{ id: string }>) => {
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

async function mustTodo(db: Db, id: string) {
  const [todo] = await db.select().from(todos).where(eq(todos.id, id));
  if (todo === undefined) throw new Error("Somebody has deleted it.");
  return todo;
}

/** The server's mutators read every row, so a list that the person cannot see is refused here. */
async function visibleList(db: Db, id: string, ctx: Ctx) {
  const [list] = await db.select().from(lists).where(eq(lists.id, id));
  if (list === undefined || (!list.shared && list.ownerId !== ctx.userId)) throw new Error("Its list is gone.");
  return list;
}
