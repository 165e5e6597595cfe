// What updates owe each other on every engine: the last write wins for each column that a mutator set; where a table resolves
// conflicts itself, it is given the row as the mutation's maker had it.

import { beforeEach, describe, expect, test } from "vitest";
import type { Expr } from "../../core/query/ast.ts";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import { and, eq, exists } from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { id, int, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { ensureSchema } from "../migration/ensure-schema.ts";
import { createServerDb } from "../server-db.ts";
import { mutation, RawClient, startServer, type Ctx } from "./sync-server.fixture.ts";

const plain = table("plain", { id: id(), title: text(), note: text().default(""), rank: int().default(0) });
const members = table("members", { id: id(), userId: text() });

interface Doc {
  readonly id: string;
  readonly title: string;
  readonly stock: number;
  readonly ownerId: string;
  readonly slug: string;
}
interface Conflict {
  readonly base: Doc | null;
  readonly current: Doc;
  readonly incoming: Doc;
  readonly ctx: Ctx;
}

let told: Conflict[] = [];
let answer: (conflict: Conflict) => unknown = ({ incoming }) => incoming;

/** Stock is counted by differences; its owner may write, members and owners see it. */
const docs = table(
  "docs",
  { id: id(), title: text(), stock: int().default(0), ownerId: text(), slug: text().unique() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(members)
            .where(and(eq(members.id, docs.id), eq(members.userId, ctx.userId))),
        ),
      write: (_ctx: Ctx, row) => row.title !== "forbidden",
    },
    resolveConflict: (conflict) => {
      told.push(conflict);
      return answer(conflict) as Doc;
    },
  },
);
const schema = defineSchema({ plain, members, docs });
type Input<Args> = MutatorInput<typeof schema, Ctx, Args>;
type Patch = Partial<Doc> & { readonly id: string };

const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args }: Input<Patch>) => {
    await db.insert(docs).values({ title: "", ownerId: "", slug: args.id, ...args });
  },
  set: async ({ db, args: { id: docID, ...patch } }: Input<Patch>) => {
    await db.update(docs).set(patch).where(eq(docs.id, docID));
  },
  setTwice: async ({ db, args }: Input<Patch>) => {
    await db
      .update(docs)
      .set({ stock: args.stock ?? 0 })
      .where(eq(docs.id, args.id));
    await db
      .update(docs)
      .set({ title: args.title ?? "" })
      .where(eq(docs.id, args.id));
  },
  upsert: async ({ db, args }: Input<Patch>) => {
    await db
      .insert(docs)
      .values({ title: "", ownerId: "", slug: args.id, ...args })
      .onConflictDoUpdate({ set: { title: args.title ?? "" } });
  },
  setPlain: async ({ db, args: { id: plainID, ...patch } }: Input<{ id: string; title?: string; note?: string }>) => {
    await db.update(plain).set(patch).where(eq(plain.id, plainID));
  },
});

