// What one person does with the todo app.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openBrowser } from "./open-browser.ts";
import { addTodo, isDone, openList, openTodo, retitle, tick, titles, todo, until, untilSaved } from "./todo-page.ts";
import { startTodoServer, type TodoServer } from "./todo-server.ts";

let server: TodoServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([startTodoServer(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await openTodo(context, server, "ada");
  await openList(page, "Errands");
});
afterEach(() => context.close());

test("a new database is seeded once, with lists and todos to look at", async () => {
  const links = page.getByRole("navigation", { name: "Lists" }).getByRole("link");
  await until(() => links.count(), 8);
  expect(await titles(page)).toContain("Renew the library card");
  expect(new Set(await titles(page)).size).toBe((await titles(page)).length);
});

test("a todo is added on top, edited in place, ticked, and is the same after a reload", async () => {
  await addTodo(page, "Buy a kite");
  expect((await titles(page))[0]).toBe("Buy a kite");
  await retitle(page, "Buy a kite", "Buy a red kite");
  await tick(page, "Buy a red kite");
  await until(() => isDone(page, "Buy a red kite"), true);
  await untilSaved(page);
  await page.reload();
  await todo(page, "Buy a red kite").waitFor();
  expect(await isDone(page, "Buy a red kite")).toBe(true);
  expect(await todo(page, "Buy a kite").count()).toBe(0);
});

test("note and due day are kept, and Escape leaves a todo as it was", async () => {
  await addTodo(page, "Mend the tent");
  await todo(page, "Mend the tent").locator(".todo-text").click();
  await page.getByRole("textbox", { name: "Note" }).fill("The zip, and one pole");
  await page.getByLabel("Due").fill("2031-05-04");
  await page.getByRole("button", { name: "Save" }).click();
  await todo(page, "Mend the tent").getByText("4 May 2031").waitFor();
  await todo(page, "Mend the tent").getByText("The zip, and one pole").waitFor();
  await todo(page, "Mend the tent").locator(".todo-text").click();
  await page.getByRole("textbox", { name: "Title" }).fill("Burn the tent");
  await page.keyboard.press("Escape");
  await todo(page, "Mend the tent").waitFor();
  expect(await todo(page, "Burn the tent").count()).toBe(0);
});

test("filters and search show what they say, and the counts agree", async () => {
  await addTodo(page, "Filter me: 100% wool_");
  await tick(page, "Filter me: 100% wool_");
  const label = async (name: string) =>
    Number((await page.locator(".filters label", { hasText: name }).locator("b").textContent()) ?? "");
  await until(() => isDone(page, "Filter me: 100% wool_"), true);
  await page.getByRole("radio", { name: "Open" }).check({ force: true });
  await until(() => todo(page, "Filter me: 100% wool_").count(), 0);
  await until(async () => (await titles(page)).length, await label("Open"));
  await page.getByRole("radio", { name: "Done" }).check({ force: true });
  await todo(page, "Filter me: 100% wool_").waitFor();
  await until(async () => (await titles(page)).length, await label("Done"));
  await page.getByRole("radio", { name: "All" }).check({ force: true });
  expect(await label("All")).toBe((await label("Open")) + (await label("Done")));
  await page.getByRole("searchbox").fill("ME: 100% WOOL_");
  await until(() => titles(page), ["Filter me: 100% wool_"]);
  await page.getByRole("searchbox").fill("%");
  await until(() => titles(page), ["Filter me: 100% wool_"]);
  await page.getByRole("searchbox").fill("ünfindbar ".repeat(20));
  await page.getByText("No match.").waitFor();
  await page.getByRole("searchbox").press("Escape");
  await todo(page, "Renew the library card").waitFor();
});

test("the keyboard alone adds, moves, ticks, edits and deletes, and focus is never lost", async () => {
  const focusedTitle = () =>
    page.evaluate(() => document.activeElement?.closest("[data-todo]")?.querySelector(".title")?.textContent ?? null);
  await page.keyboard.press("n");
  await page.keyboard.type("Typed by hand");
  await page.keyboard.press("Enter");
  await todo(page, "Typed by hand").waitFor();
  const [first, second, third] = await titles(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await until(focusedTitle, first ?? "");
  await page.keyboard.press("ArrowDown");
  await until(focusedTitle, second ?? "");
  await page.keyboard.press("k");
  await until(focusedTitle, first ?? "");
  await page.keyboard.press("Space");
  await until(() => isDone(page, "Typed by hand"), true);
  await page.keyboard.press("e");
  await page.getByRole("textbox", { name: "Title" }).waitFor();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("Typed again");
  await page.keyboard.press("Enter");
  await until(focusedTitle, "Typed again");
  await page.keyboard.press("Delete");
  await until(() => todo(page, "Typed again").count(), 0);
  await until(focusedTitle, second ?? "");
  await page.keyboard.press("2");
  await until(() => page.getByRole("radio", { name: "Open" }).isChecked(), true);
  expect(third).toBeDefined();
});

test("a deleted todo can be brought back as it was", async () => {
  await addTodo(page, "Deleted by accident");
  await tick(page, "Deleted by accident");
  await until(() => isDone(page, "Deleted by accident"), true);
  await page.getByRole("button", { name: "Delete Deleted by accident", exact: true }).click();
  await until(() => todo(page, "Deleted by accident").count(), 0);
  await page.getByRole("button", { name: "Undo" }).click();
  await until(() => todo(page, "Deleted by accident").count(), 1);
  await until(() => isDone(page, "Deleted by accident"), true);
  expect((await titles(page))[0]).toBe("Deleted by accident");
  await untilSaved(page);
  await page.reload();
  await todo(page, "Deleted by accident").waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("a list is made, renamed, filled and deleted with its todos", async () => {
  const links = page.getByRole("navigation", { name: "Lists" });
  await page.getByRole("textbox", { name: "Name of the new list" }).fill("Winter");
  await page.getByRole("button", { name: "Add list" }).click();
  await page.getByRole("heading", { name: "Winter" }).waitFor();
  await addTodo(page, "Wax the skis");
  await links.getByRole("link", { name: "Winter" }).getByText("1").waitFor();
  await page.getByRole("button", { name: "Rename this list" }).click();
  await page.getByRole("textbox", { name: "Name of the list" }).fill("Deep winter");
  await page.keyboard.press("Enter");
  await links.getByRole("link", { name: "Deep winter" }).waitFor();
  await page.getByRole("button", { name: "Delete this list" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await until(() => links.getByRole("link", { name: "Deep winter" }).count(), 0);
  await untilSaved(page);
  await page.reload();
  await links.getByRole("link", { name: "Errands" }).waitFor();
  expect(await links.getByRole("link", { name: "Deep winter" }).count()).toBe(0);
});
