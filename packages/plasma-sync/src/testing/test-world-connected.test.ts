// The world of an app's tests with sockets, files and clients without a server.

import { expect, test } from "vitest";
import { eq } from "../core/query/expressions.ts";
import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import { id, text } from "../core/schema/column.ts";
import { file } from "../core/schema/file-column.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { table } from "../core/schema/table.ts";
import type { FileRef } from "../core/schema/value.ts";
import { expectFile, expectNoFile } from "./expect-file.ts";
import { expectApplied } from "./expect-outcome.ts";
import { expectVisible } from "./expect-rows.ts";
import { createTestWorld } from "./test-world.ts";

interface Ctx {
  readonly userId: string;
}
const notes = table(
  "notes",
  { id: id(), ownerId: text(), reader: text(), photo: file({ maxSize: 10_000 }).nullable() },
  { auth: { read: (ctx: Ctx, row) => row.ownerId === ctx.userId || row.reader === ctx.userId } },
);
const drafts = table("drafts", { id: id(), body: text() }, { changeLogSuppressed: true });
const schema = defineSchema({ notes, drafts });
type Input<A> = MutatorInput<typeof schema, Ctx, A>;
const mutators = defineMutators<typeof schema, Ctx>()({
  add: async ({ db, args, ctx }: Input<{ id: string; reader: string; photo: FileRef }>) => {
    await db.insert(notes).values({ ...args, ownerId: ctx.userId });
  },
  show: async ({ db, args }: Input<{ id: string; reader: string }>) => {
    await db.update(notes).set({ reader: args.reader }).where(eq(notes.id, args.id));
  },
  drop: async ({ db, args }: Input<{ id: string }>) => db.delete(notes).where(eq(notes.id, args.id)),
  draft: async ({ db, args }: Input<{ id: string; body: string }>) => db.insert(drafts).values(args),
});

const open = (options: { readonly sockets?: true; readonly pollIntervalMs?: number } = {}) =>
  createTestWorld({ schema, mutators, ...options });
const photo = (contents = "the photo") => new Blob([contents], { type: "image/png" });

test("with sockets a change arrives without a poll, also after they broke", async () => {
  await using world = open({ sockets: true, pollIntervalMs: 3_600_000 });
  const ada = await world.client("ada");
  const grace = await world.client("grace");
  const count = async () => (await grace.db.select().from(notes)).length;
  const startedAt = world.now;
  await ada.mutate.add({ id: "1", reader: "grace", photo: photo() });
  await world.until(async () => (await count()) === 1);
  expect(world.now - startedAt).toBeLessThan(1000);
  world.network.cutSockets();
  await ada.mutate.add({ id: "2", reader: "grace", photo: photo() });
  await world.until(async () => (await count()) === 2);
  expect(world.now - startedAt).toBeLessThan(60_000);
});

test("a file is read by who sees its row, and by nobody else", async () => {
  await using world = open();
  const [ada, grace, linus] = [await world.client("ada"), await world.client("grace"), await world.client("linus")];
  await expectApplied(ada.mutate.add({ id: "1", reader: "grace", photo: photo() }));
  await expectVisible(grace, notes, ["1"]);
  const [note] = await grace.db.select().from(notes);
  await expectFile(grace, note?.photo, "the photo");
  await expectNoFile(linus, note?.photo as FileRef);
  await expect(expectNoFile(grace, note?.photo as FileRef)).rejects.toThrow(/test\/file/);
  await expect(expectFile(grace, note?.photo, "another")).rejects.toThrow(/test\/file/);
  await expect(expectFile(linus, note?.photo, "the photo")).rejects.toThrow(/which is "missing"/);
  await expectApplied(ada.mutate.show({ id: "1", reader: "nobody" }));
  await expectNoFile(grace, note?.photo as FileRef);
});

test("an upload goes on after lost requests, a crash and a dead server", async () => {
  await using world = open();
  const ada = await world.client("ada");
  world.network.loseRequest({ of: "blob" });
  world.network.loseAnswer({ of: "blob" });
  await ada.mutate.add({ id: "1", reader: "ada", photo: photo() });
  ada.crash();
  world.server.kill();
  await ada.reload();
  await world.advance(5000);
  world.server.start();
  await world.settle();
  const [note] = await world.db.select().from(notes);
  await expectFile(await world.client("ada"), note?.photo, "the photo");
});

test("the bytes of a file go when no row has held it for long enough", async () => {
  await using world = open();
  const ada = await world.client("ada");
  await expectApplied(ada.mutate.add({ id: "1", reader: "grace", photo: photo() }));
  await expectApplied(ada.mutate.add({ id: "2", reader: "grace", photo: photo("another") }));
  const [one, two] = (await ada.db.select().from(notes).orderBy(notes.id)).map((row) => row.photo as FileRef);
  await expectApplied(ada.mutate.drop({ id: "1" }));
  world.jumpTo(world.now + 8 * 86_400_000);
  await world.server.collectFiles(7 * 86_400_000);
  const grace = await world.client("grace");
  await expectFile(grace, two, "another");
  await expectNoFile(grace, one as FileRef);
});

test("a client without a server asks nobody, and sends all once it has one", async () => {
  await using world = open();
  const ada = await world.client("ada", { offline: true });
  await ada.mutate.add({ id: "1", reader: "grace", photo: photo() });
  await ada.mutate.draft({ id: "d", body: "mine alone" });
  await world.advance(60_000);
  expect(await world.db.select().from(notes)).toEqual([]);
  expect(ada.status.get().outboxDepth).toBe(1);
  await ada.reload({ offline: false });
  await world.settle();
  const grace = await world.client("grace");
  const [note] = await grace.db.select().from(notes);
  await expectFile(grace, note?.photo, "the photo");
  expect(await ada.db.select({ id: drafts.id }).from(drafts)).toEqual([{ id: "d" }]);
  expect(await grace.db.select().from(drafts)).toEqual([]);
});
