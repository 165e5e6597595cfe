// Owns: the small app that planted bugs are tried on. Every mutation also writes its token into its person's journal, reading
// before it writes: so the journal tells which took effect, how often, and in what order.

import {
  and,
  eq,
  exists,
  select,
  type Expr,
  defineSchema,
  table,
  text,
  id,
  boolean,
  int,
  defineMutators,
  type MutatorInput,
} from "plasma-sync/core";

export interface Ctx {
  readonly userId: string;
}

export const journal = table(
  "journal",
  { id: id(), tokens: text() },
  { auth: { read: (ctx: Ctx, row) => row.id === ctx.userId } },
);
export const notes = table(
  "notes",
  { id: id(), owner: text(), shared: boolean(), edits: int() },
  { auth: { read: (ctx: Ctx, row) => row.shared || row.owner === ctx.userId } },
);
export const members = table("members", { id: id(), listId: text(), userId: text() });
export const todos = table(
  "todos",
  { id: id(), listId: text(), title: text() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(members)
            .where(and(eq(members.listId, todos.listId), eq(members.userId, ctx.userId))),
        ),
    },
  },
);
export const schema = defineSchema({ journal, notes, members, todos });

/** `pick` chooses among what the mutator finds. */
export interface Args {
  readonly token: string;
  readonly pick: number;
  readonly who: string;
  readonly list: string;
}
type Input = MutatorInput<typeof schema, Ctx, Args>;

async function enter({ db, args, ctx }: Input): Promise<void> {
  const [row] = await db.select().from(journal).where(eq(journal.id, ctx.userId));
  if (row === undefined) await db.insert(journal).values({ id: ctx.userId, tokens: ` ${args.token} ` });
  else
    await db
      .update(journal)
      .set({ tokens: `${row.tokens}${args.token} ` })
      .where(eq(journal.id, ctx.userId));
}

const pickOf = <T>(rows: readonly T[], pick: number): T | undefined => rows[pick % Math.max(1, rows.length)];

export const mutators = defineMutators<typeof schema, Ctx>()({
  addNote: async (input: Input) => {
    await enter(input);
    await input.db
      .insert(notes)
      .values({ id: input.newId(), owner: input.ctx.userId, shared: input.args.pick % 2 === 0, edits: 0 });
  },
  shareNote: async (input: Input) => {
    await enter(input);
    const { db, args, ctx } = input;
    const own = await db.select().from(notes).where(eq(notes.owner, ctx.userId)).orderBy(notes.id);
    const note = pickOf(own, args.pick);
    if (note === undefined) return;
    await db
      .update(notes)
      .set({ shared: !note.shared, edits: note.edits + 1 })
      .where(eq(notes.id, note.id));
  },
  dropNote: async (input: Input) => {
    await enter(input);
    const { db, args, ctx } = input;
    const note = pickOf(await db.select().from(notes).where(eq(notes.owner, ctx.userId)).orderBy(notes.id), args.pick);
    if (note !== undefined) await db.delete(notes).where(eq(notes.id, note.id));
  },
  join: async (input: Input) => {
    await enter(input);
    const { db, args } = input;
    await db
      .insert(members)
      .values({ id: `${args.list} ${args.who}`, listId: args.list, userId: args.who })
      .onConflictDoNothing();
  },
  leave: async (input: Input) => {
    await enter(input);
    const { db, args } = input;
    await db.delete(members).where(eq(members.id, `${args.list} ${args.who}`));
  },
  addTodos: async (input: Input) => {
    await enter(input);
    const { db, args, newId } = input;
    for (let i = 0; i <= args.pick % 3; i++)
      await db.insert(todos).values({ id: newId(), listId: args.list, title: args.token });
  },
  moveTodo: async (input: Input) => {
    await enter(input);
    const { db, args } = input;
    const todo = pickOf(await db.select().from(todos).orderBy(todos.id), args.pick);
    if (todo !== undefined) await db.update(todos).set({ listId: args.list }).where(eq(todos.id, todo.id));
  },
  dropTodo: async (input: Input) => {
    await enter(input);
    const { db, args } = input;
    const todo = pickOf(await db.select().from(todos).orderBy(todos.id), args.pick);
    if (todo !== undefined) await db.delete(todos).where(eq(todos.id, todo.id));
  },
  /** The server refuses it after it has written. */
  refused: async (input: Input) => {
    await enter(input);
    if (input.side === "server") throw new RangeError("No.");
  },
});
export type MutatorName =
  | "addNote"
  | "shareNote"
  | "dropNote"
  | "join"
  | "leave"
  | "addTodos"
  | "moveTodo"
  | "dropTodo"
  | "refused";
