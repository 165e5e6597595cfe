// Owns: a small app for the tests of the kit: notes that their owner, and whoever shares them, may read.

import { boolean, id, text } from "../core/schema/column.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import { eq } from "../core/query/expressions.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";

export interface Ctx {
  readonly userId: string;
  readonly isAdmin?: boolean;
}

export const notes = table(
  "notes",
  { id: id(), owner: text(), body: text(), shared: boolean().default(false) },
  {
    auth: {
      read: (ctx: Ctx, row) => row.owner === ctx.userId || row.shared || ctx.isAdmin === true,
      write: (ctx: Ctx, row) => row.owner === ctx.userId,
    },
    unique: (t) => [[t.owner, t.body]],
  },
);
export const schema = defineSchema({ notes });

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;

export const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args, ctx }: Input<{ id: string; body: string }>) => {
    await db.insert(notes).values({ id: args.id, owner: ctx.userId, body: args.body });
  },
  edit: async ({ db, args }: Input<{ id: string; body: string }>) => {
    await db.update(notes).set({ body: args.body }).where(eq(notes.id, args.id));
  },
  share: async ({ db, args }: Input<{ id: string }>) => {
    await db.update(notes).set({ shared: true }).where(eq(notes.id, args.id));
  },
  /** Says no in the browser, and on the server where it is told to. */
  remove: async ({ db, args, side }: Input<{ id: string; onServer: boolean }>) => {
    if (side === "client" || args.onServer) throw new Error("Notes are for ever.");
    await db.delete(notes).where(eq(notes.id, args.id));
  },
});