export function conflictsSuite(name: string, open: () => Promise<SqlExecutor>): void {
  describe(`conflicts: ${name}`, { timeout: 30_000 }, () => {
    let ada: RawClient;
    let grace: RawClient;
    let executor: SqlExecutor;
    const next = new Map<RawClient, number>();
    beforeEach(async () => {
      executor = await open();
      await ensureSchema({ schema, executor });
      const server = startServer(executor, { schema, mutators });
      ada = new RawClient(server, { user: "ada", clientID: "a1", replicaID: "ra" });
      grace = new RawClient(server, { user: "grace", clientID: "g1", replicaID: "rg" });
      told = [];
      answer = ({ incoming }) => incoming;
      next.clear();
      const db = createServerDb({ schema, executor });
      await db.insert(plain).values({ id: "p", title: "one", note: "n" });
      for (const userId of ["ada", "grace"])
        await db.insert(members).values({ id: userId === "ada" ? "d" : "x", userId });
      await push(grace, "add", { id: "d", title: "one", stock: 10 });
      await ada.pull();
      await grace.pull();
    });
    const push = async (client: RawClient, mutator: string, args: object, base = client.cookie) => {
      const mutationID = (next.get(client) ?? 0) + 1;
      next.set(client, mutationID);
      const { json } = await client.push(mutation(mutationID, mutator, args, base === undefined ? {} : { base }));
      return json.results[0];
    };
    const doc = async () => {
      const [row] = await createServerDb({ schema, executor }).select().from(docs).where(eq(docs.id, "d"));
      return row;
    };

    test("without a rule the last write wins for each column that a mutator set", async () => {
      await push(grace, "setPlain", { id: "p", title: "grace" });
      await push(ada, "setPlain", { id: "p", note: "ada" });
      const [row] = await createServerDb({ schema, executor }).select().from(plain);
      expect(row).toEqual({ id: "p", title: "grace", note: "ada", rank: 0 });
    });

    test("a rule is given the row as its maker had pulled it, as it is, and with what the mutator set", async () => {
      await push(grace, "set", { id: "d", stock: 7 });
      answer = ({ base, current, incoming }) => ({
        ...incoming,
        stock: current.stock + incoming.stock - (base?.stock ?? 0),
      });
      expect(await push(ada, "set", { id: "d", stock: 12, title: "two" })).toMatchObject({ status: "applied" });
      const shared = { id: "d", ownerId: "", slug: "d" };
      expect(told).toEqual([
        {
          base: { ...shared, title: "one", stock: 10 },
          current: { ...shared, title: "one", stock: 7 },
          incoming: { ...shared, title: "two", stock: 12 },
          ctx: { userId: "ada" },
        },
      ]);
      expect(await doc()).toEqual({ ...shared, title: "two", stock: 9 });
    });

    test("changes of one's own replica, of raw SQL and from before the base are no conflict", async () => {
      await push(ada, "set", { id: "d", stock: 1 });
      await push(ada, "set", { id: "d", stock: 2 });
      await createServerDb({ schema, executor }).update(docs).set({ stock: 3 }).where(eq(docs.id, "d"));
      await push(ada, "set", { id: "d", stock: 4 });
      await push(grace, "set", { id: "d", stock: 5 });
      told = [];
      await ada.pull();
      await push(ada, "set", { id: "d", stock: 6 });
      expect(told).toEqual([]);
    });

    test("a row that the maker did not see has no base", async () => {
      await push(ada, "set", { id: "d", stock: 7 });
      await push(grace, "set", { id: "d", stock: 8 });
      expect(told).toMatchObject([{ base: null, current: { stock: 7 }, incoming: { stock: 8 } }]);
    });

    test.each([
      ["none", undefined],
      ["a malformed one", "c1:zzzz"],
      [
        "one of another history",
        `c1:${btoa(JSON.stringify({ 0: "1", $tag: "0000000000000000" })).replaceAll("=", "")}`,
      ],
    ])("with %s for a base cookie, all that is known of others counts, and the base is null", async (_, base) => {
      await grace.pull();
      const mutationID = (next.get(ada) ?? 0) + 1;
      await ada.push(mutation(mutationID, "set", { id: "d", stock: 8 }, base === undefined ? {} : { base }));
      expect(told).toMatchObject([{ base: null, current: { stock: 10 }, incoming: { stock: 8 } }]);
    });

    test("it is asked once for a row and mutation, for upserts too, and an insert asks nothing", async () => {
      await push(grace, "set", { id: "d", stock: 7 });
      await push(ada, "setTwice", { id: "d", stock: 8, title: "two" });
      expect(told).toHaveLength(1);
      await push(ada, "upsert", { id: "d", title: "three" });
      await push(ada, "upsert", { id: "e", title: "new" });
      expect(told).toHaveLength(2);
      expect(await doc()).toMatchObject({ stock: 8, title: "three" });
    });

    test("what it returns is checked: rights, constraints, the id, a whole row at once", async () => {
      await push(grace, "set", { id: "d", stock: 7 });
      await push(grace, "add", { id: "taken", slug: "taken" });
      const codeOf = async (result: (conflict: Conflict) => unknown) => {
        answer = result;
        return (await push(ada, "set", { id: "d", stock: 8 }))?.error?.code;
      };
      expect(await codeOf(({ current }) => ({ ...current, title: "forbidden" }))).toBe("auth/denied");
      expect(await codeOf(({ current }) => ({ ...current, slug: "taken" }))).toBe("constraint/unique");
      expect(await codeOf(({ current }) => ({ ...current, id: "other" }))).toBe("data/invalid");
      expect(await codeOf(({ current }) => ({ ...current, stock: "many" }))).toBe("data/invalid");
      expect(await codeOf(({ current: { stock: _, ...rest } }) => rest)).toBe("data/invalid");
      expect(await codeOf(async ({ current }) => current)).toBe("mutation/app");
      expect(await codeOf(() => null)).toBe("mutation/app");
      expect(await doc()).toMatchObject({ stock: 7, title: "one" });
      expect(await codeOf(({ current }) => current)).toBeUndefined();
      expect(await doc()).toMatchObject({ stock: 7, title: "one" });
    });
  });
}
