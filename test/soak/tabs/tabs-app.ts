// Owns: the app of the five tabs, for page and server: each call leaves a mark that counts how often it took effect.
import { defineMutators, type MutatorInput } from "../../../packages/plasma-sync/src/core/mutation/mutator.ts";
import { eq } from "../../../packages/plasma-sync/src/core/query/expressions.ts";
import { id, int, text } from "../../../packages/plasma-sync/src/core/schema/column.ts";
import { defineSchema } from "../../../packages/plasma-sync/src/core/schema/schema.ts";
import { table } from "../../../packages/plasma-sync/src/core/schema/table.ts";

export const marks = table("marks", { id: id(), tab: text(), hits: int() });
export const schema = defineSchema({ marks });
type Args = { readonly id: string; readonly tab: string };

export const mutators = defineMutators<typeof schema, unknown>()({
  mark: async ({ db, args }: MutatorInput<typeof schema, unknown, Args>) => {
    const [before] = await db.select().from(marks).where(eq(marks.id, args.id));
    if (before === undefined) await db.insert(marks).values({ ...args, hits: 1 });
    else
      await db
        .update(marks)
        .set({ hits: before.hits + 1 })
        .where(eq(marks.id, args.id));
  },
});
