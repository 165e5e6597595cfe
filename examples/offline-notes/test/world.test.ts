// The notes app on virtual time: without a server and with one, its files, and changes that arrive over sockets.
// #region connected
import { expect, test } from "vitest";
import { createTestWorld, expectApplied, expectFile, expectVisible } from "plasma-sync/testing";
import { mutators } from "../src/mutators.ts";
import { attachments, notes, schema } from "../src/schema.ts";

const openWorld = () => createTestWorld({ schema, mutators, sockets: true, pollIntervalMs: 3_600_000 });
const photo = () => new File(["the photo"], "photo.jpg", { type: "image/jpeg" });

test("what was made without a server is on the other device once there is one", async () => {
  await using world = openWorld();
  const phone = await world.client("ada", { offline: true });
  await phone.mutate.createNote({ id: "trip" });
  await phone.mutate.attach({ id: "a", noteId: "trip", file: photo() });
  await phone.mutate.keepDraft({ id: "trip", title: "Norway", body: "" });

  await phone.reload({ offline: false });
  const laptop = await world.client("ada");
  await expectVisible(laptop, notes, ["trip"]);
  const [attachment] = await laptop.db.select().from(attachments);
  await expectFile(laptop, attachment?.file, "the photo");
});

test("an attachment arrives though its upload was cut and the page was killed", async () => {
  await using world = openWorld();
  const phone = await world.client("ada");
  await phone.mutate.createNote({ id: "trip" });
  world.network.loseRequest({ of: "blob" });
  await phone.mutate.attach({ id: "a", noteId: "trip", file: photo() });
  phone.crash();
  await phone.reload();

  const laptop = await world.client("ada");
  await expectVisible(laptop, attachments, ["a"]);
});

test("a change is on the other device at once, and soon when connections broke", async () => {
  await using world = openWorld();
  const [phone, laptop] = [await world.client("ada"), await world.client("ada")];
  const isThere = async (id: string) => (await laptop.db.select().from(notes)).some((note) => note.id === id);
  const startedAt = world.now;
  await expectApplied(phone.mutate.createNote({ id: "trip" }));
  await world.until(() => isThere("trip"));
  expect(world.now - startedAt).toBeLessThan(1000);

  world.network.cutSockets({ from: laptop });
  await expectApplied(phone.mutate.createNote({ id: "tent" }));
  await world.until(() => isThere("tent"));
  expect(world.now - startedAt).toBeLessThan(60_000);
});
// #endregion
