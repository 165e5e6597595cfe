// Owns: the app of the socket measurements: one table, whoever names themselves is let in.

import { defineMutators, defineSchema, id, int, table, type MutatorInput } from "plasma-sync/core";
import type { AuthResult } from "plasma-sync/server";

export interface Ctx {
  readonly userId: string;
}

const counters = table("counters", { id: id(), n: int() });
export const schema = defineSchema({ counters });
export const mutators = defineMutators<typeof schema, Ctx>()({
  count: async ({ db, args, newId }: MutatorInput<typeof schema, Ctx, { n: number }>) => {
    await db.insert(counters).values({ id: newId(), n: args.n });
  },
});

export function auth(request: Request): AuthResult<Ctx> {
  const userId = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
  return userId === ""
    ? { ok: false, reason: "Say who you are." }
    : { ok: true, clientGroupID: userId, ctx: { userId } };
}

export const app = { schema, mutators, schemaVersion: "1", auth } as const;
