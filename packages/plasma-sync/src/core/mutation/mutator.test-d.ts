// Both forms of a mutator: what a call takes, what the mutator gets.
import { z } from "zod";
import { eq } from "../query/expressions.ts";
import { boolean, id, text } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import { defineMutators, type MutatorArgs, type MutatorInput, type MutatorName } from "./mutator.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const todos = table("todos", { id: id(), title: text(), done: boolean().default(false) });
const schema = defineSchema({ todos });
interface Ctx {
  readonly userId: string;
}
type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;

const mutators = defineMutators<typeof schema, Ctx>()({
  create: async ({ db, args, ctx, newId, now, side }: Input<{ title: string; tags?: string[] }>) => {
    holds<Same<typeof ctx, Ctx>>();
    holds<Same<typeof now, number>>();
    holds<Same<typeof side, "client" | "server">>();
    await db.insert(todos).values({ id: newId(), title: args.title });
  },
  clear: async ({ db }: Input<undefined>) => {
    await db.delete(todos).where(eq(todos.done, true));
  },
  rename: {
    args: z.object({
      id: z.string(),
      title: z.string().trim(),
      at: z.string().transform(Number),
      done: z.boolean().default(false),
    }),
    run: async ({ db, args, ctx }) => {
      holds<Same<typeof ctx, Ctx>>();
      holds<Same<typeof args, { id: string; title: string; at: number; done: boolean }>>();
      await db.update(todos).set({ title: args.title }).where(eq(todos.id, args.id));
    },
  },
});

type M = typeof mutators;
holds<Same<MutatorName<M>, "create" | "clear" | "rename">>();
holds<Same<MutatorArgs<M, "create">, { title: string; tags?: string[] }>>();
holds<Same<MutatorArgs<M, "clear">, undefined>>();
// A call takes the schema's input; the mutator got its output.
holds<Same<MutatorArgs<M, "rename">, { id: string; title: string; at: string; done?: boolean | undefined }>>();

export const refused = () => {
  defineMutators<typeof schema, Ctx>()({
    // @ts-expect-error -- not the ctx of these mutators
    other: async ({ ctx }: MutatorInput<typeof schema, { role: number }, undefined>) => void ctx.role.toFixed(),
  });
  defineMutators<typeof schema, Ctx>()({
    rename: {
      args: z.object({ id: z.string() }),
      run: async ({ db, args }) => {
        // @ts-expect-error -- the schema has no title
        await db.update(todos).set({ title: args.title }).where(eq(todos.id, args.id));
      },
    },
  });
  defineMutators<typeof schema, Ctx>()({
    // @ts-expect-error -- neither a function nor { args, run }
    number: 5,
  });
};
