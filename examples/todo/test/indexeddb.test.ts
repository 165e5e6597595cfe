// The app's client on IndexedDB as Node has it from fake-indexeddb, against the app's handler, in real time.
// #region indexeddb-test
import { expect, test } from "vitest";
import { todos } from "../src/schema.ts";
import { openClient, openServer } from "./real-parts.ts";

test("what was written offline is in IndexedDB, and arrives after the page was closed", async () => {
  const handle = await openServer();
  let isOnline = false;
  const send = async (request: Request) => {
    if (!isOnline) throw new TypeError("Failed to fetch");
    return handle(request);
  };
  const before = openClient("ada", send);
  await before.mutate.createList({ id: "trip", name: "Norway", color: "sea" });
  await before.mutate.createTodo({ listId: "trip", title: "Pack" });
  await before.close();

  isOnline = true;
  const after = openClient("ada", send);
  expect(await after.pending()).toHaveLength(2);
  await after.flush();
  expect(await after.pending()).toEqual([]);
  expect(await after.db.select({ title: todos.title }).from(todos)).toEqual([{ title: "Pack" }]);
  await after.close();
});
// #endregion
