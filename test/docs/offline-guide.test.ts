// The code that the offline guide shows is a program that the compiler checks; here it runs, first without a server, then with one.

import "fake-indexeddb/auto";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test, vi } from "vitest";
import { createServerDb, createSyncHandler, ensureSchema, fromNodeSqlite } from "plasma-sync/server";
import { drafts, mutators, notes, openClient, schema, switchSyncOn } from "../../docs/guides/offline-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the guide shows its program, region by region", () => {
  expect(blocksOf("offline.md")).toEqual(regionsOf("offline-examples.ts"));
});

test("notes that were written without a server reach it once it is there; drafts never do", async () => {
  const executor = fromNodeSqlite(new DatabaseSync(":memory:"));
  await ensureSchema({ schema, executor });
  const auth = () => ({ ok: true as const, clientGroupID: "me", ctx: null });
  const fetcher = vi.fn(createSyncHandler({ schema, mutators, executor, schemaVersion: "1", auth }));
  vi.stubGlobal("fetch", fetcher);

  const offline = openClient(false);
  await offline.mutate.addNote({ id: "n" });
  await offline.mutate.saveNote({ noteId: "n", body: "saved" });
  await offline.mutate.keepDraft({ noteId: "n", body: "saved, and more" }).server;
  await offline.flush();
  expect(fetcher).not.toHaveBeenCalled();
  expect((await offline.pending()).map(({ name }) => name)).toEqual(["addNote", "saveNote"]);

  const online = await switchSyncOn(offline);
  const db = createServerDb({ schema, executor });
  await vi.waitFor(async () => expect(await db.select().from(notes)).toEqual([{ id: "n", body: "saved" }]), 5000);
  expect(await online.db.select().from(drafts)).toEqual([{ id: "n", noteId: "n", body: "saved, and more" }]);
  await online.close();
});
