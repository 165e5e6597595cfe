import { expect, test, vi } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import { systemEnv } from "../../core/lib/env.ts";

/** The module as a page of its own has it. */
async function newPage() {
  vi.resetModules();
  return import("./renew-log.ts");
}

test("a page begins a new log once, and leaves no database behind", async () => {
  const deletions = vi.spyOn(IDBFactory.prototype, "deleteDatabase");
  const { renewedLog } = await newPage();
  await Promise.all([renewedLog(systemEnv), renewedLog(systemEnv)]);
  expect(renewedLog(systemEnv)).toBeNull();
  expect(deletions).toHaveBeenCalledExactlyOnceWith("plasma:log");
  expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain("plasma:log");
});

test("two pages that do it at once both go on", async () => {
  const [one, two] = [await newPage(), await newPage()];
  await Promise.all([one.renewedLog(systemEnv), two.renewedLog(systemEnv)]);
  expect([one.renewedLog(systemEnv), two.renewedLog(systemEnv)]).toEqual([null, null]);
});

test("a tab that sleeps in the middle of it holds nobody up for long", async () => {
  const sleeping = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open("plasma:log");
    request.onsuccess = () => resolve(request.result);
  });
  // Another page has asked for its deletion, which waits.
  indexedDB.deleteDatabase("plasma:log");
  const env = createVirtualEnv();
  const { renewedLog } = await newPage();
  const waiting = renewedLog(env);
  await env.advance(1_000);
  await waiting;
  expect(renewedLog(env)).toBeNull();
  sleeping.close();
});

test("storage that is refused is no matter of the log", async () => {
  vi.spyOn(IDBFactory.prototype, "open").mockImplementationOnce(() => {
    throw new DOMException("Not allowed here.", "SecurityError");
  });
  const { renewedLog } = await newPage();
  await renewedLog(systemEnv);
  expect(renewedLog(systemEnv)).toBeNull();
});
