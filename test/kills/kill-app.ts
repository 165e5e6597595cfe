// Owns: the small app of the kill tests, for its page and its server. Every call leaves a trace that shows whether it took effect
// once, twice or never, and in which order.

import { defineMutators, type MutatorInput } from "../../packages/plasma-sync/src/core/mutation/mutator.ts";
import { eq } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import { id, int, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { defineSchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";

/** One row per call that is synced. Its id is the mutation's own, so that a call which ran twice shows as two rows. */
export const entries = table(
  "entries",
  { id: id(), writer: text(), n: int(), text: text() },
  { indexes: (t) => [[t.writer, t.n]] },
);
/** One row per call that wrote locally, the same way. */
export const drafts = table(
  "drafts",
  { id: id(), writer: text(), n: int(), text: text() },
  { changeLogSuppressed: true },
);
/** How many entries each writer has made, counted one by one. */
export const totals = table("totals", { id: id(), count: int() });
/** What is there before the first page opens: something to sync for a while. */
export const stock = table("stock", { id: id(), rank: int(), text: text() }, { indexes: (t) => [[t.rank]] });
/** Rewritten as a whole, with one mark: enough changes at a time that the store moves them into pages again and again. */
export const sheet = table("sheet", { id: id(), mark: text() }, { changeLogSuppressed: true });
const SHEET_ROWS = 200;

export const schema = defineSchema({ entries, drafts, totals, stock, sheet });

interface Write {
  /** The page that writes: a tab of one run. */
  readonly writer: string;
  /** The number of the writer's entry; absent: none is made. */
  readonly entry?: number;
  /** The number of the writer's draft; absent: none is made. */
  readonly draft?: number;
  readonly text: string;
}

export const mutators = defineMutators<typeof schema, unknown>()({
  mark: async ({ db, args }: MutatorInput<typeof schema, unknown, { mark: string }>) => {
    const rows = Array.from({ length: SHEET_ROWS }, (_, i) => ({ id: `row ${i}`, mark: args.mark }));
    await db.insert(sheet).values(rows).onConflictDoUpdate({ set: args });
  },
  write: async ({ db, args, newId }: MutatorInput<typeof schema, unknown, Write>) => {
    const { writer, entry, draft, text: content } = args;
    if (entry !== undefined) {
      await db.insert(entries).values({ id: newId(), writer, n: entry, text: content });
      const [total] = await db.select().from(totals).where(eq(totals.id, writer));
      if (total === undefined) await db.insert(totals).values({ id: writer, count: 1 });
      else
        await db
          .update(totals)
          .set({ count: total.count + 1 })
          .where(eq(totals.id, writer));
    }
    if (draft !== undefined) await db.insert(drafts).values({ id: newId(), writer, n: draft, text: content });
  },
});
