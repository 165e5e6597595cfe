// Owns: the notes app of the sync tests: a table whose rows are private or shared, and its world.

import type { PlasmaClient } from "plasma-sync/client";
import {
  boolean,
  defineMutators,
  defineSchema,
  desc,
  eq,
  id,
  int,
  table,
  text,
  type MutatorInput,
} from "plasma-sync/core";
import { openWorld, type Ctx, type World as WorldOf } from "./open-world.ts";

export { eventually, type Fault } from "./open-world.ts";

export const notes = table(
  "notes",
  { id: id(), owner: text(), body: text(), rank: int().default(0), shared: boolean().default(false) },
  {
    auth: {
      read: (ctx: Ctx, row) => row.shared || row.owner === ctx.userId,
      write: (ctx: Ctx, row) => row.owner === ctx.userId,
    },
  },
);
export const schema = defineSchema({ notes });

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
export const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args, ctx, newId }: Input<{ body: string; shared?: boolean }>) => {
    const [last] = await db.select().from(notes).orderBy(desc(notes.rank)).limit(1);
    await db.insert(notes).values({
      id: newId(),
      owner: ctx.userId,
      body: args.body,
      rank: (last?.rank ?? 0) + 1,
      shared: args.shared ?? false,
    });
  },
  edit: async ({ db, args, side }: Input<{ id: string; body: string }>) => {
    // A rule that only the server knows.
    if (side === "server" && args.body.includes("forbidden")) throw new Error("That word is not allowed here.");
    await db.update(notes).set({ body: args.body }).where(eq(notes.id, args.id));
  },
  remove: async ({ db, args }: Input<{ id: string }>) => {
    await db.delete(notes).where(eq(notes.id, args.id));
  },
});

export type Client = PlasmaClient<typeof schema, typeof mutators>;
export type World = WorldOf<typeof schema, typeof mutators>;

export const createWorld = (options: { readonly pollIntervalMs?: number } = {}): World =>
  openWorld({ schema, mutators, ...options });

/** The bodies that a client shows, in order of rank. */
export async function bodies(client: Client): Promise<string[]> {
  return (await client.db.select().from(notes).orderBy(notes.rank)).map(({ body }) => body);
}
