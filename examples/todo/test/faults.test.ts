// What the app keeps when things go wrong around it.
// #region faults
import { expect, test } from "vitest";
import { expectApplied, expectNotVisible, expectVisible, forEachSeed } from "plasma-sync/testing";
import { todos } from "../src/schema.ts";
import { openWorld } from "./open-world.ts";

test("lost answers and a dead server: each todo is there once", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));

  world.network.loseAnswer({ of: "push" });
  await expectApplied(ada.mutate.createTodo({ listId: "trip", title: "Pack" }));

  world.server.kill();
  await ada.mutate.createTodo({ listId: "trip", title: "Tent" });
  await world.advance(60_000);
  expect(await world.db.select().from(todos)).toHaveLength(1);
  world.server.start();
  await world.settle();

  const titles = await world.db.select({ title: todos.title }).from(todos).orderBy(todos.title);
  expect(titles).toEqual([{ title: "Pack" }, { title: "Tent" }]);
});
// #endregion

// #region tabs
test("offline, two tabs show each other's work, and a crash loses nothing that was saved", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  const tab = await ada.openTab();
  const titles = async () => (await tab.db.select().from(todos)).map(({ title }) => title);

  ada.goOffline();
  await ada.mutate.createTodo({ listId: "trip", title: "Pack" });
  await world.until(async () => (await titles()).includes("Pack"));

  ada.crash();
  await tab.reload();
  expect(await titles()).toEqual(["Pack"]);

  tab.goOnline();
  await expectVisible(await world.client("ada"), todos, [{ title: "Pack" }]);
});
// #endregion

// #region time
test("work of weeks without network arrives, though the log is shorter by then", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  const phone = await world.client("ada");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  await world.settle();
  phone.goOffline();
  await phone.mutate.createTodo({ listId: "trip", title: "Pack" });
  await expectApplied(ada.mutate.renameList({ id: "trip", name: "Iceland" }));

  const writtenAt = world.now;
  world.jumpTo(world.now + 40 * 86_400_000);
  await world.server.compact(30 * 86_400_000);
  phone.goOnline();
  await world.settle();

  const [todo] = await ada.db.select().from(todos);
  expect(writtenAt - (todo?.createdAt ?? 0)).toBeLessThan(1000);
});
// #endregion

test("a clock that is hours ahead dates no todo far into the future", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  ada.skewClock(5 * 3_600_000);
  await expectApplied(ada.mutate.createTodo({ listId: "trip", title: "Pack" }));
  await world.settle();
  const [todo] = await ada.db.select().from(todos);
  expect((todo?.createdAt ?? 0) - world.now).toBeLessThanOrEqual(5 * 60_000);
});

// #region seeds
test("whatever the network does, three people end with the same list", async () => {
  await forEachSeed(10, async (seed) => {
    await using world = await openWorld(seed);
    const { random } = world;
    const people = [await world.client("ada"), await world.client("grace"), await world.client("linus")] as const;
    const [ada] = people;
    await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
    for (const userId of ["grace", "linus"]) await expectApplied(ada.mutate.addMember({ listId: "trip", userId }));
    await world.settle();

    world.network.setFaults({ delayMsMax: 2000, lostRequest: 0.1, lostAnswer: 0.1, duplicate: 0.1 });
    world.server.setFaults({ failure: 0.01 });
    for (let i = 0; i < 12; i++) {
      const person = random.pick(people);
      if (random.chance(0.2)) person.goOffline();
      if (random.chance(0.3)) person.goOnline();
      if (random.chance(0.1)) await person.reload();
      await person.mutate.createTodo({ listId: "trip", title: `Todo ${i}` });
      await world.advance(random.int(0, 3000));
    }
    world.network.calm();
    world.server.calm();
    for (const person of people) person.goOnline();
    await world.settle();

    const held = await world.db.select().from(todos).orderBy(todos.id);
    expect(held).toHaveLength(12);
    for (const { db, errors } of people) {
      expect(await db.select().from(todos).orderBy(todos.id)).toEqual(held);
      expect(errors.filter(({ kind }) => kind === "mutation-rejected")).toEqual([]);
    }
  });
});
// #endregion

test("a removed list stays removed, whoever pulls first", async () => {
  await using world = await openWorld();
  const ada = await world.client("ada");
  const phone = await world.client("ada");
  await expectApplied(ada.mutate.createList({ id: "trip", name: "Norway", color: "sea" }));
  await expectApplied(ada.mutate.createTodo({ listId: "trip", title: "Pack" }));
  world.network.loseRequest({ of: "pull", from: phone });
  await expectApplied(ada.mutate.deleteList({ id: "trip" }));
  await expectNotVisible(phone, todos);
});
