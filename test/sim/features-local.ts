// Owns: a feature whose rows stay on the device: drafts, in a local-only table, written alone and together with synced tables.

import { eq } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import { increment } from "../../packages/plasma-sync/src/core/query/increment.ts";
import { id, int, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { MakeFeature } from "./feature.ts";

/** The row that counts. */
export const TICKS = "ticks";

/** Calls that leave a draft under their token. */
export const DRAFTING: ReadonlySet<string> = new Set(["draft", "draftAndPost", "draftAndBeRefused"]);

export const drafts: MakeFeature = () => {
  const drafts = table("drafts", { id: id(), body: text(), runs: int() }, { changeLogSuppressed: true });
  const draft = async ({ db, args }: Parameters<ReturnType<MakeFeature>["mutators"][string]["run"]>[0]) => {
    const { token } = args as { token: string };
    // A second run would count.
    await db
      .insert(drafts)
      .values({ id: token, body: `draft of ${token}`, runs: 1 })
      .onConflictDoUpdate({ set: { runs: increment(drafts.runs, 1) } });
  };
  return {
    tables: { drafts },
    mutators: {
      draft: { weight: 3, mayThrow: false, isLocal: true, draw: () => ({}), run: draft },
      tick: {
        weight: 3,
        mayThrow: false,
        isLocal: true,
        draw: () => ({}),
        run: async ({ db }) => {
          const [row] = await db.select().from(drafts).where(eq(drafts.id, TICKS));
          const runs = (row?.runs ?? 0) + 1;
          await db.insert(drafts).values({ id: TICKS, body: "", runs }).onConflictDoUpdate({ set: { runs } });
        },
      },
      draftAndPost: { weight: 3, mayThrow: false, draw: () => ({}), run: draft },
      draftAndBeRefused: {
        weight: 2,
        mayThrow: false,
        draw: () => ({}),
        run: async (input) => {
          await draft(input);
          if (input.side === "server") throw new Error("The server does not want it.");
        },
      },
    },
  };
};
