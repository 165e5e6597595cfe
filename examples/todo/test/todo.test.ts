// What the app promises, against its real mutators and rules.
import { test } from "vitest";
import { expectApplied, expectDenied, expectNotVisible, expectVisible } from "plasma-sync/testing";
import { lists, members, todos } from "../src/schema.ts";
import { openWorld } from "./open-world.ts";

// #region mutator
test("a new list has its maker as a member, and what is added to it shows everywhere", async () => {
  await using world = await openWorld();
  const laptop = await world.client("ada");
  const phone = await world.client("ada");
  await expectApplied(laptop.mutate.createList({ id: "trip", name: "Trip", color: "sea" }));
  await laptop.mutate.createTodo({ listId: "trip", title: " Pack " });
  await expectVisible(phone, members, [{ listId: "trip", userId: "ada" }]);
  await expectVisible(phone, todos, [{ title: "Pack", authorId: "ada" }]);
});
// #endregion

// #region permission
test("only members see a list, and only its owner renames it", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  const grace = await world.client("grace");
  const linus = await world.client("linus");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Trip", color: "sea" }));
  await expectApplied(ada.mutate.addMember({ listId: "trip", userId: "grace" }));
  await expectVisible(grace, lists, ["trip"]);
  await expectNotVisible(linus, lists);
  await expectDenied(grace.mutate.renameList({ id: "trip", name: "Mine" }), "auth/denied");
  await expectDenied(linus.mutate.createTodo({ listId: "trip", title: "Hello" }));
});
// #endregion
