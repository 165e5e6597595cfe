// Several people, several windows, and no network for a while.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { PlasmaClient } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import { openBrowser } from "./open-browser.ts";
import { addedTitles, countTodos, repeatedMutations } from "./server-database.ts";
import {
  addTodo,
  isDone,
  openList,
  openTodo,
  retitle,
  tick,
  titles,
  todo,
  until,
  untilBadge,
  untilSaved,
} from "./todo-page.ts";
import { startTodoServer, type TodoServer } from "./todo-server.ts";

let server: TodoServer;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startTodoServer(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});

async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext();
  contexts.push(context);
  return context;
}

async function openAs(user: "ada" | "grace" | "linus", list: string, context?: BrowserContext): Promise<Page> {
  const page = await openTodo(context ?? (await newContext()), server, user);
  await openList(page, list);
  return page;
}

test("two people see each other's todos, ticks and edits in a shared list", async () => {
  const [ada, grace] = [await openAs("ada", "Household"), await openAs("grace", "Household")];
  await addTodo(ada, "Buy a ladder");
  await todo(grace, "Buy a ladder").waitFor();
  await tick(grace, "Buy a ladder");
  await until(() => isDone(ada, "Buy a ladder"), true);
  await todo(ada, "Buy a ladder").getByText("Done by Grace").waitFor();
  await retitle(ada, "Buy a ladder", "Buy a long ladder");
  await todo(grace, "Buy a long ladder").waitFor();
  expect(await isDone(grace, "Buy a long ladder")).toBe(true);
});

test("nobody sees another person's private lists and todos", async () => {
  const ada = await openAs("ada", "Errands");
  await addTodo(ada, "A private matter");
  await untilSaved(ada);
  const grace = await openAs("grace", "Household");
  await addTodo(ada, "Another private matter");
  await untilSaved(ada);
  await addTodo(grace, "Something after it");
  await untilSaved(grace);
  expect(await grace.getByRole("link", { name: "Errands" }).count()).toBe(0);
  const seen = await grace.evaluate(async () => {
    const { plasma } = window as unknown as { plasma: PlasmaClient };
    const { lists, todos } = plasma.schema.tables;
    if (lists === undefined || todos === undefined) throw new Error("no such tables");
    return JSON.stringify([await plasma.db.select().from(lists), await plasma.db.select().from(todos)]);
  });
  expect(seen).toContain("Something after it");
  expect(seen).not.toContain("private matter");
  expect(seen).not.toContain("Errands");
});

test("two tabs of one browser show each other's changes at once, also offline", async () => {
  const context = await newContext();
  const [first, second] = [await openAs("ada", "Errands", context), await openAs("ada", "Errands", context)];
  await addTodo(first, "Seen in both tabs");
  await todo(second, "Seen in both tabs").waitFor();
  await untilSaved(first);
  await context.setOffline(true);
  await untilBadge(first, "Offline");
  await addTodo(second, "Written without a network");
  await todo(first, "Written without a network").waitFor();
  await retitle(first, "Written without a network", "Still without a network");
  await todo(second, "Still without a network").waitFor();
  await untilBadge(second, "Offline, 2 changes to send");
  expect(countTodos(server, "Still without a network")).toBe(0);
  await context.setOffline(false);
  await Promise.all([untilSaved(first), untilSaved(second)]);
  expect(countTodos(server, "Still without a network")).toBe(1);
  expect(await titles(second)).toEqual(await titles(first));
});

test("many changes made offline, with the tab closed in between, arrive once and in order", async () => {
  const context = await newContext();
  const page = await openAs("linus", "Diving trip", context);
  // The page must be loadable without a network; an app that is installed has a service worker for this.
  await context.route(`${server.url}sync/**`, (route) => route.abort("internetdisconnected"));
  const before = Array.from({ length: 12 }, (_, i) => `Before ${i}`);
  for (const title of before) await addTodo(page, title);
  await tick(page, "Before 3");
  await retitle(page, "Before 4", "Before 4, edited");
  await page.reload();
  await openList(page, "Diving trip");
  await todo(page, "Before 0").waitFor();
  expect(await isDone(page, "Before 3")).toBe(true);
  await todo(page, "Before 4, edited").waitFor();
  const after = Array.from({ length: 8 }, (_, i) => `After ${i}`);
  for (const title of after) await addTodo(page, title);
  await untilBadge(page, /22 changes to send/);
  expect(addedTitles(server, "linus")).toEqual([]);
  await context.unroute(`${server.url}sync/**`);
  await untilSaved(page);
  expect(addedTitles(server, "linus")).toEqual([...before, ...after]);
  expect(repeatedMutations(server)).toEqual([]);
  const elsewhere = await openAs("linus", "Diving trip");
  expect(await titles(elsewhere)).toEqual(await titles(page));
  expect(await isDone(elsewhere, "Before 3")).toBe(true);
});

test("switching the person shows only that person's rows and keeps what was not sent", async () => {
  const context = await newContext();
  const page = await openAs("ada", "Errands", context);
  await context.route(`${server.url}sync/push`, (route) => route.abort("internetdisconnected"));
  await addTodo(page, "Ada's last words");
  await page.getByLabel("You are").selectOption("grace");
  await page.getByRole("link", { name: "Compiler work" }).waitFor();
  expect(await page.getByRole("link", { name: "Errands" }).count()).toBe(0);
  await context.unroute(`${server.url}sync/push`);
  await page.getByLabel("You are").selectOption("ada");
  await openList(page, "Errands");
  await todo(page, "Ada's last words").waitFor();
  await untilSaved(page);
  expect(countTodos(server, "Ada's last words")).toBe(1);
});
