// Owns: features whose rows not everybody sees: vaults of one person, audits for a role, slugs that are taken unseen, and lists
// shared by membership, with what hangs below them.

import { and, eq, exists, or } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import { max } from "../../packages/plasma-sync/src/core/query/aggregates.ts";
import type { Expr } from "../../packages/plasma-sync/src/core/query/ast.ts";
import { select } from "../../packages/plasma-sync/src/core/query/select-builder.ts";
import { boolean, id, int, ref, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { USERS, type Ctx, type MakeFeature } from "./feature.ts";

/** In values that only this person may ever be sent. */
export const secretOf = (user: string): string => `SECRET-OF-${user}.`;
/** In values that only admins may be sent. */
export const ADMIN_SECRET = "SECRET-OF-ADMINS.";

export const vaults: MakeFeature = (version) => {
  const own = (ctx: Ctx, row: { readonly ownerId: string }) => row.ownerId === ctx.userId;
  const vaults = table(
    "vaults",
    { id: id(), ownerId: text(), body: text(), ...(version === "v2" ? { label: text().nullable() } : {}) },
    { auth: { read: own, write: own } },
  );
  return {
    tables: { vaults },
    mutators: {
      keep: {
        weight: 3,
        mayThrow: false,
        draw: (random) => ({ n: random.int(1, 4) }),
        run: async ({ db, args, ctx }) => {
          const row = { ownerId: ctx.userId, body: `${secretOf(ctx.userId)}${args["token"] as string}` };
          await db
            .insert(vaults)
            .values({ id: `${secretOf(ctx.userId)}${args["n"] as string}`, ...row } as never)
            .onConflictDoUpdate({ set: row });
        },
      },
      // Somebody else's: what the client does not see, its server refuses.
      steal: {
        weight: 1,
        mayThrow: true,
        draw: (random) => ({ n: random.int(1, 4), victim: random.pick(USERS) }),
        run: async ({ db, args, ctx }) => {
          const id = `${secretOf(args["victim"])}${args["n"] as string}`;
          await db
            .update(vaults)
            .set({ body: `taken by ${ctx.userId}` })
            .where(eq(vaults.id, id));
          if (args["victim"] === ctx.userId) await db.delete(vaults).where(eq(vaults.id, id));
        },
      },
    },
    sees: { vaults: (who, row) => row["ownerId"] === who.userId },
    seed: async (db) => {
      for (const user of USERS)
        await db.insert(vaults).values({ id: `${secretOf(user)}1`, ownerId: user, body: secretOf(user) } as never);
    },
  };
};

export const audits: MakeFeature = () => {
  const audits = table(
    "audits",
    { id: id(), body: text(), isPublic: boolean().default(false) },
    { auth: { read: (ctx: Ctx, row) => row.isPublic || ctx.role === "admin" } },
  );
  return {
    tables: { audits },
    mutators: {
      audit: {
        weight: 2,
        mayThrow: false,
        draw: () => ({}),
        run: async ({ db, args }) =>
          db.insert(audits).values({ id: `audit ${args["token"] as string}`, body: "seen", isPublic: true }),
      },
      hide: {
        weight: 1,
        mayThrow: true,
        draw: () => ({}),
        run: async ({ db, side }) => {
          const [first] = await db.select().from(audits).where(eq(audits.isPublic, true)).orderBy(audits.id).limit(1);
          if (first === undefined) throw new Error("Nothing to hide.");
          const body = side === "server" ? ADMIN_SECRET : "hidden";
          await db.update(audits).set({ body, isPublic: false }).where(eq(audits.id, first.id));
        },
      },
    },
    sees: { audits: (who, row) => row["isPublic"] === true || who.role === "admin" },
    seed: async (db) => db.insert(audits).values({ id: "first audit", body: ADMIN_SECRET }),
  };
};

export const slugs: MakeFeature = () => {
  const slugs = table(
    "slugs",
    { id: id(), slug: text().unique(), ownerId: text() },
    { auth: { read: (ctx: Ctx, row) => row.ownerId === ctx.userId } },
  );
  return {
    tables: { slugs },
    mutators: {
      claim: {
        weight: 3,
        mayThrow: true,
        draw: (random) => ({ slug: `s${random.int(1, 8)}` }),
        run: async ({ db, args, ctx, newId }) =>
          db.insert(slugs).values({ id: newId(), slug: args["slug"], ownerId: ctx.userId }),
      },
      moveSlug: {
        weight: 1,
        mayThrow: true,
        draw: (random) => ({ slug: `s${random.int(1, 8)}`, to: `s${random.int(1, 12)}` }),
        run: async ({ db, args, ctx }) => {
          const mine = and(eq(slugs.slug, args["slug"]), eq(slugs.ownerId, ctx.userId));
          await db.update(slugs).set({ slug: args["to"] }).where(mine);
        },
      },
    },
    sees: { slugs: (who, row) => row["ownerId"] === who.userId },
    raw: {
      takeSlug: async (db, random) => db.insert(slugs).values({ slug: `s${random.int(1, 12)}`, ownerId: "nobody" }),
    },
    check: (rows) => {
      const all = rows("slugs").map(({ slug }) => slug);
      return new Set(all).size === all.length ? null : "two rows have the same slug";
    },
  };
};

const LISTS = ["l1", "l2"] as const;

export const lists: MakeFeature = () => {
  const memberOf = (list: typeof lists.id | typeof items.listId, ctx: Ctx): Expr =>
    exists(
      select()
        .from(members)
        .where(and(eq(members.listId, list), eq(members.userId, ctx.userId))),
    );
  const lists = table(
    "lists",
    { id: id(), title: text(), ownerId: text() },
    { auth: { readWhere: (ctx: Ctx): Expr => or(eq(lists.ownerId, ctx.userId), memberOf(lists.id, ctx)) } },
  );
  const members = table("members", { id: id(), listId: ref(() => lists.id, { onDelete: "cascade" }), userId: text() });
  const items = table(
    "items",
    { id: id(), listId: ref(() => lists.id, { onDelete: "cascade" }), body: text(), rank: int() },
    { auth: { readWhere: (ctx: Ctx): Expr => memberOf(items.listId, ctx) }, indexes: (t) => [[t.listId, t.rank]] },
  );
  const comments = table(
    "comments",
    { id: id(), itemId: ref(() => items.id, { onDelete: "cascade" }), body: text() },
    {
      auth: {
        readWhere: (ctx: Ctx): Expr =>
          exists(
            select()
              .from(items)
              .where(and(eq(items.id, comments.itemId), memberOf(items.listId, ctx))),
          ),
      },
    },
  );
  const drawList = (random: SimRandom) => ({ list: random.pick(LISTS), user: random.pick(USERS), n: random.int(1, 6) });
  const isMember = (user: string, list: unknown, rows: readonly { readonly [column: string]: unknown }[]) =>
    rows.some((row) => row["listId"] === list && row["userId"] === user);
  return {
    tables: { lists, members, items, comments },
    mutators: {
      addMember: {
        weight: 2,
        mayThrow: false,
        draw: drawList,
        run: async ({ db, args }) => {
          const { list, user } = args as { list: string; user: string };
          await db
            .insert(members)
            .values({ id: `${list}:${user}`, listId: list, userId: user })
            .onConflictDoNothing();
        },
      },
      dropMember: {
        weight: 2,
        mayThrow: false,
        draw: drawList,
        run: async ({ db, args }) =>
          db.delete(members).where(eq(members.id, `${args["list"] as string}:${args["user"] as string}`)),
      },
      addItem: {
        weight: 5,
        mayThrow: false,
        draw: drawList,
        run: async ({ db, args, newId }) => {
          const { list } = args as { list: string };
          const [top] = await db
            .select({ rank: max(items.rank) })
            .from(items)
            .where(eq(items.listId, list));
          await db.insert(items).values({
            id: newId(),
            listId: list,
            body: `item of ${list}, ${args["token"] as string}`,
            rank: Number(top?.rank ?? 0) + 1,
          });
        },
      },
      renameItem: {
        weight: 2,
        mayThrow: true,
        draw: drawList,
        run: async ({ db, args }) => {
          const [last] = await db
            .select()
            .from(items)
            .where(eq(items.listId, args["list"]))
            .orderBy(items.rank)
            .limit(1);
          if (last === undefined) throw new Error("No item.");
          await db
            .update(items)
            .set({ body: `renamed by ${args["token"] as string}` })
            .where(eq(items.id, last.id));
        },
      },
      moveItem: {
        weight: 2,
        mayThrow: true,
        draw: drawList,
        run: async ({ db, args }) => {
          const [one] = await db.select().from(items).orderBy(items.id).limit(1);
          if (one === undefined) throw new Error("No item.");
          await db.update(items).set({ listId: args["list"] }).where(eq(items.id, one.id));
        },
      },
      comment: {
        weight: 2,
        mayThrow: true,
        draw: drawList,
        run: async ({ db, args, newId }) => {
          const [one] = await db.select().from(items).where(eq(items.listId, args["list"])).limit(1);
          if (one === undefined) throw new Error("No item.");
          await db.insert(comments).values({ id: newId(), itemId: one.id, body: args["token"] });
        },
      },
      dropItem: {
        weight: 1,
        mayThrow: false,
        draw: drawList,
        run: async ({ db, args }) => {
          const [one] = await db.select().from(items).where(eq(items.listId, args["list"])).orderBy(items.id).limit(1);
          if (one !== undefined) await db.delete(items).where(eq(items.id, one.id));
        },
      },
      dropList: {
        weight: 0.4,
        mayThrow: false,
        draw: drawList,
        run: async ({ db, args }) => db.delete(lists).where(eq(lists.id, args["list"])),
      },
      addList: {
        weight: 1,
        mayThrow: false,
        draw: drawList,
        run: async ({ db, args, ctx }) => {
          const { list } = args as { list: string };
          await db.insert(lists).values({ id: list, title: list, ownerId: ctx.userId }).onConflictDoNothing();
        },
      },
    },
    sees: {
      lists: (who, row, rows) => row["ownerId"] === who.userId || isMember(who.userId, row["id"], rows("members")),
      items: (who, row, rows) => isMember(who.userId, row["listId"], rows("members")),
      comments: (who, row, rows) => {
        const item = rows("items").find((one) => one["id"] === row["itemId"]);
        return item !== undefined && isMember(who.userId, item["listId"], rows("members"));
      },
    },
    seed: async (db) => {
      await db.insert(lists).values(LISTS.map((list, i) => ({ id: list, title: list, ownerId: USERS[i] as string })));
      const listIDs = LISTS.map((list, i) => ({ id: `${list}:${USERS[i]}`, listId: list, userId: USERS[i] as string }));
      await db.insert(members).values(listIDs);
    },
    raw: {
      switchMember: async (db, random) => {
        const list = random.pick(LISTS);
        await db.delete(members).where(eq(members.id, `${list}:${random.pick(USERS)}`));
        const userId = random.pick(USERS);
        await db
          .insert(members)
          .values({ id: `${list}:${userId}`, listId: list, userId })
          .onConflictDoNothing();
      },
      renumberItems: (db, random) =>
        db
          .update(items)
          .set({ rank: random.int(0, 9) })
          .where(eq(items.listId, random.pick(LISTS))),
    },
  };
};

/** Mutators that meet the server's refusal in every way beside those of the other features. */
export const refusals: MakeFeature = () => ({
  tables: {},
  mutators: {
    throwsThere: {
      weight: 2,
      mayThrow: false,
      draw: (random) => ({ n: random.int(1, 3) }),
      run: async ({ side, args }) => {
        if (side === "server" && args["n"] !== 1) throw new Error("The server does not want it.");
      },
    },
    strictThere: {
      weight: 2,
      mayThrow: false,
      draw: (random) => ({ n: random.int(1, 3) }),
      serverRefuses: (args) => (args["n"] === 1 ? null : "n must be 1"),
      run: async () => undefined,
    },
    quiet: { weight: 2, mayThrow: false, draw: () => ({}), run: async () => undefined },
  },
});
