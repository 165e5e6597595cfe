// The code that the conflict guide shows is a program that the compiler checks; here two devices meet on it.

import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { createPlasmaClient } from "plasma-sync/client";
import { createServerDb, createSyncHandler, ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { bookings, counters, mutators, profiles, recipes, schema } from "../../docs/guides/conflict-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

const deviceOf = (userId: string, handle: (request: Request) => Promise<Response>) =>
  createPlasmaClient({
    schema,
    mutators,
    dbName: "guide",
    endpoint: "https://example.org/sync",
    schemaVersion: "1",
    clientGroupID: userId,
    getContext: () => ({ userId }),
    storage: "memory",
    pollIntervalMs: 3_600_000,
    fetcher: handle,
  });
type Device = ReturnType<typeof deviceOf>;
let devices: Device[] = [];
afterEach(async () => void (await Promise.all(devices.map((device) => device.close()))));

async function open() {
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  await ensureSchema({ schema, executor });
  const db = createServerDb({ schema, executor });
  await db.insert(profiles).values({ id: "p", name: "P", city: "Paris" });
  await db.insert(counters).values({ id: "c" });
  await db.insert(recipes).values({ id: "r", title: "Soup", steps: "Boil.", servings: 2 });
  await db.insert(bookings).values({ id: "b", room: "12", guest: "nobody" });
  const handle = createSyncHandler({
    schema,
    mutators,
    executor,
    schemaVersion: "1",
    auth: (request) => {
      const userId = new URL(request.url).searchParams.get("clientGroupID") ?? request.headers.get("x-user") ?? "";
      return { ok: true, clientGroupID: userId, ctx: { userId } };
    },
  });
  const named = (userId: string) => (request: Request) => {
    request.headers.set("x-user", userId);
    return handle(request);
  };
  const [ada, grace] = [deviceOf("ada", named("ada")), deviceOf("grace", named("grace"))] as const;
  devices = [ada, grace];
  await ada.pullOnce();
  await grace.pullOnce();
  return { ada, grace, db };
}

test("the guide shows its program, region by region", () => {
  expect(blocksOf("conflicts.md")).toEqual(regionsOf("conflict-examples.ts"));
});

test("columns that different people set all stay, and so does every like", async () => {
  const { ada, grace, db } = await open();
  await ada.mutate.editProfile({ id: "p", city: "Rome" }).server;
  await grace.mutate.editProfile({ id: "p", motto: "Yes." }).server;
  expect(await db.select().from(profiles)).toEqual([{ id: "p", name: "P", city: "Rome", motto: "Yes." }]);
  await Promise.all([ada, ada, grace].map((device) => device.mutate.like({ id: "c" }).server));
  expect(await db.select().from(counters)).toEqual([{ id: "c", likes: 3 }]);
});

test("a recipe that two people edit keeps the steps of both", async () => {
  const { ada, grace, db } = await open();
  await ada.mutate.editRecipe({ id: "r", steps: "Boil. Salt.", servings: 3 }).server;
  await grace.mutate.editRecipe({ id: "r", steps: "Boil. Pepper." }).server;
  const merged = { id: "r", title: "Soup", steps: "Boil. Salt.\n---\nBoil. Pepper.", servings: 3 };
  expect(await db.select().from(recipes)).toEqual([merged]);
  // Ada has not pulled since: her title alone leaves the steps as they are.
  await ada.mutate.editRecipe({ id: "r", title: "Broth" }).server;
  expect(await db.select().from(recipes)).toEqual([{ ...merged, title: "Broth" }]);
  await grace.pullOnce();
  expect(await grace.db.select().from(recipes)).toEqual([{ ...merged, title: "Broth" }]);
});

test("the second guest of a room is refused, and told", async () => {
  const { ada, grace, db } = await open();
  await ada.mutate.book({ id: "b", guest: "Ada", version: 0 }).server;
  const refused = grace.mutate.book({ id: "b", guest: "Grace", version: 0 }).server;
  await expect(refused).rejects.toMatchObject({ message: expect.stringContaining("meanwhile") });
  expect(await db.select().from(bookings)).toMatchObject([{ guest: "Ada", version: 1 }]);
});
