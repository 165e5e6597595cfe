// The kit under Node's own runner, in real processes of node-runner.test.ts: one test that passes, one that fails readably.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { defineMutators, defineSchema, id, table, text, type MutatorInput } from "plasma-sync/core";
import { createTestWorld, expectApplied, expectDenied, expectVisible } from "plasma-sync/testing";

interface Ctx {
  readonly userId: string;
}
const notes = table(
  "notes",
  { id: id(), owner: text() },
  { auth: { write: (ctx: Ctx, row) => row.owner === ctx.userId } },
);
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args }: MutatorInput<typeof schema, Ctx, { id: string; owner: string }>) => {
    await db.insert(notes).values(args);
  },
});

const world = createTestWorld({ schema, mutators });
after(() => world.close());

void test("a rule holds", async () => {
  const ada = await world.client("ada");
  await expectApplied(ada.mutate.add({ id: "1", owner: "ada" }));
  await expectDenied(ada.mutate.add({ id: "2", owner: "grace" }), "auth/denied");
  await expectVisible(ada, notes, ["1"]);
  assert.equal((await world.db.select().from(notes)).length, 1);
});

void test("a rule that is missing is found", async () => {
  const grace = await world.client("grace");
  await expectDenied(grace.mutate.add({ id: "3", owner: "grace" }));
});
