// Owns: the code of realtime.md, as a program: each block there is a region here, in the same order. The compiler checks it,
// and test/docs runs it in workerd.

import { defineMutators, defineSchema, eq, exists, id, ref, select, table, text, and } from "plasma-sync/core";
import type { AnyColumn, Expr, MutatorInput } from "plasma-sync/core";

/** As `wrangler types` declares it for an app. */
interface DurableObjectNamespace {
  idFromName(name: string): object;
  get(id: object): { fetch(request: Request): Promise<Response> };
}

interface Ctx {
  readonly userId: string;
}

const teams = table("teams", { id: id(), name: text() });
const members = table("members", { id: id(), teamId: ref(() => teams.id), userId: text() });
const notes = table(
  "notes",
  { id: id(), teamId: ref((): AnyColumn => teams.id), title: text() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(members)
            .where(and(eq(members.teamId, notes.teamId), eq(members.userId, ctx.userId))),
        ),
    },
  },
);
const schema = defineSchema({ teams, members, notes });
type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
const mutators = defineMutators<typeof schema, Ctx>()({
  joinTeam: async ({ db, args, ctx, newId }: Input<{ teamId: string }>) => {
    await db.insert(members).values({ id: newId(), teamId: args.teamId, userId: ctx.userId });
  },
  addNote: async ({ db, args, newId }: Input<{ teamId: string; title: string }>) => {
    await db.insert(notes).values({ id: newId(), teamId: args.teamId, title: args.title });
  },
});

// Whoever names themselves is let in: fine for a test.
const auth = (request: Request): AuthResult<Ctx> => {
  const userId = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
  return userId === "" ? { ok: false, reason: "Sign in." } : { ok: true, clientGroupID: userId, ctx: { userId } };
};

// #region worker
import { createServerDb, createSyncHandler, fromD1, pokeCoordinator } from "plasma-sync/server";
import type { AuthResult, D1Like, SyncHandlerOptions } from "plasma-sync/server";

export { SyncCoordinator } from "plasma-sync/server/cloudflare";

export interface Env {
  readonly DB: D1Like;
  readonly COORDINATOR: DurableObjectNamespace;
}

const optionsOf = (env: Env): SyncHandlerOptions<Ctx> => ({
  schema,
  mutators,
  schemaVersion: "1",
  executor: fromD1(env.DB),
  auth,
  coordinator: env.COORDINATOR,
});

export default {
  fetch(request: Request, env: Env, ctx: { waitUntil(promise: Promise<unknown>): void }): Promise<Response> {
    const waitUntil = (promise: Promise<unknown>) => ctx.waitUntil(promise);
    return createSyncHandler({ ...optionsOf(env), waitUntil })(request);
  },
};
// #endregion

// #region rooms
export const narrow = (env: Env): SyncHandlerOptions<Ctx> => ({
  ...optionsOf(env),
  authorizeRoom: async ({ ctx, room }) => {
    const db = createServerDb({ schema, executor: fromD1(env.DB) });
    const mine = and(eq(members.teamId, room), eq(members.userId, ctx.userId));
    return (await db.select().from(members).where(mine).limit(1)).length > 0;
  },
  pokeRooms: ({ mutations }) => mutations.map(({ args }) => (args as { teamId: string }).teamId),
});
// #endregion

// #region poke
export async function renameTeam(env: Env, teamId: string, name: string): Promise<void> {
  const db = createServerDb({ schema, executor: fromD1(env.DB) });
  await db.update(teams).set({ name }).where(eq(teams.id, teamId));
  await pokeCoordinator(env.COORDINATOR, { room: teamId });
}
// #endregion
