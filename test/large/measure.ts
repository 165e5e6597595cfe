// Owns: `npm run todo:measure`: how the large list opens and scrolls, in figures, and how it looks.
//   npm run todo:measure                       100,000 todos
//   npm run todo:measure -- --todos 20000      another number
//   npm run todo:measure -- --shots folder     screenshots as well: light, dark, on a phone
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { openProfile } from "../e2e/open-browser.ts";
import { startLargeTodo } from "./todo-world.ts";
import { jumpTo, marksOf, scrollFor, watchMarks } from "./watch-page.ts";

const OPEN_MS_MAX = 300_000;
const REOPENS = 5;

const { values } = parseArgs({ options: { todos: { type: "string", default: "100000" }, shots: { type: "string" } } });
const profile = mkdtempSync(join(tmpdir(), "plasma-large-profile-"));
const app = await startLargeTodo(Number(values.todos));
const context = await openProfile(profile);
try {
  const page = await context.newPage();
  await watchMarks(page);
  console.log(`${values.todos} todos, milliseconds since the navigation began`);
  await page.goto(app.url);
  await untilSynced(page);
  console.log("first sync", await marksOf(page));
  for (let i = 0; i < REOPENS; i++) {
    await page.goto("about:blank");
    await page.goto(app.url);
    await page.locator(".heading p", { hasText: /\d open of/ }).waitFor({ timeout: OPEN_MS_MAX });
    console.log("from the disk", await marksOf(page));
  }
  console.log("scrolling for 10 s", await scrollFor(page));
  for (const place of [0.5, 1, 0, 0.25])
    console.log(`scroll bar thrown to ${place}: longest tasks, CPU ms`, await jumpTo(page, place));
  console.log("room on the disk, bytes", await page.evaluate(async () => (await navigator.storage.estimate()).usage));
  if (values.shots !== undefined) await shoot(page, values.shots);
} finally {
  await context.close();
  await app.close();
  rmSync(profile, { recursive: true, force: true });
}

async function untilSynced(page: Page): Promise<void> {
  await page.locator(".sync-badge", { hasText: "All saved" }).waitFor({ timeout: OPEN_MS_MAX });
}

async function shoot(page: Page, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const shot = (name: string) => page.screenshot({ path: join(folder, `${name}.png`) });
  await page.evaluate(() => document.querySelector("[data-scroller]")?.scrollTo(0, 0));
  await shot("top");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot("dark");
  await page.evaluate(() => {
    const pane = document.querySelector("[data-scroller]");
    pane?.scrollTo(0, pane.scrollHeight / 2);
  });
  await page.locator("[data-todo]").first().waitFor();
  await shot("dark-middle");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.evaluate(() => document.querySelector("[data-scroller]")?.scrollTo(0, 0));
  await shot("phone");
  await page.getByRole("searchbox").fill("kettle");
  await page.locator("[data-todo]", { hasText: "kettle" }).first().waitFor();
  await shot("phone-search");
}
