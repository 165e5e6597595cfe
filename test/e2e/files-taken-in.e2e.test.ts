// A browser that dies while a file is being taken in, with its profile on disk: no mutation without its bytes, no bytes for ever.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "./killable-browser.ts";
import { serveSourcePages, type SourcePages } from "./source-pages.ts";

const WAIT = { timeout: 45_000 };
const MB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), "plasma-taken-in-"));
let pages: SourcePages;

beforeAll(async () => {
  pages = await serveSourcePages("files-page.ts");
});
afterAll(async () => {
  await pages?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A page of the files app whose server is not there. */
async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${pages.url}?${new URLSearchParams({ endpoint: "http://127.0.0.1:9/sync", user: "ada" })}`);
  await page.waitForFunction(() => "files" in window);
  return page;
}

const files = <T>(page: Page, run: string): Promise<T> => page.evaluate(`(${run})(window.files)`);
const add = (id: string, sizeBytes: number) => `(files) => files.add("${id}", ${sizeBytes})`;

/** Records in the stores of files' bytes: whole files, writes under way, chunks. */
function stored(page: Page): Promise<readonly number[]> {
  return page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await done(indexedDB.open("plasma:files:ada"));
    const tx = database.transaction(["blobs", "blobWrites", "blobChunks"]);
    const counts = ["blobs", "blobWrites", "blobChunks"].map((name) => done(tx.objectStore(name).count()));
    const found = await Promise.all(counts);
    database.close();
    return found;
  });
}

test("a browser killed while it takes a file in has made no mutation; what it had stored goes, and the next file is taken", async () => {
  const profile = join(folder, "profile");
  const first = await startBrowser(profile);
  try {
    const page = await openTab(first.context);
    await files(page, add("before", 2 * MB));
    expect(await stored(page)).toEqual([1, 0, 2]);
    // Nobody awaits it: the browser will be gone.
    await files(page, `(files) => void (${add("never", 300 * MB)})(files)`);
    await expect.poll(async () => (await stored(page))[2], WAIT).toBeGreaterThan(10);
  } finally {
    await first.kill();
  }
  const second = await startBrowser(profile);
  try {
    const page = await openTab(second.context);
    expect(await files<string[]>(page, "(files) => files.titles()")).toEqual(["before"]);
    expect(await files(page, "(files) => files.pending()")).toEqual([expect.stringContaining("before")]);
    expect(await files(page, `(files) => files.read("before", ${2 * MB})`)).toMatch(/whole$/);
    const [whole, writes] = await stored(page);
    expect([whole, writes]).toEqual([1, 1]);
    // An hour later, by the page's clock.
    await page.evaluate((ms) => {
      const { now } = Date;
      Date.now = () => now.call(Date) + ms;
    }, HOUR_MS + 60_000);
    await files(page, add("after", 3 * MB));
    await expect.poll(() => stored(page), WAIT).toEqual([2, 0, 5]);
    expect(await files(page, `(files) => files.read("after", ${3 * MB})`)).toMatch(/whole$/);
  } finally {
    await second.kill();
  }
});
