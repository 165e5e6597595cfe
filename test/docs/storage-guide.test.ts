// The code that the storage guide shows is a program that the compiler checks; here it runs.

import "fake-indexeddb/auto";
import { afterEach, expect, test, vi } from "vitest";
import { exportLocalData } from "plasma-sync/client";
import {
  askToKeep,
  logOut,
  notes,
  openClient,
  openReport,
  saveReport,
  usedShare,
} from "../../docs/guides/storage-examples.ts";
import { blocksOf, regionsOf } from "./code-of-guide.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the guide shows its program, region by region", () => {
  expect([...blocksOf("storage.md")].sort()).toEqual([...regionsOf("storage-examples.ts")].sort());
});

test("what was written is in the report, can be looked at by another, and is gone after a logout", async () => {
  const client = openClient("ada", () => undefined, true);
  await client.mutate.addNote({ body: "on the device" });
  await saveInFakePage(() => saveReport("ada"));
  const file = await exportLocalData({ dbName: "notes", clientGroupID: "ada" });
  expect((await logOut(client)).map(({ args }) => args)).toEqual([{ body: "on the device" }]);
  const report = await openReport(file);
  expect(await report.db.select({ body: notes.body }).from(notes)).toEqual([{ body: "on the device" }]);
  expect(await report.pending()).toHaveLength(1);
  await report.close();
});

test("a device that cannot save says so, and the change is taken back", async () => {
  const told: string[] = [];
  vi.stubGlobal("indexedDB", {
    open: () => {
      throw new DOMException("No.", "SecurityError");
    },
  });
  const client = openClient("ada", (text) => told.push(text));
  await expect(client.mutate.addNote({ body: "lost" })).rejects.toMatchObject({ code: "client/storage" });
  expect(told[0]).toContain("could not save");
});

test("the browser is asked to keep the data only while it does not yet", async () => {
  const persist = vi.fn(() => Promise.resolve(true));
  const storage = {
    persisted: () => Promise.resolve(false),
    persist,
    estimate: () => Promise.resolve({ usage: 1, quota: 4 }),
  };
  vi.stubGlobal("navigator", { ...navigator, storage });
  expect([await askToKeep(), await usedShare()]).toEqual([true, 0.25]);
  storage.persisted = () => Promise.resolve(true);
  await askToKeep();
  expect(persist).toHaveBeenCalledTimes(1);
});

/** A page in which a link can be clicked: it must offer a file. */
async function saveInFakePage(save: () => Promise<void>): Promise<void> {
  const link = { href: "", download: "", click: vi.fn(() => expect(link.href).toMatch(/^blob:/)) };
  vi.stubGlobal("document", { createElement: () => link });
  await save();
  expect(link.click).toHaveBeenCalledTimes(1);
  expect(link.download).toBe("notes-report.jsonl");
  vi.unstubAllGlobals();
}
