// Logout, reset and export with real tabs: what is deleted is deleted for all of them, and told.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { LocalData } from "./local-data-page.ts";
import { openBrowser } from "./open-browser.ts";
import { serveSourcePages, type SourcePages } from "./source-pages.ts";
import { WAIT_MS } from "./todo-page.ts";

declare const localData: LocalData;

const WAIT = { timeout: WAIT_MS };

let pages: SourcePages;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  [pages, browser] = await Promise.all([serveSourcePages("local-data-page.ts"), openBrowser()]);
});
beforeEach(async () => {
  context = await browser.newContext();
  // There is no server: what is written stays in the outbox.
  await context.route(/:\d+\/sync\//, (route) => route.abort());
});
afterEach(() => context.close());
afterAll(async () => {
  await browser?.close();
  await pages?.close();
});

async function openPage(user?: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(pages.url);
  await page.waitForFunction(() => "localData" in window);
  if (user !== undefined) await page.evaluate((name) => localData.open(name), user);
  return page;
}

const add = (page: Page, body: string, photo?: string) =>
  page.evaluate(([text, bytes]) => localData.add(text ?? "", bytes ?? null), [body, photo] as const);
const lastShown = (page: Page) => page.evaluate(() => localData.shown.at(-1) ?? []);

test("logging out with another tab open returns what all tabs had not sent, and leaves no trace", async () => {
  const [one, two] = [await openPage("ada"), await openPage("ada")];
  expect([await add(one, "first"), await add(two, "second"), await add(one, "third", "bytes of a photo")]).toEqual([
    "ok",
    "ok",
    "ok",
  ]);
  await one.evaluate(() => localData.close());
  expect(await one.evaluate(() => localData.delete("ada"))).toEqual(["first", "second", "third"]);

  expect(await add(two, "too late")).toBe("client/storage");
  await expect.poll(() => two.evaluate(() => localData.errors), WAIT).toContain("storage");
  await two.close();
  // A tab that is closed lets go of its locks and of the database a moment later.
  await expect
    .poll(() => one.evaluate(() => localData.traces()), WAIT)
    .toEqual({
      databases: [],
      sessionStorage: [],
      localStorage: [],
      locks: [],
    });
});

test("the next person on the device finds nothing of the one before, whose other tab is still open", async () => {
  const [one, two] = [await openPage("ada"), await openPage("ada")];
  await add(two, "private");
  await one.evaluate(() => localData.close());
  await one.evaluate(() => localData.delete());
  await one.reload();
  await one.waitForFunction(() => "localData" in window);
  await one.evaluate(() => localData.open("grace"));
  expect(await add(one, "hello")).toBe("ok");
  expect(await one.evaluate(() => localData.shown.flat())).not.toContain("private");
  expect(await one.evaluate(() => localData.databases())).toHaveLength(1);
});

test("a tab that is frozen does not hold up a logout, and its copy is empty", async () => {
  const [one, frozen] = [await openPage("ada"), await openPage()];
  await add(one, "private", "bytes of a photo");
  await frozen.evaluate(() => localData.sit("ada"));
  await one.evaluate(() => localData.close());
  expect(await one.evaluate(() => localData.delete("ada"))).toEqual(["private"]);
  await frozen.close();
  await expect.poll(() => one.evaluate(() => localData.databases()), WAIT).toEqual([]);
});

test("an export is made while two tabs write, and holds what was durable when it was asked for", async () => {
  const [one, two] = [await openPage("ada"), await openPage("ada")];
  for (let n = 0; n < 5; n++) expect(await add(n % 2 === 0 ? one : two, `note ${n}`)).toBe("ok");
  const [text, ...after] = await Promise.all([
    one.evaluate(() => localData.export("ada")),
    add(one, "meanwhile"),
    add(two, "meanwhile too"),
  ]);
  expect(after).toEqual(["ok", "ok"]);
  for (let n = 0; n < 5; n++) expect(text).toContain(`note ${n}`);
  expect(text.trimEnd().split("\n").at(-1)).toContain('"end":true');
});

test("a reset in one tab empties all of them, and each goes on", async () => {
  const [one, two] = [await openPage("ada"), await openPage("ada")];
  await add(one, "before");
  await expect.poll(() => lastShown(two), WAIT).toEqual(["before"]);
  await one.evaluate(() => localData.client.resetLocalState());
  await expect.poll(() => lastShown(two), WAIT).toEqual([]);
  expect([await add(one, "after"), await add(two, "after too")]).toEqual(["ok", "ok"]);
  await expect.poll(() => lastShown(one), WAIT).toEqual(["after", "after too"]);
  await expect.poll(() => lastShown(two), WAIT).toEqual(["after", "after too"]);
});
