// Who sees and who changes what, by the app's own rules.
// #region permission
import { test } from "vitest";
import { expectApplied, expectDenied, expectNeverTold, expectNotVisible, expectVisible } from "plasma-sync/testing";
import { lists, members, todos } from "../src/schema.ts";
import { openWorld } from "./open-world.ts";

test("members see a list and its todos, strangers are told nothing, and only the owner renames it", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  const grace = await world.client("grace");
  const linus = await world.client("linus");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  await expectApplied(ada.mutate.addMember({ listId: "trip", userId: "grace" }));

  await expectVisible(grace, lists, ["trip"]);
  await expectApplied(grace.mutate.createTodo({ listId: "trip", title: "Pack" }));
  await expectVisible(ada, todos, [{ title: "Pack", authorId: "grace" }]);
  await expectNotVisible(linus, lists);
  await expectNeverTold(linus, "trip", "Norway", "Pack");

  await expectDenied(grace.mutate.renameList({ id: "trip", name: "Mine" }), "auth/denied");
  await expectDenied(() => linus.mutate.createTodo({ listId: "trip", title: "Hello" }));
  await expectDenied(() => linus.forge.addMember({ listId: "trip", userId: "linus" }));
});
// #endregion

test("who is removed loses the list on every device, and what they wrote offline is refused", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  const [grace, phone] = [await world.client("grace"), await world.client("grace")];
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  await expectApplied(ada.mutate.addMember({ listId: "trip", userId: "grace" }));
  await expectVisible(phone, lists, ["trip"]);
  phone.goOffline();
  const late = phone.mutate.createTodo({ listId: "trip", title: "Skis" });
  await late;
  await expectApplied(ada.mutate.removeMember({ listId: "trip", userId: "grace" }));
  await expectNotVisible(grace, lists);
  phone.goOnline();
  await expectDenied(late);
  await expectNotVisible(phone, todos);
  await expectNotVisible(phone, members);
});

test("nobody writes into the list of users, and a title that holds a password is refused", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  await expectDenied(ada.mutate.createTodo({ listId: "trip", title: "password: 1234" }));
  await expectDenied(() => ada.forge.leaveList({ id: "trip" }));
});
