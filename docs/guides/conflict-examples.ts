// The code of docs/guides/conflicts.md, region by region. The tests compile and run it.

// #region columns
import { defineSchema, id, int, table, text, type InferRow } from "plasma-sync/core";

export const profiles = table("profiles", { id: id(), name: text(), city: text(), motto: text().default("") });
// #endregion

// #region increment
import { defineMutators, eq, increment, type MutatorInput } from "plasma-sync/core";

export const counters = table("counters", { id: id(), likes: int().default(0) });
// #endregion

// #region resolve
interface Ctx {
  readonly userId: string;
}

/** A recipe that two people edit: the text of both is kept, the servings are those of the last. */
export const recipes = table(
  "recipes",
  { id: id(), title: text(), steps: text(), servings: int() },
  {
    resolveConflict: ({ base, current, incoming }) => {
      // Nobody else touched the steps, or both wrote the same.
      if (base === null || current.steps === base.steps || current.steps === incoming.steps) return incoming;
      // Only the others touched them: `incoming` is `current` with the columns that this mutation set.
      if (incoming.steps === base.steps) return { ...incoming, steps: current.steps };
      return { ...incoming, steps: `${current.steps}\n---\n${incoming.steps}` };
    },
  },
);
// #endregion

// #region refuse
export const bookings = table("bookings", { id: id(), room: text(), guest: text(), version: int().default(0) });
// #endregion

export const schema = defineSchema({ profiles, counters, recipes, bookings });
type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
type Patch<T> = Partial<T> & { readonly id: string };

// #region mutators
export const mutators = defineMutators<typeof schema, Ctx>()({
  // Writes only what the person changed, so that others' columns stay theirs.
  editProfile: async ({ db, args: { id: profileId, ...patch } }: Input<Patch<InferRow<typeof profiles>>>) => {
    await db.update(profiles).set(patch).where(eq(profiles.id, profileId));
  },

  // Says what to add, not what the sum was on this device.
  like: async ({ db, args }: Input<{ id: string }>) => {
    await db
      .update(counters)
      .set({ likes: increment(counters.likes, 1) })
      .where(eq(counters.id, args.id));
  },

  editRecipe: async ({ db, args: { id: recipeId, ...patch } }: Input<Patch<InferRow<typeof recipes>>>) => {
    await db.update(recipes).set(patch).where(eq(recipes.id, recipeId));
  },

  // Refuses when somebody was faster: the caller says which version they saw.
  book: async ({ db, args }: Input<{ id: string; guest: string; version: number }>) => {
    const [booking] = await db.select().from(bookings).where(eq(bookings.id, args.id));
    if (booking?.version !== args.version) throw new Error("Somebody has changed this booking meanwhile.");
    await db
      .update(bookings)
      .set({ guest: args.guest, version: args.version + 1 })
      .where(eq(bookings.id, args.id));
  },
});
// #endregion
