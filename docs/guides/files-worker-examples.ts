// The code of docs/guides/files-on-the-server.md that runs on Workers, region by region. The tests compile and run it in workerd.

// #region rules
import {
  defineMutators,
  defineSchema,
  eq,
  file,
  id,
  table,
  text,
  type Expr,
  type FileRef,
  type MutatorInput,
} from "plasma-sync/core";

export interface Ctx {
  readonly userId: string;
}

export const photos = table(
  "photos",
  { id: id(), ownerId: text(), image: file({ maxSize: 20_000_000, mimeAllowList: ["image/*"] }) },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr => eq(photos.ownerId, ctx.userId),
      write: (ctx: Ctx, row) => row.ownerId === ctx.userId,
    },
  },
);
export const schema = defineSchema({ photos });

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
export const mutators = defineMutators<typeof schema, Ctx>()({
  addPhoto: async ({ db, args, ctx, newId }: Input<{ image: FileRef }>) => {
    await db.insert(photos).values({ id: newId(), ownerId: ctx.userId, image: args.image });
  },
});
// #endregion

// #region worker
import {
  collectBlobs,
  createSyncHandler,
  fromD1,
  fromR2,
  type AuthResult,
  type D1Like,
  type R2BucketLike,
} from "plasma-sync/server";

export interface Env {
  readonly DB: D1Like;
  readonly FILES: R2BucketLike;
}

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    createSyncHandler({
      schema,
      mutators,
      executor: fromD1(env.DB),
      schemaVersion: "1",
      auth: userOf,
      blobs: { default: fromR2(env.FILES) },
    })(request),
  /** Once a day: `"triggers": { "crons": ["17 3 * * *"] }`. */
  scheduled: (_event: unknown, env: Env) => collectBlobs({ executor: fromD1(env.DB), blobs: fromR2(env.FILES) }),
};
// #endregion

export const userOf = (request: Request): AuthResult<Ctx> => {
  const userId = request.headers.get("x-user");
  return userId === null ? { ok: false, reason: "Sign in." } : { ok: true, clientGroupID: userId, ctx: { userId } };
};
