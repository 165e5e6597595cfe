// What the app's mutators do.
// #region mutator
import { test } from "vitest";
import { expectApplied, expectNotVisible, expectVisible } from "plasma-sync/testing";
import { members, ticks, todos } from "../src/schema.ts";
import { openWorld } from "./open-world.ts";

test("a new list has its maker as a member, and what is added to it shows on their other device", async () => {
  await using world = await openWorld();
  const laptop = await world.client("ada");
  const phone = await world.client("ada");
  await expectApplied(laptop.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  await expectApplied(laptop.mutate.createTodo({ listId: "trip", title: "  Pack " }));
  await expectVisible(phone, members, [{ listId: "trip", userId: "ada" }]);
  await expectVisible(phone, todos, [{ title: "Pack", authorId: "ada" }]);
});
// #endregion

test("a todo has one tick, of who was first; deleting its list takes all with it", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  const grace = await world.client("grace");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  await expectApplied(ada.mutate.addMember({ listId: "trip", userId: "grace" }));
  await expectApplied(ada.mutate.createTodo({ listId: "trip", title: "Pack" }));
  await world.settle();
  const [todo] = await grace.db.select().from(todos);
  const id = todo?.id ?? "";
  grace.goOffline();
  await grace.mutate.setDone({ id, done: true });
  await expectApplied(ada.mutate.setDone({ id, done: true }));
  grace.goOnline();
  await expectVisible(grace, ticks, [{ id, userId: "ada" }]);
  await expectApplied(ada.mutate.deleteList({ id: "trip" }));
  await expectNotVisible(grace, todos);
  await expectNotVisible(grace, ticks);
});
