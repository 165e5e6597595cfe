import { afterEach, expect, test, vi } from "vitest";
import { defineMutators, type MutatorInput } from "../../core/mutation/mutator.ts";
import { eq } from "../../core/query/expressions.ts";
import { id, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { createSyncHandler } from "../handler.ts";
import { runMigrations } from "../migration/run-migrations.ts";
import { memoryDatabase } from "./memory-database-node.fixture.ts";
import { mutation, pushRequest } from "./sync-server.fixture.ts";

const notes = table("notes", { id: id(), body: text() });
const drafts = table("drafts", { id: id(), body: text().unique() }, { changeLogSuppressed: true });
const schema = defineSchema({ notes, drafts });
type Input = MutatorInput<typeof schema, unknown, { id: string }>;
const mutators = defineMutators<typeof schema, unknown>()({
  publish: async ({ db, args }: Input) => {
    const mine = await db.select().from(drafts);
    await db.insert(notes).values({ id: args.id, body: `${mine.length} drafts` });
  },
  /** Plasma itself looks whether the body is taken, and what refers to a row that goes. */
  write: async ({ db, args }: Input) => {
    await db.insert(drafts).values({ id: args.id, body: "b" });
    await db.delete(drafts).where(eq(drafts.id, args.id));
    await db.insert(notes).values({ id: args.id, body: "b" });
  },
});

afterEach(() => {
  vi.restoreAllMocks();
});

test("a mutator that reads a local-only table on the server is named, once; one that only writes there is not", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const executor = memoryDatabase();
  await runMigrations({ schema, executor });
  const auth = () => ({ ok: true as const, clientGroupID: "ada", ctx: null });
  const handler = createSyncHandler({ schema, mutators, executor, schemaVersion: "1", auth });
  const identity = { user: "ada", clientID: "c1", replicaID: "r1" };
  const calls = [
    mutation(1, "write", { id: "a" }),
    mutation(2, "publish", { id: "b" }),
    mutation(3, "publish", { id: "c" }),
  ];
  const answer = await handler(pushRequest(identity, calls));
  expect(await answer.json()).toMatchObject({
    results: [{ status: "applied" }, { status: "applied" }, { status: "applied" }],
  });
  expect(warn.mock.calls).toEqual([[expect.stringContaining('mutator "publish" reads the local-only table "drafts"')]]);
});
