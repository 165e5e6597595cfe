// Owns: the code of auth.md, as a program: each block there is a region here, in the same order. The compiler checks it,
// and test/docs runs it.

// #region schema
import {
  alias,
  and,
  defineSchema,
  eq,
  exists,
  id,
  ref,
  select,
  table,
  text,
  timestamp,
  type AnyColumn,
  type Expr,
} from "plasma-sync/core";

/** Who is asking, as far as the rules and mutators need to know. */
export interface Ctx {
  readonly userId: string;
  readonly isSupport: boolean;
}

export const users = table("users", { id: id(), name: text() }, { auth: { write: () => false } });

export const settings = table(
  "settings",
  { id: id(), userId: ref(() => users.id, { onDelete: "cascade" }), theme: text() },
  {
    auth: {
      read: (ctx: Ctx, row) => row.userId === ctx.userId,
      write: (ctx: Ctx, row) => row.userId === ctx.userId,
    },
  },
);
// #endregion

// #region server
import { createSyncHandler, type SqlExecutor } from "plasma-sync/server";

export interface Session extends Ctx {
  readonly token: string;
}

export function createServer(executor: SqlExecutor, sessionOf: (token: string) => Promise<Session | undefined>) {
  return createSyncHandler<Ctx>({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    auth: async (request) => {
      const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
      const session = await sessionOf(token);
      if (session === undefined) return { ok: false, reason: "Sign in again." };
      const { userId, isSupport } = session;
      return {
        ok: true,
        clientGroupID: userId,
        ctx: { userId, isSupport },
        ctxKey: isSupport ? "support" : "person",
      };
    },
  });
}
// #endregion

// #region client
import { createPlasmaClient } from "plasma-sync/client";

export function openClient(
  session: Session,
  options: { readonly storage?: "memory"; readonly fetcher?: Fetcher } = {},
) {
  const { userId, isSupport, token } = session;
  return createPlasmaClient({
    schema,
    mutators,
    dbName: "lists",
    endpoint: "https://example.org/sync",
    schemaVersion: "1",
    clientGroupID: userId,
    getContext: (): Ctx => ({ userId, isSupport }),
    authHeaders: () => ({ authorization: `Bearer ${token}` }),
    ...options,
  });
}

type Fetcher = (request: Request) => Promise<Response>;
// #endregion

// #region membership
export const lists = table(
  "lists",
  { id: id(), name: text(), ownerId: ref(() => users.id) },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr => inMyLists(ctx, lists.id),
      write: (ctx: Ctx, row) => row.ownerId === ctx.userId,
    },
  },
);

/** Who is in which list; its owner is, too. */
export const members = table(
  "members",
  {
    id: id(),
    listId: ref(() => lists.id, { onDelete: "cascade" }),
    userId: ref(() => users.id, { onDelete: "cascade" }),
  },
  {
    auth: { readWhere: (ctx: Ctx): Expr => fellowMember(ctx) },
    unique: (t) => [[t.listId, t.userId]],
  },
);

export const todos = table(
  "todos",
  { id: id(), listId: ref(() => lists.id, { onDelete: "cascade" }), title: text(), createdAt: timestamp() },
  { auth: { readWhere: (ctx: Ctx): Expr => inMyLists(ctx, todos.listId) } },
);

/** The list that `listId` names has the person as a member. Support sees every list: `and()` of nothing always holds. */
function inMyLists(ctx: Ctx, listId: AnyColumn): Expr {
  if (ctx.isSupport) return and();
  return exists(
    select()
      .from(members)
      .where(and(eq(members.listId, listId), eq(members.userId, ctx.userId))),
  );
}

/** The same for the table of members itself, which then needs a second name. */
function fellowMember(ctx: Ctx): Expr {
  const mine = alias(members, "mine");
  return exists(
    select()
      .from(mine)
      .where(and(eq(mine.listId, members.listId), eq(mine.userId, ctx.userId))),
  );
}
// #endregion

// #region two-steps
export const comments = table(
  "comments",
  { id: id(), todoId: ref(() => todos.id, { onDelete: "cascade" }), body: text() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(todos)
            .where(and(eq(todos.id, comments.todoId), inMyLists(ctx, todos.listId))),
        ),
    },
  },
);

