import { expect, test, vi } from "vitest";
import { renewLog } from "./renew-log.ts";

test("renewing the log leaves no database behind, also when two tabs do it at once", async () => {
  await Promise.all([renewLog(), renewLog()]);
  await vi.waitFor(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name);
    expect(names).not.toContain("plasma:log");
  });
});
