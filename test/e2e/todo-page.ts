// Owns: what a test does with the todo app, in the words of its user.
import type { BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import type { TodoServer } from "./todo-server.ts";

/** Long enough for two busy cores, short enough to fail a test by itself. */
export const WAIT_MS = 20_000;

/** A page of the todo app for one person, with everything loaded. */
export async function openTodo(
  context: BrowserContext,
  server: TodoServer,
  user: "ada" | "grace" | "linus",
): Promise<Page> {
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  await page.goto(`${server.url}?user=${user}`);
  await untilSaved(page);
  return page;
}

/** The links to the lists, of one group of the sidebar or of all. */
export const lists = (page: Page, group?: "My lists" | "Shared with me"): Locator => {
  const sidebar = page.getByRole("navigation", { name: "Lists" });
  return (group === undefined ? sidebar : sidebar.getByRole("region", { name: group })).getByRole("link");
};

export async function makeList(page: Page, name: string): Promise<void> {
  await page.getByRole("textbox", { name: "Name of the new list" }).fill(name);
  await page.getByRole("button", { name: "Add list" }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
}

/** Adds a person to the open list, or removes them, and waits until the server knows. */
export async function setMember(page: Page, person: string, change: "Add" | "Remove"): Promise<void> {
  await page.getByRole("button", { name: "Share", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Share" });
  await dialog.getByRole("button", { name: `${change} ${person}` }).click();
  await dialog.getByRole("button", { name: `${change === "Add" ? "Remove" : "Add"} ${person}` }).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await untilSaved(page);
}

export async function openList(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Lists" }).getByRole("link", { name }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
  await page.locator("[data-todo]").first().waitFor();
}

/** Resolves when every change has reached the server. */
export const untilSaved = (page: Page): Promise<void> => untilBadge(page, "All saved");

export async function untilBadge(page: Page, text: string | RegExp): Promise<void> {
  await page.locator(".sync-badge", { hasText: text }).waitFor();
}

/** The todo's line in the open list. */
export const todo = (page: Page, title: string): Locator =>
  page.locator("[data-todo]").filter({ has: page.getByText(title, { exact: true }) });

export async function addTodo(page: Page, title: string): Promise<void> {
  const field = page.getByRole("textbox", { name: "New todo" });
  await field.fill(title);
  await field.press("Enter");
  await todo(page, title).waitFor();
}

export async function retitle(page: Page, title: string, next: string): Promise<void> {
  await todo(page, title).locator(".todo-text").click();
  const field = page.getByRole("textbox", { name: "Title" });
  await field.fill(next);
  await field.press("Enter");
  await field.waitFor({ state: "detached" });
}

export const tick = (page: Page, title: string): Promise<void> => todo(page, title).getByRole("checkbox").click();

export const isDone = async (page: Page, title: string): Promise<boolean> =>
  (await todo(page, title).getAttribute("data-done")) === "true";

/** The notice about a refused change. */
export const notice = (page: Page, text: string): Locator => page.getByRole("alert").filter({ hasText: text });

/** Titles of the open list, first line first. */
export const titles = (page: Page): Promise<string[]> => page.locator("[data-todo] .title").allTextContents();

/** Waits until `read` gives `expected`. */
export const until = <T>(read: () => T | Promise<T>, expected: T): Promise<void> =>
  expect.poll(read, { timeout: WAIT_MS, interval: 50 }).toEqual(expected);
