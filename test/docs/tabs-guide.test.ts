// The code that the tabs guide shows is a program that the compiler checks; here it runs, with two clients for two tabs.

import "fake-indexeddb/auto";
import { expect, test, vi } from "vitest";
import { createPlasmaClient, type PlasmaClient } from "plasma-sync/client";
import { defineMutators, defineSchema, id, table, type MutatorInput } from "plasma-sync/core";
import { describeTab, logOutEverywhere, onOutdated, watchLogouts } from "../../docs/guides/tabs-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

const notes = table("notes", { id: id() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, null>()({
  add: async ({ db, newId }: MutatorInput<typeof schema, null, null>) => {
    await db.insert(notes).values({ id: newId() });
  },
});

const openTab = () =>
  createPlasmaClient({
    schema,
    mutators,
    dbName: "notes",
    schemaVersion: "1",
    clientGroupID: "ada",
    getContext: () => null,
    offline: true,
  });
const asAny = (client: ReturnType<typeof openTab>) => client as unknown as PlasmaClient;

test("the guide shows its program, region by region", () => {
  expect(blocksOf("tabs.md")).toEqual(regionsOf("tabs-examples.ts"));
});

test("a logout in one tab closes the client of the other, and leaves nothing behind", async () => {
  const [one, two] = [openTab(), openTab()];
  await one.mutate.add(null);
  const leave = vi.fn();
  const stop = watchLogouts(asAny(two), leave);
  await logOutEverywhere(asAny(one));
  await vi.waitFor(() => expect(leave).toHaveBeenCalledTimes(1));
  await expect(two.mutate.add(null)).rejects.toMatchObject({ code: "client/closed" });
  expect(await indexedDB.databases()).toEqual([]);
  stop();
});

test("a tab is described, and only a newer tab makes it offer a reload", async () => {
  const tab = openTab();
  await tab.mutate.add(null);
  expect(describeTab(asAny(tab))).toMatch(/^This tab .+; at rest; 1 changes to send\.$/);
  const offer = vi.fn();
  onOutdated({ kind: "network", phase: "pull", message: "", error: null } as never, offer);
  expect(offer).not.toHaveBeenCalled();
  onOutdated({ kind: "schema-mismatch", phase: "tab", expected: "2", message: "" }, offer);
  expect(offer).toHaveBeenCalledTimes(1);
  await tab.close();
});