export const schema = defineSchema({ users, settings, lists, members, todos, comments });
// #endregion

// #region mutators
import { defineMutators, type MutatorInput } from "plasma-sync/core";

type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
type Db = Input<unknown>["db"];

export const mutators = defineMutators<typeof schema, Ctx>()({
  createList: async ({ db, args, ctx, newId }: Input<{ id: string; name: string }>) => {
    await db.insert(lists).values({ ...args, ownerId: ctx.userId });
    await db.insert(members).values({ id: newId(), listId: args.id, userId: ctx.userId });
  },

  addMember: async ({ db, args, ctx, newId }: Input<{ listId: string; userId: string }>) => {
    await mustOwn(db, args.listId, ctx);
    if (await isMember(db, args.listId, args.userId)) return;
    await db.insert(members).values({ id: newId(), ...args });
  },

  removeMember: async ({ db, args, ctx }: Input<{ listId: string; userId: string }>) => {
    if (args.userId !== ctx.userId) await mustOwn(db, args.listId, ctx); // Everybody may leave.
    await db.delete(members).where(and(eq(members.listId, args.listId), eq(members.userId, args.userId)));
  },

  addTodo: async ({ db, args, ctx, newId, now }: Input<{ listId: string; title: string }>) => {
    if (!(await isMember(db, args.listId, ctx.userId))) throw new Error("This list is not shared with you.");
    await db.insert(todos).values({ id: newId(), ...args, createdAt: now });
  },
});

async function isMember(db: Db, listId: string, userId: string): Promise<boolean> {
  const rows = await db
    .select()
    .from(members)
    .where(and(eq(members.listId, listId), eq(members.userId, userId)));
  return rows.length > 0;
}

async function mustOwn(db: Db, listId: string, ctx: Ctx): Promise<void> {
  const [list] = await db.select().from(lists).where(eq(lists.id, listId));
  if (list?.ownerId !== ctx.userId) throw new Error("Only the owner of a list decides who is in it.");
}
// #endregion

// #region test
import { DatabaseSync } from "node:sqlite";
import { ensureSchema, fromNodeSqlite } from "plasma-sync/server";

/** A server and its clients in one process; `bodies` is all that a person was ever sent. */
export async function openTeam(sessions: readonly Session[]) {
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  await ensureSchema({ schema, executor });
  const server = createServer(executor, async (token) => sessions.find((session) => session.token === token));
  const bodies = new Map<string, string>();
  const clientOf = (session: Session) =>
    openClient(session, {
      storage: "memory",
      fetcher: async (request) => {
        const answer = await server(request);
        bodies.set(session.userId, (bodies.get(session.userId) ?? "") + (await answer.clone().text()));
        return answer;
      },
    });
  return { server, bodies, clients: sessions.map(clientOf) };
}

export async function aRemovedMemberIsToldNothingMore(): Promise<unknown> {
  const person = (userId: string): Session => ({ userId, isSupport: false, token: `token of ${userId}` });
  const { bodies, clients } = await openTeam([person("ada"), person("grace")]);
  const [ada, grace] = clients;
  if (ada === undefined || grace === undefined) throw new Error("two sessions make two clients");

  await ada.mutate.createList({ id: "trip", name: "Trip" }).server;
  await ada.mutate.addMember({ listId: "trip", userId: "grace" }).server;
  await ada.mutate.addTodo({ listId: "trip", title: "Pack" }).server;
  await grace.pullOnce();
  const whileIn = await grace.db.select({ title: todos.title }).from(todos);

  await ada.mutate.removeMember({ listId: "trip", userId: "grace" }).server;
  await ada.mutate.addTodo({ listId: "trip", title: "A secret" }).server;
  await grace.pullOnce();
  const afterwards = await grace.db.select().from(todos);
  const refused = await grace.mutate.addTodo({ listId: "trip", title: "Let me in" }).then(
    () => null,
    (error: Error) => error.message,
  );
  await Promise.all(clients.map((client) => client.close()));
  // whileIn: [{ title: "Pack" }], afterwards: [], isTold: false
  return { whileIn, afterwards, refused, isTold: bodies.get("grace")?.includes("secret") };
}
// #endregion
